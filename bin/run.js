#!/usr/bin/env node
// The exit status comes first: a program that ends early must not read as verified.
process.exitCode = 70;

import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const needed = 24;
if (Number(process.versions.node.split(".")[0]) < needed) await handOver();
else {
  // Called through the namespace: an older Node lacks it, and a static import would end with 1, which reads as "failed".
  module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pm", "compile"));
  try {
    const { main } = await import("../dist/main.js");
    await main(process.argv.slice(2), import.meta.url);
  } catch (error) {
    process.stderr.write(`pm: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** In a checkout the right Node lies beside the package; elsewhere the user has to bring it. */
async function handOver() {
  const { spawnSync } = await import("node:child_process");
  const { existsSync } = await import("node:fs");
  const { fileURLToPath } = await import("node:url");
  const beside = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  if (!existsSync(beside)) {
    process.stderr.write(`pm: needs Node ${needed} or newer, this is ${process.version}\n`);
    return;
  }
  const child = spawnSync(beside, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  process.exitCode = child.status ?? (child.signal === "SIGINT" ? 130 : 70);
}
