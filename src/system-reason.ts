/** Names of failed system calls; apart from input.ts, so that what every start loads needs no streams and no hashes. */

const system: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "a part of the path is not a directory",
};

/** Name of a failed system call in words. */
export const systemReason = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return system[code] ?? (error instanceof Error ? error.message : String(error));
};
