/** Where the files of this build's wllama lie. */
export interface WllamaUrls {
  /** The worker that runs the wasm. */
  readonly worker: string;
  /** What its threads run. */
  readonly threads: string;
  readonly wasm: string;
}
