#!/usr/bin/env node
// The exit status comes first: a program that ends early must not read as verified.
process.exitCode = 70;

import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Called through the namespace: an older Node lacks it, and a static import would end with 1, which reads as "failed".
module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pm", "compile"));
try {
  const { main } = await import("../dist/main.js");
  await main(process.argv.slice(2), import.meta.url);
} catch (error) {
  process.stderr.write(`pm: ${error instanceof Error ? error.message : String(error)}\n`);
}
