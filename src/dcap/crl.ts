/** Intel's two revocation lists (spec notes tdx.md 3, step 3): of the root CA and of the CA that issued the PCK certificate. */
import { createHash } from "node:crypto";
import { fromHex } from "../bytes/hex.ts";
import type { Certificate } from "../crypto/certificate.ts";
import { type Crl, crlProblems, decodeCrl, serialKey } from "../crypto/crl.ts";
import { malformed, PmError } from "../errors.ts";
import { intelAlgorithms } from "./chain.ts";

export interface JudgedCrl {
  /** There when it could be decoded. */
  readonly crl?: Crl;
  /** No list, of another issuer, not signed by it, or with something that must not be ignored. */
  readonly invalid?: string;
  readonly notYetValid?: string;
  readonly expired?: string;
}

const known = new Map<string, Crl>();
const kept = 16;
const maxBytes = 4 << 20;

/**
 * DER, hex of DER (PCCS, collateral version 3.0) or PEM (the service's default), told apart by their bytes. Decoded once a
 * process, by content.
 * @throws PmError PM_EVIDENCE_MALFORMED
 */
export function decodeIntelCrl(bytes: Uint8Array, what: string): Crl {
  if (bytes.length > maxBytes) throw malformed(`${what}: ${bytes.length} bytes, at most ${maxBytes}`);
  const key = createHash("sha256").update(bytes).digest("base64");
  const crl = known.get(key) ?? decodeCrl(unwrapped(bytes, what), what);
  if (known.size >= kept && !known.has(key)) known.clear();
  known.set(key, crl);
  return crl;
}

/** DER begins with 30 82, which as text is "0" and no hex digit; a NUL or a line end after the text is how files carry it. */
function unwrapped(bytes: Uint8Array, what: string): Uint8Array {
  let end = bytes.length;
  while (end > 0 && [0x00, 0x0a, 0x0d, 0x20].includes(bytes[end - 1] ?? 1)) end--;
  const text = Buffer.from(bytes.subarray(0, end)).toString("latin1");
  if (/^[0-9a-fA-F]{2,}$/.test(text)) return fromHex(text, undefined, what);
  return text.startsWith("-----BEGIN") ? bytes.subarray(0, end) : bytes;
}

const authentic = new WeakMap<Crl, { readonly issuer: Certificate; readonly invalid: string | undefined }>();
/** Everything but dates, once a process for a list and its issuer. */
function invalidity(crl: Crl, issuer: Certificate): string | undefined {
  const before = authentic.get(crl);
  if (before?.issuer === issuer) return before.invalid;
  const dates: readonly string[] = ["expired", "not-yet-valid"];
  const problems = crlProblems(crl, issuer, crl.thisUpdate, intelAlgorithms).filter((p) => !dates.includes(p.rule));
  const invalid = problems.length === 0 ? undefined : problems.map((p) => p.message).join("; ");
  authentic.set(crl, { issuer, invalid });
  return invalid;
}

/** Both ends belong to the window; written so that an invalid Date lies in none. */
export function judgeCrl(bytes: Uint8Array, what: string, issuer: Certificate, at: Date): JudgedCrl {
  let crl: Crl;
  try {
    crl = decodeIntelCrl(bytes, what);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { invalid: error.message };
  }
  const invalid = invalidity(crl, issuer);
  const { thisUpdate, nextUpdate } = crl;
  return {
    crl,
    ...(invalid === undefined ? {} : { invalid }),
    ...(at.getTime() >= thisUpdate.getTime() ? {} : { notYetValid: `thisUpdate is ${thisUpdate.toISOString()}` }),
    ...(nextUpdate !== undefined && at.getTime() <= nextUpdate.getTime()
      ? {}
      : { expired: `nextUpdate is ${nextUpdate?.toISOString() ?? "missing"}` }),
  };
}

/** Serial numbers are compared as integers. An unauthentic list names nobody. */
export const names = ({ crl, invalid }: JudgedCrl, certificate: Certificate): boolean =>
  invalid === undefined && crl?.revoked.has(serialKey(certificate)) === true;
