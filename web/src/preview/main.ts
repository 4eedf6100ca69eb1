/** The preview's entry: binds the stage to this page. */
import "../trusted_types.ts";
import "./preview.css";
import { Stage, type StageConfig } from "./stage.ts";

const config = document.getElementById("fanlight-config")?.textContent;
new Stage(window, JSON.parse(config ?? "null") as StageConfig).start();
