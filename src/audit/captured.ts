/** What `pm capture` says: which questions were answered, and where the bundle is. It judges nothing. */

import { exitStatus } from "../claims/verdict.ts";
import type { Result } from "../command.ts";
import { safe } from "../report/text.ts";
import { type Exchange, keyOf } from "../run.ts";

export interface Captured {
  readonly sha256: string;
  readonly capturedAt: string;
  readonly exchanges: readonly Exchange[];
}

/** Complete: 0. Something was refused: 3. Something could not be reached, and trying again may help: 4. */
export function captured(path: string, { sha256, capturedAt, exchanges }: Captured): Result {
  const rows = exchanges.map(({ request, response }) => ({
    request: keyOf(request),
    status: response.status,
    ...(response.status === "ok" ? { sizeBytes: response.bytes.length } : { reason: response.reason }),
  }));
  const missing = rows.filter((r) => r.status !== "ok");
  const exitCode =
    missing.length === 0
      ? 0
      : missing.every((r) => r.status === "unavailable")
        ? exitStatus.unavailable
        : exitStatus.inconclusive;
  const line = `captured ${rows.length - missing.length} of ${rows.length} answers to ${path}`;
  return {
    exitCode,
    json: () =>
      `${JSON.stringify({ schemaVersion: 1, bundle: path, bundleSha256: sha256, capturedAt, exitCode, exchanges: rows }, null, 2)}\n`,
    text: () =>
      [
        ...rows.map((r) =>
          safe(`${r.status.padEnd(11)} ${r.request}${"reason" in r ? `: ${r.reason}` : `, ${r.sizeBytes} bytes`}`),
        ),
        `bundle SHA-256 ${sha256}, captured at ${capturedAt}; nothing was judged`,
        safe(line),
        "",
      ].join("\n"),
  };
}
