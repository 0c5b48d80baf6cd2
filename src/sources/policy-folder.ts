/** `--policies DIR`: the files of one folder, in the order of their names, bounded. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { usage } from "../errors.ts";
import { loadBounded } from "./files.ts";

const maxFiles = 1000;
/** An annotation of the largest document. */
const maxFileBytes = 6 * 1024 * 1024;
const maxTotalBytes = 256 * 1024 * 1024;

/**
 * Files only; folders in it are not looked into.
 * @throws PmError PM_USAGE when it is no folder, holds nothing, or more than any deployment has
 */
export async function readPolicyFolder(folder: string): Promise<Uint8Array[]> {
  const status = await stat(folder).catch(() => undefined);
  if (status?.isDirectory() !== true) throw usage(`${folder}: no folder`, "name the folder with the policies' files");
  const names = (await readdir(folder)).sort();
  if (names.length > maxFiles) throw usage(`${folder}: more than ${maxFiles} files`);
  const found: Uint8Array[] = [];
  let total = 0;
  for (const name of names) {
    const bytes = (await loadBounded(join(folder, name), maxFileBytes))?.bytes;
    if (bytes === undefined) continue;
    total += bytes.length;
    if (total > maxTotalBytes) throw usage(`${folder}: more than ${maxTotalBytes} bytes of files`);
    found.push(bytes);
  }
  if (found.length === 0) throw usage(`${folder}: holds no file of a policy's size`);
  return found;
}
