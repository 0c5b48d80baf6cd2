/** veritysetup's own root hash of a disk, where the program is installed: a second implementation, not ours. */
import { join } from "node:path";
import { systemReason } from "../system-reason.ts";
import { absoluteFolders, onPath, runChild } from "./child.ts";
import { withPrivateFolder } from "./private-folder.ts";

export interface VeritysetupRoot {
  readonly file: string;
  /** Lower-case hex; or why it gave none. */
  readonly rootHash: string | { readonly reason: string };
}

const maxMs = 24 * 3600 * 1000;
const maxOutputBytes = 64 * 1024;

/**
 * Under Privatemode's parameters. The tree goes into a file of its own, which is thrown away: the image is only read.
 * @param image absolute
 * @returns undefined: no such program on PATH, or in the folders of administrators
 */
export async function veritysetupRoot(
  image: string,
  notice: (text: string) => void,
): Promise<VeritysetupRoot | undefined> {
  const file = (await onPath("veritysetup")) ?? (await onPath("veritysetup", "/usr/sbin:/sbin"));
  if (file === undefined) return undefined;
  return withPrivateFolder(async ({ path, outliveChild }) => {
    const hashes = join(path, "hashes");
    const parameters = ["--hash=sha256", "--format=1", "--data-block-size=4096", "--hash-block-size=4096", "--salt=00"];
    const running = runChild(
      file,
      ["format", "--uuid=00000000-0000-0000-0000-000000000000", ...parameters, image, hashes],
      {
        cwd: path,
        env: { PATH: absoluteFolders(process.env["PATH"] ?? "").join(":"), LC_ALL: "C" },
        maxBytes: maxOutputBytes,
        timeoutMs: maxMs,
      },
    );
    outliveChild();
    const result = await running.catch((error: unknown) => ({ reason: `cannot be started: ${systemReason(error)}` }));
    if ("reason" in result) return { file, rootHash: result };
    const { status, stdout, stderr } = result;
    const rootHash = /^Root hash:\s+([0-9a-f]{64})$/m.exec(Buffer.from(stdout).toString("utf8"))?.[1];
    return status === 0 && rootHash !== undefined
      ? { file, rootHash }
      : { file, rootHash: { reason: `gave no root hash, status ${status}: ${stderr.trim().slice(0, 300)}` } };
  }, notice);
}
