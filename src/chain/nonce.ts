/**
 * The nonce of a run as bytes that come through a source: drawn or given in a live run, read from the record in a replay.
 * Record: JSON `{"nonce": hex, "salt"?: hex, "beacon"?: text}`. With a beacon the nonce is
 * SHA-256("pm nonce 1\0" || salt (32 bytes) || beacon (UTF-8)), so that whoever knows the record can see that the
 * nonce, and so the report, is younger than the public value.
 */
import { createHash } from "node:crypto";
import { fromHex, hex } from "../bytes/hex.ts";
import { malformed } from "../errors.ts";
import type { Look, Request } from "../run.ts";

export const nonceRequest: Request = { service: "run", path: "/nonce", maxBytes: 4096 };

export interface Nonce {
  readonly bytes: Uint8Array;
  readonly salt?: Uint8Array;
  readonly beacon?: string;
}

export function beaconNonce(salt: Uint8Array, beacon: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update("pm nonce 1\0").update(salt).update(beacon, "utf8").digest());
}

export const encodeNonce = (nonce: Nonce): Uint8Array =>
  new TextEncoder().encode(
    `${JSON.stringify({
      nonce: hex(nonce.bytes),
      ...(nonce.salt === undefined ? {} : { salt: hex(nonce.salt) }),
      ...(nonce.beacon === undefined ? {} : { beacon: nonce.beacon }),
    })}\n`,
  );

/** @throws PmError PM_EVIDENCE_MALFORMED for anything but the record above */
function decodeNonce(bytes: Uint8Array): Nonce {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw malformed("nonce record: not JSON");
  }
  if (typeof value !== "object" || value === null || !("nonce" in value) || typeof value.nonce !== "string")
    throw malformed('nonce record: no member "nonce"');
  const nonce = fromHex(value.nonce, 32, "nonce record: nonce");
  if (!("beacon" in value)) return { bytes: nonce };
  if (typeof value.beacon !== "string" || !("salt" in value) || typeof value.salt !== "string")
    throw malformed("nonce record: a beacon needs a salt");
  return { bytes: nonce, salt: fromHex(value.salt, 32, "nonce record: salt"), beacon: value.beacon };
}

/** The nonce of this run, or undefined while it has not been fetched or when the record holds none. */
export function lookNonce(look: Look): Nonce | undefined {
  const answer = look(nonceRequest);
  return answer.status === "ok" ? decodeNonce(answer.bytes) : undefined;
}
