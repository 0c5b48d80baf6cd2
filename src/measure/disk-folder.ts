/** A folder that becomes a disk: what in it makes another disk than the builder's checkout would. Nothing is judged here. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { usage } from "../errors.ts";
import { systemReason } from "../system-reason.ts";

export interface DiskFolder {
  /** Files, links and folders, without .git and the folder itself. */
  readonly entries: number;
  readonly sizeBytes: number;
  /** There is a .git at the top. */
  readonly git: boolean;
  /** One sentence each, by path; at most `maxProblems`. */
  readonly problems: readonly string[];
  /** How many there are. */
  readonly problemCount: number;
}

const maxEntries = 1_000_000;
const maxProblems = 50;
const octal = (mode: number): string => mode.toString(8).padStart(3, "0");

/**
 * Modes are stored in the image, and hard links change its layout; owners, times and extended attributes do not.
 * @throws PmError PM_USAGE for a folder that cannot be read whole
 */
export async function readDiskFolder(folder: string): Promise<DiskFolder> {
  const problems: string[] = [];
  let [entries, sizeBytes, problemCount, git] = [0, 0, 0, false];
  const note = (text: string): void => {
    problemCount++;
    if (problems.length < maxProblems) problems.push(text);
  };
  const visit = async (path: string, name: string): Promise<void> => {
    const stat = await lstat(path).catch((error: unknown) => {
      throw usage(`${path}: ${systemReason(error)}`, "the folder must be readable as a whole");
    });
    const mode = stat.mode & 0o7777;
    if (name === "" && !stat.isDirectory())
      throw usage(`${path}: is no folder`, "name the folder with the model's files");
    if (stat.isDirectory()) {
      if (mode !== 0o755)
        note(`${name === "" ? "the folder itself" : name}: mode ${octal(mode)}, a checkout with umask 22 makes 755`);
      const names = await readdir(path).catch((error: unknown) => {
        throw usage(`${path}: ${systemReason(error)}`, "the folder must be readable as a whole");
      });
      for (const own of names.sort()) {
        if (name === "" && own === ".git") {
          git = true;
          continue;
        }
        if (own === ".git") note(`${name}/.git: goes into the image: the builder removes the one at the top only`);
        entries++;
        if (entries > maxEntries) throw usage(`${folder}: more than ${maxEntries} files`, "name the model's folder");
        await visit(join(path, own), name === "" ? own : `${name}/${own}`);
      }
    } else if (stat.isFile()) {
      sizeBytes += stat.size;
      if (mode !== 0o644 && mode !== 0o755)
        note(`${name}: mode ${octal(mode)}, a checkout with umask 22 makes 644 or 755`);
      if (stat.nlink > 1) note(`${name}: has ${stat.nlink} hard links, which may change the image's layout`);
    } else if (!stat.isSymbolicLink()) note(`${name}: neither a file, a folder nor a link: no checkout makes that`);
  };
  await visit(folder, "");
  return { entries, sizeBytes, git, problems, problemCount };
}
