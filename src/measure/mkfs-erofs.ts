/**
 * mkfs.erofs, driven as Privatemode's verity.sh drives it (privatemode-public v1.40.0, verity/verity.sh): all times 0, no
 * extended attributes, everything of root, no UUID. What it writes depends on names, content, modes and hard links of the
 * folder, and on its own version; and on SOURCE_DATE_EPOCH, which it does not get to see.
 */
import { resolve } from "node:path";
import { PmError, usage } from "../errors.ts";
import { systemReason } from "../system-reason.ts";
import { absoluteFolders, type ChildResult, onPath, runChild } from "./child.ts";
import { measureFile } from "./files.ts";

export interface MkfsErofs {
  /** Where it was found. */
  readonly file: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** By its own word, such as 1.8.10. */
  readonly version: string;
  /** @throws PmError PM_SOURCE_REFUSED when it ends with anything but 0 */
  write(
    image: string,
    folder: string,
    options: { readonly withoutGit: boolean },
  ): Promise<{ readonly args: readonly string[] }>;
}

/** The builder's, and the block size that is the default where it runs: mkfs.erofs takes the machine's page size. */
const flags = ["-b4096", "-T0", "-x-1", "--all-root", "-U00000000-0000-0000-0000-000000000000"];
const maxVersionMs = 30_000;
/** Hundreds of gigabytes over a slow disk. */
const maxWriteMs = 24 * 3600 * 1000;
const maxOutputBytes = 1024 * 1024;

/** `mkfs.erofs 1.5` up to 1.7, `mkfs.erofs (erofs-utils) 1.8.6` since; further words would name a build that nobody measured. */
const versionLine = /^mkfs\.erofs (?:\(erofs-utils\) )?(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)$/;

/**
 * @param named undefined: the program mkfs.erofs on PATH
 * @throws PmError PM_USAGE when there is none, and for versions that make other images
 */
export async function findMkfsErofs(named: string | undefined): Promise<MkfsErofs> {
  const file = named === undefined ? await onPath("mkfs.erofs") : resolve(named);
  if (file === undefined)
    throw usage("no program mkfs.erofs on PATH", "install erofs-utils 1.8 or later, or name the program with --mkfs");
  const { sha256 } = await measureFile(file, "mkfs.erofs");
  const version = versionOf(file, await run(file, ["-V"], maxVersionMs));
  return {
    file,
    sha256,
    version,
    write: async (image, folder, { withoutGit }) => {
      const args = ["--quiet", ...flags, ...(withoutGit ? ["--exclude-path=.git"] : [])];
      ended(file, await run(file, [...args, image, folder], maxWriteMs));
      return { args };
    },
  };
}

function versionOf(file: string, { stdout }: ChildResult): string {
  // 1.5 knows no -V: it says its name and version, and ends with 1.
  const line = Buffer.from(stdout).toString("utf8").split("\n", 1)[0] ?? "";
  const version = versionLine.exec(line.trimEnd())?.[1];
  if (version === undefined)
    throw usage(
      `${file}: says no version that pm knows: ${JSON.stringify(line.slice(0, 80))}`,
      "name erofs-utils' own mkfs.erofs",
    );
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 1 || (major === 1 && minor < 8))
    throw usage(
      `${file}: version ${version} lays images out in another way`,
      "a rebuild needs erofs-utils 1.8 or later; content alone can be compared with pm disk verify",
    );
  return version;
}

/** None of the caller's own: SOURCE_DATE_EPOCH goes before -T0 (measured with 1.8.6: it becomes the superblock's epoch). */
const environment = (): Record<string, string> => ({
  PATH: absoluteFolders(process.env["PATH"] ?? "").join(":"),
  HOME: "/nonexistent",
  LC_ALL: "C",
});

async function run(file: string, args: readonly string[], timeoutMs: number): Promise<ChildResult> {
  const options = { cwd: "/", env: environment(), maxBytes: maxOutputBytes, timeoutMs };
  return runChild(file, args, options).catch((error: unknown) => {
    throw usage(`${file}: cannot be started: ${systemReason(error)}`, "name the program with --mkfs");
  });
}

function ended(file: string, { status, signal, stderr, timedOut, truncated }: ChildResult): void {
  if (status === 0 && !timedOut && !truncated) return;
  const how = timedOut ? "took too long" : truncated ? "wrote too much" : `ended with ${status ?? signal}`;
  const said = stderr.trim().split("\n").slice(-3).join(" | ").slice(0, 500);
  throw new PmError("PM_SOURCE_REFUSED", `${file}: ${how}${said === "" ? "" : `: ${said}`}`);
}
