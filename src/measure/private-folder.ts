/** A folder that only this run knows, for programs that write where they stand; gone afterwards, however the run ends. */
import { rmSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface PrivateFolder {
  /** Absolute, without links. */
  readonly path: string;
  /** To be called after each start of a program: its end must come before the folder's, also when pm is interrupted. */
  readonly outliveChild: () => void;
}

/** A program that was just ended may still hold a file for a moment. */
const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const;

/**
 * @param notice takes a sentence when something could not be removed
 * @throws the system's error when no folder can be made; whatever `use` throws
 */
export async function withPrivateFolder<T>(
  use: (folder: PrivateFolder) => Promise<T>,
  notice: (text: string) => void,
): Promise<T> {
  // mkdtemp makes it 0700: nobody else can put a file beside the program's own.
  const path = await realpath(await mkdtemp(join(tmpdir(), "pm-generate-")));
  const remove = (): void => {
    try {
      rmSync(path, removal);
    } catch {
      // pm is about to end: nobody could be told any more.
    }
  };
  const outliveChild = (): void => {
    process.removeListener("exit", remove);
    process.once("exit", remove);
  };
  // A closed terminal would otherwise end pm without the handlers of its exit.
  const hangUp = (): void => process.exit(130);
  outliveChild();
  process.once("SIGHUP", hangUp);
  try {
    return await use({ path, outliveChild });
  } finally {
    process.removeListener("exit", remove);
    process.removeListener("SIGHUP", hangUp);
    await rm(path, removal).catch(() => notice(`the temporary folder ${path} could not be removed whole`));
  }
}
