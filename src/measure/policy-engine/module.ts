/** The engine itself: reproducible/policy-engine/policy-engine.wasm, which is a part of pm as its own code is. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { PmError } from "../../errors.ts";
import { systemReason } from "../../system-reason.ts";

/** SHA-256 of the module: reproducible/policy-engine/SHA256SUMS says what made it, scripts/rebuild-policy-engine.ts makes it again. */
export const engineDigest = "4e9476de169b5039d4ebd8d5e87920ff58b4493954462dce5e0d5328e946e55c";

/** The source as it is while tests run, and the bundle, into which scripts/build.ts copies it. */
export function engineUrl(here = import.meta.url): URL {
  if (here.endsWith(".ts")) return new URL("../../../reproducible/policy-engine/policy-engine.wasm", here);
  return new URL(`${here.slice(0, here.lastIndexOf("/dist/"))}/dist/measure/policy-engine/policy-engine.wasm`);
}

/**
 * Compiles the module if it is the pinned one, and never another.
 * @throws PmError PM_BUG: an engine that is missing or changed is a damaged pm, not evidence that could not be had, and
 * must not end as one open answer among others
 */
export async function loadEngine(url: URL): Promise<WebAssembly.Module> {
  const hint = "install pm again: the policy engine belongs to pm and is compared with a digest in its code";
  let bytes: Buffer;
  try {
    bytes = await readFile(url);
  } catch (error) {
    throw new PmError("PM_BUG", `policy engine: ${systemReason(error)}: ${url.pathname}`, { hint, cause: error });
  }
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (digest !== engineDigest)
    throw new PmError("PM_BUG", `policy engine: SHA-256 expected ${engineDigest}, found ${digest}`, { hint });
  return await WebAssembly.compile(new Uint8Array(bytes));
}
