/** An evidence bundle as `pm inspect` shows it: which question got which answer. Times are the capturer's word. */
import { createHash } from "node:crypto";
import type { Json } from "../report/report.ts";
import type { Index } from "../sources/bundle-index.ts";
import type { Bundle } from "../sources/bundle-read.ts";

const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The index alone: its blobs lie elsewhere and were not compared with it. */
export const indexFacts = (index: Index): Json => ({
  capturedAt: index.capturedAt,
  entries: index.entries.map(({ ...entry }) => entry as { readonly [name: string]: Json }),
  measured: index.measured.map(({ ...fact }) => fact as { readonly [name: string]: Json }),
});

/** The whole bundle; each blob has the SHA-256 that the index says. */
export const bundleFacts = (bundle: Bundle): Json => ({
  capturedAt: bundle.capturedAt,
  indexSha256: bundle.sha256,
  entries: bundle.exchanges.map(({ request, response }) => ({
    service: request.service,
    path: request.path,
    post: request.post ?? null,
    status: response.status,
    ...(response.status === "ok"
      ? { at: response.at, size: response.bytes.length, sha256: sha256Hex(response.bytes) }
      : { reason: response.reason }),
  })),
  measured: bundle.measured.map(({ ...fact }) => fact as { readonly [name: string]: Json }),
});
