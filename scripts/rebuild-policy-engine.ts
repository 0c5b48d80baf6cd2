/**
 * Builds the policy engine again in a temporary folder and compares it with the pinned digest. Ends with 1 when the bytes
 * differ. Where cargo, the pinned toolchain or the crates cannot be had it says "not rebuilt" and ends with 0; with
 * `--require` that is an error, too. Anything that fails once the compiler runs is an error in any case.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { engineDigest } from "../src/measure/policy-engine/module.ts";

const crate = fileURLToPath(new URL("../reproducible/policy-engine", import.meta.url));
const target = "wasm32-unknown-unknown";
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), "pm-policy-engine-"));
process.exitCode = 1;
try {
  const copy = join(folder, "policy-engine");
  const inputs = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "build.sh", "src"];
  for (const name of inputs) cpSync(join(crate, name), join(copy, name), { recursive: true });
  const missing = whatIsMissing(copy);
  if (missing !== undefined) {
    say(`not rebuilt: ${missing}`);
    process.exitCode = process.argv.includes("--require") ? 1 : 0;
  } else rebuild(copy);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** undefined: nothing, it can be built. */
function whatIsMissing(cwd: string): string | undefined {
  const fails = (name: string, ...args: string[]): string | undefined => {
    const { error, status, stderr } = spawnSync(name, args, { cwd, encoding: "utf8" });
    if (error !== undefined) return `${name}: ${error.message}`;
    return status === 0 ? undefined : `${name} ${args.join(" ")}: ${stderr.trim().split("\n").at(-1) ?? status}`;
  };
  const wanted = /channel = "([\d.]+)"/.exec(readFileSync(join(cwd, "rust-toolchain.toml"), "utf8"))?.[1];
  const found = spawnSync("rustc", ["--version"], { cwd, encoding: "utf8" }).stdout ?? "";
  return (
    fails("cargo", "--version") ??
    fails("rustc", "--version") ??
    // A rustc without rustup does not read rust-toolchain.toml, and another compiler makes other bytes.
    (found.startsWith(`rustc ${wanted} `) ? undefined : `rustc ${wanted} is wanted, found ${found.trim()}`) ??
    fails("rustc", "--print", "target-libdir", "--target", target) ??
    (hasStandardLibrary(cwd) ? undefined : `the toolchain has no standard library for ${target}`) ??
    fails("cargo", "fetch", "--locked", "--target", target)
  );
}

function hasStandardLibrary(cwd: string): boolean {
  const { stdout } = spawnSync("rustc", ["--print", "target-libdir", "--target", target], { cwd, encoding: "utf8" });
  return existsSync(stdout.trim());
}

function rebuild(copy: string): void {
  const out = join(folder, "rebuilt.wasm");
  const { status } = spawnSync(join(copy, "build.sh"), [out], { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) {
    say(`the build failed with ${status}`);
    return;
  }
  const digest = createHash("sha256").update(readFileSync(out)).digest("hex");
  const same = digest === engineDigest;
  say(`${same ? "rebuilt, the same bytes" : "REBUILT, OTHER BYTES"}: expected ${engineDigest}, rebuilt ${digest}`);
  process.exitCode = same ? 0 : 1;
}
