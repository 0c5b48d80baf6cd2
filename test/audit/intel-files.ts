/** Made Intel evidence as files that commands read: quote, collateral, root. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collateralJson } from "../../fixtures/generator/intel-collateral.ts";
import type { IntelEvidence } from "../../fixtures/generator/intel-evidence.ts";

export const intelFolder = mkdtempSync(join(tmpdir(), "pm-intel-"));
process.once("exit", () => rmSync(intelFolder, { recursive: true, force: true }));

let files = 0;
export function intelFile(name: string, content: Uint8Array | string): string {
  const path = join(intelFolder, `${files++}-${name}`);
  writeFileSync(path, content);
  return path;
}

/** Paths, and the flags that judge them at their own time, without a socket. */
export function written(evidence: IntelEvidence) {
  return {
    quote: intelFile("quote.bin", evidence.quote),
    flags: {
      offline: true,
      at: evidence.at.toISOString(),
      collateral: intelFile("collateral.json", collateralJson(evidence.collateral)),
      "insecure-trust-root": intelFile("root.pem", evidence.rootPem),
    },
  };
}
