/** Real evidence lies beside the checkout and is never copied into it; tests that need it skip with a notice where it is absent. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";

const wanted = process.env["PM_EVIDENCE"] ?? fileURLToPath(new URL("../../shared/evidence", import.meta.url));

/** Folder of the evidence, or undefined where there is none. PM_EVIDENCE overrides the place. */
export const evidenceDir: string | undefined = existsSync(wanted) ? wanted : undefined;

/** Path of an evidence file. @throws Error where the evidence folder is absent. */
export function evidencePath(path: string): string {
  if (evidenceDir === undefined) throw new Error(`no evidence folder at ${wanted}`);
  return join(evidenceDir, path);
}
export const evidence = (path: string): Uint8Array => new Uint8Array(readFileSync(evidencePath(path)));
export const evidenceJson = <T>(path: string): T => JSON.parse(readFileSync(evidencePath(path), "utf8")) as T;

/** A describe block that needs real evidence; without it, it is skipped and says so. */
export function describeEvidence(name: string, body: () => void): void {
  if (evidenceDir === undefined) {
    process.stderr.write(`notice: skipped "${name}": no evidence folder (set PM_EVIDENCE)\n`);
    // The body is not run: it may read evidence while it collects its cases.
    describe.skip(name, () => test("needs the evidence folder", () => undefined));
  } else describe(name, body);
}
