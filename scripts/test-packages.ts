/**
 * Debian packages whose programs some tests compare pm with: installed where that can be done (as root, with apt-get),
 * else named. Those tests skip with a notice, so this always ends with 0.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/** Package by program. Programs for administrators are not on everybody's path. */
const packages: Readonly<Record<string, string>> = { veritysetup: "cryptsetup-bin", "mkfs.erofs": "erofs-utils" };
const env = {
  ...process.env,
  PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
  DEBIAN_FRONTEND: "noninteractive",
};
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const runs = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { env, stdio: "ignore", timeout: 300_000 }).status === 0;
// Not all know --version: what counts is that there is something to start.
const missing = (): string[] =>
  Object.keys(packages).filter((program) => spawnSync(program, ["--version"], { env, stdio: "ignore" }).error);

/** @returns why nothing can be installed */
function obstacle(): string | undefined {
  if (values.check) return "--check installs nothing";
  if (process.getuid?.() !== 0) return "needs root";
  return runs("apt-get", "--version") ? undefined : "no apt-get here";
}

const before = missing();
const why = obstacle();
if (before.length > 0 && why === undefined) {
  const names = before.map((program) => packages[program] ?? program);
  const install = ["install", "--yes", "--no-install-recommends", ...names];
  // Lists may be there already; a mirror that does not answer is no reason to stop.
  if (!runs("apt-get", ...install) && runs("apt-get", "update")) runs("apt-get", ...install);
}
const after = missing();
for (const [program, name] of Object.entries(packages))
  say(
    !after.includes(program)
      ? `${program}: ${before.includes(program) ? `installed (${name})` : "there"}`
      : `not installed: ${name} (${program}): ${why ?? "apt-get could not install it"}; its tests skip`,
  );
