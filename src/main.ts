/** Starts oclif and alone turns what was returned or thrown into output and the exit status (docs/exit-codes.md). */
import { rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { run } from "@oclif/core/run";
import { isPrinted, type Output, type Printed } from "./command.ts";
import { PmError } from "./errors.ts";
import { safe } from "./report/text.ts";
import { systemReason } from "./system-reason.ts";

/**
 * Runs one command line and sets `process.exitCode`, which must be 70 before.
 * @param root URL of a module inside the package, by which oclif finds package.json and the commands
 */
export async function main(argv: readonly string[], root: string): Promise<void> {
  // A closed pipe ends the output, not the judgement: the status that was reached is kept.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
  process.stderr.on("error", () => undefined);
  const json = wantsJson(argv);
  let ended = false;
  const end = (status: number, code: string, message: string): void => {
    if (!ended) printMessage(code, message, undefined, json);
    process.exit(status);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => end(130, "PM_INTERRUPTED", `interrupted by ${signal}`));
  // Node would end with 1, which reads as "failed".
  process.once("uncaughtException", (error) =>
    end(70, "PM_BUG", safe(String(error instanceof Error ? error.message : error))),
  );
  try {
    // A path: oclif takes a URL in here for a relative path, and would run code out of the working folder's package.json.
    const result: unknown = await run([...argv], { root: fileURLToPath(root), userPlugins: false, devPlugins: false });
    ended = true;
    if (isPrinted(result)) {
      process.exitCode = result.exitCode;
      await print(result);
    } else process.exitCode = 0;
  } catch (error) {
    ended = true;
    process.exitCode = exitCodeOf(error);
    if (process.exitCode !== 0) printError(error, json);
  }
}

/** Errors come before flags are parsed, so the words of the command line are looked at themselves. */
function wantsJson(argv: readonly string[]): boolean {
  const words = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  return words.some(
    (word, i) => word === "--json" || word === "--output=json" || (word === "json" && words[i - 1] === "--output"),
  );
}

async function print(result: Printed): Promise<void> {
  for (const output of result.outputs) {
    if (output.path === undefined) process.stdout.write(rendered(result, output, process.stdout));
    else await writeWhole(output.path, rendered(result, output));
  }
}

function rendered(result: Printed, output: Output, stream?: NodeJS.WriteStream): string {
  if (output.format === "json") return result.json();
  const width = Math.max(40, Math.min(stream?.columns ?? Number(process.env["COLUMNS"] || 100), 120));
  const color = stream?.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  return result.text({ width, color });
}

/** Written to a temporary name, then renamed: never half a report. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    throw new PmError("PM_USAGE", `${path}: cannot be written: ${systemReason(error)}`);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof PmError)
    return {
      PM_USAGE: 2,
      PM_EVIDENCE_MALFORMED: 1,
      PM_EVIDENCE_UNSUPPORTED: 3,
      PM_SOURCE_REFUSED: 3,
      PM_SOURCE_UNAVAILABLE: 4,
      PM_BUG: 70,
    }[error.code];
  const status = oclifExit(error);
  return status === 0 ? 0 : status === undefined || status === 1 ? 70 : 2;
}

/** oclif marks its own errors: 0 for help and version, 2 and 127 for bad usage. */
function oclifExit(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("oclif" in error)) return undefined;
  const { oclif } = error;
  return typeof oclif === "object" && oclif !== null && "exit" in oclif && typeof oclif.exit === "number"
    ? oclif.exit
    : undefined;
}

/** pm's own messages may quote evidence and stay on one line; oclif's are about the command line and have several. */
function errorText(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).trim();
  return error instanceof PmError ? safe(text) : text.split("\n").map(safe).join("\n");
}

function printError(error: unknown, json: boolean): void {
  const message = errorText(error);
  const code = error instanceof PmError ? error.code : process.exitCode === 2 ? "PM_USAGE" : "PM_BUG";
  printMessage(
    code,
    message,
    error instanceof PmError && error.hint !== undefined ? safe(error.hint) : undefined,
    json,
  );
  if (code === "PM_BUG" && error instanceof Error && process.env["PM_DEBUG"]) process.stderr.write(`${error.stack}\n`);
}

function printMessage(code: string, message: string, hint: string | undefined, json: boolean): void {
  if (json)
    process.stdout.write(
      `${JSON.stringify({ error: { code, message, ...(hint === undefined ? {} : { hint }) } }, null, 2)}\n`,
    );
  process.stderr.write(`pm: ${message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`);
}
