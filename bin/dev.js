#!/usr/bin/env node
// Runs the source as it is, with Node's type stripping: for work on pm itself.
process.exitCode = 70;
try {
  process.env.PM_COMMANDS = "src";
  await import("../src/main.ts");
} catch (error) {
  process.stderr.write(`pm: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
