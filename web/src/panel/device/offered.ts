/** What a site offers for the device now: of all else nothing stays in the browser. */
import type { PanelConfig } from "../config.ts";

/** The hashes of the manifests of every form of every model, and of the encoder. */
export function offered({
  local_models,
  encoder,
}: Pick<PanelConfig, "local_models" | "encoder">): readonly string[] {
  const forms = local_models.flatMap((model) => [model, ...(model.webllm ?? [])]);
  return [...forms, ...(encoder ? [encoder] : [])].map(({ sha256 }) => sha256);
}
