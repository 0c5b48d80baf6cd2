/**
 * The public key of a run's secret exchange as bytes that come through a source: drawn or given in a live run, read from
 * the record in a replay. Record: JSON `{"publicKey": base64 of 1216 bytes}`. No private key is recorded or kept.
 */
import { createHash } from "node:crypto";
import { fromBase64, hex } from "../bytes/hex.ts";
import { PmError } from "../errors.ts";
import type { Look, Request } from "../run.ts";

export const exchangeKeyRequest: Request = { service: "run", path: "/secret-exchange-key", maxBytes: 4096 };

/** MLKEM768-X25519: an encapsulation key of 1184 bytes and an X25519 key of 32. */
export const exchangeKeyBytes = 1216;

export const encodeExchangeKey = (publicKey: Uint8Array): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify({ publicKey: Buffer.from(publicKey).toString("base64") })}\n`);

/** Lower-case hex. */
export const exchangeKeySha256 = (publicKey: Uint8Array): string =>
  hex(createHash("sha256").update(publicKey).digest());

export type LookedKey =
  | { readonly publicKey: Uint8Array }
  | { readonly status: "unavailable" | "refused"; readonly reason: string };

/** The key of this run, or why there is none (yet). */
export function lookExchangeKey(look: Look): LookedKey {
  const answer = look(exchangeKeyRequest);
  if (answer.status !== "ok") return { status: answer.status, reason: `no public key: ${answer.reason}` };
  const publicKey = decodeExchangeKey(answer.bytes);
  return publicKey === undefined
    ? { status: "refused", reason: "the record of the public key is malformed" }
    : { publicKey };
}

/** Undefined for anything but the record above. */
function decodeExchangeKey(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value !== "object" || value === null || !("publicKey" in value)) return undefined;
    const { publicKey } = value;
    const key = typeof publicKey === "string" ? fromBase64(publicKey, "publicKey") : undefined;
    return key?.length === exchangeKeyBytes ? key : undefined;
  } catch (error) {
    if (error instanceof PmError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
