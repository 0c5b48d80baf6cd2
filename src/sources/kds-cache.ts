/**
 * The collateral cache: `vcek/<line>/<hwid>/<tcb>.der`, `vcek/<line>/cert_chain.pem`, `vcek/<line>/crl.der`, `vlek/…`.
 * It saves round trips and proves nothing: what comes out of it is verified at each use. Time of fetching = mtime.
 */
import { join } from "node:path";
import { decodeCertificate, decodeCertificates } from "../crypto/certificate.ts";
import { type Crl, decodeCrl } from "../crypto/crl.ts";
import { PmError } from "../errors.ts";
import { type LoadedFile, loadBounded } from "./files.ts";
import type { KdsItem } from "./kds-path.ts";

export function cachePath(dir: string, item: KdsItem): string {
  if (item.kind === "vcek") return join(dir, "vcek", item.line, item.hwid, `${item.tcb}.der`);
  return join(dir, item.family, item.line, item.kind === "crl" ? "crl.der" : "cert_chain.pem");
}

/** What the cache holds for the item; damaged files count as absent. */
export async function loadCached(dir: string, item: KdsItem, maxBytes: number): Promise<LoadedFile | undefined> {
  const file = await loadBounded(cachePath(dir, item), maxBytes);
  return file !== undefined && decodes(item, file.bytes) ? file : undefined;
}

/** Whether the bytes have the form that was asked for: an error page must not become a certificate in the cache. */
export function decodes(item: KdsItem, bytes: Uint8Array): boolean {
  if (item.kind === "crl") return crlOf(bytes) !== undefined;
  return wellFormed(() => (item.kind === "vcek" ? decodeCertificate(bytes) : decodeCertificates(bytes))) !== undefined;
}

/**
 * Whether CRL `a` is newer than `b` by its own thisUpdate, then by its number; undecodable is oldest. Signatures are the
 * verifier's business, so a forged date can at most put a forgery in front: the genuine one then comes as `offered`.
 * CRLs of different issuers have no order.
 */
export function newerCrl(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [crlOf(a), crlOf(b)];
  if (x === undefined || y === undefined) return x !== undefined;
  if (Buffer.compare(x.issuer.raw, y.issuer.raw) !== 0) return false;
  const later = x.thisUpdate.getTime() - y.thisUpdate.getTime();
  if (later !== 0) return later > 0;
  return x.number !== undefined && y.number !== undefined && x.number > y.number;
}

/** Past its nextUpdate at that time, or without one. */
export function outdatedCrl(bytes: Uint8Array, at: Date): boolean {
  const next = crlOf(bytes)?.nextUpdate;
  return next === undefined || next.getTime() <= at.getTime();
}

const crlOf = (bytes: Uint8Array): Crl | undefined => wellFormed(() => decodeCrl(bytes));

function wellFormed<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}
