/** Disks of tests of dm-verity: a folder for them, parameters as flags, and layouts out of the generator's words. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type DeviceParameters, privatemode } from "../../../fixtures/generator/verity.ts";
import { layoutOf, type VerityLayout } from "../../../src/measure/verity/layout.ts";

/** A folder that goes when the tests of the file have run. */
export function worldFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "pm-verity-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}
/** Writes a file there, and gives its path. */
export const writer = (path: (name: string) => string) => (name: string, bytes: Uint8Array | string) => {
  writeFileSync(path(name), bytes);
  return path(name);
};

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** As the commands take them. */
export const flagsOf = (p: DeviceParameters): string[] => [
  ...["--hash-type", String(p.hashType), "--algorithm", p.algorithm],
  ...["--data-block-size", String(p.dataBlockSize), "--hash-block-size", String(p.hashBlockSize)],
  ...["--salt", hexOf(p.salt) || "-"],
];
export const layout = (dataBlocks: number, p: DeviceParameters = privatemode): VerityLayout =>
  layoutOf({ ...p, dataBlocks });
