/** One hash-chained line a run: whoever holds the last line can tell whether an earlier one was changed or taken out. */
import { createHash } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { PmError, usage } from "./errors.ts";
import type { Report } from "./report/report.ts";
import { systemReason } from "./system-reason.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
/** Predecessor of the first line. */
const none = "0".repeat(64);
const maxJournalBytes = 256 * 1024 * 1024;

/** SHA-256 of the last line (without its line end), or zeros for a new journal. */
async function lastLineSha256(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return none;
    throw usage(`${path}: ${systemReason(error)}`);
  }
  if (text === "") return none;
  if (text.length > maxJournalBytes)
    throw usage(`${path}: longer than ${maxJournalBytes} bytes`, "begin a new journal");
  if (!text.endsWith("\n"))
    throw usage(`${path}: the last line is not whole`, "the journal was cut off: mend it or begin a new one");
  let previous = none;
  for (const [index, line] of text.slice(0, -1).split("\n").entries()) {
    if (previousOf(line) !== previous)
      throw usage(
        `${path}:${index + 1}: the hash chain is broken here`,
        "a line was changed or taken out; begin a new journal",
      );
    previous = sha256(line);
  }
  return previous;
}

function previousOf(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "previous" in value ? String(value.previous) : undefined;
  } catch {
    return undefined; // not JSON: no link, so the chain is broken there
  }
}

/**
 * Checks the whole chain, then appends one line.
 * @throws PmError PM_USAGE when the file is no journal or its chain is broken; the file is then left as it was
 */
export async function appendJournal(path: string, report: Report, now: Date): Promise<void> {
  const previous = await lastLineSha256(path);
  const line = JSON.stringify({
    previous,
    at: now.toISOString(),
    target: report.target,
    judgedAt: report.judgedAt,
    verdict: report.verdict,
    verdictLine: report.verdictLine,
    profileSha256: report.profileSha256,
    bundleSha256: report.bundleSha256,
    reportSha256: sha256(JSON.stringify(report)),
  });
  try {
    await appendFile(path, `${line}\n`);
  } catch (error) {
    throw new PmError("PM_USAGE", `${path}: ${systemReason(error)}`);
  }
}
