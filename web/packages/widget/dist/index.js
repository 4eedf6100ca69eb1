export { t as chat, n as load, r as mount, i as unload, a as watch } from "./load.js";
