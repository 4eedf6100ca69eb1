/**
 * Runs signing_cases.py over the Worker's WebCrypto pair, and tries keys that it must refuse.
 *
 *     node run_signing.mjs '{"worker": …, "jwk": …, "other": …, "foreign": …, "refused": {…}}'
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { report, startPython } from "./pyodide.mjs";

const told = JSON.parse(process.argv[2]);

await report(async () => {
  const python = await startPython([`${told.worker}/src`, dirname(fileURLToPath(import.meta.url))]);
  const { WebCryptoSigner, WebCryptoVerifier } = python.pyimport("edge.webcrypto");
  const cases = python.pyimport("signing_cases");
  const signer = await WebCryptoSigner.load(python.toPy(told.jwk));
  const found = JSON.parse(
    await cases.outcomes_json(signer, WebCryptoVerifier(), JSON.stringify(told)),
  );
  const refusals = {};
  for (const [name, jwk] of Object.entries(told.refused)) {
    refusals[name] = await WebCryptoSigner.load(python.toPy(jwk)).then(
      () => "taken",
      (error) => error.type,
    );
  }
  return { ...found, refusals };
});
