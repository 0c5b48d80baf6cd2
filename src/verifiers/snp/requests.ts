/** What this verifier may ask AMD's key distribution service (57230 chapter 4) for: paths, never a host. */
import { hex } from "../../bytes/hex.ts";
import type { Request } from "../../run.ts";
import type { ProductLine, VekKind } from "./product.ts";
import type { SnpReport } from "./report.ts";
import { decodeTcb } from "./tcb.ts";

const folder = (kind: VekKind): string => (kind === "VLEK" ? "/vlek/v1" : "/vcek/v1");

/** The VCEK of this chip at REPORTED_TCB. A VLEK is handed out to its cloud provider only, so there is no such request. */
export function vcekRequest(report: SnpReport, line: ProductLine): Request {
  const tcb = decodeTcb(report.reportedTcb, line);
  const hwid = hex(line === "Turin" ? report.chipId.subarray(0, 8) : report.chipId);
  const fmc = tcb.fmc === undefined ? "" : `fmcSPL=${tcb.fmc}&`;
  const spl = `blSPL=${tcb.bootloader}&teeSPL=${tcb.tee}&snpSPL=${tcb.snp}&ucodeSPL=${tcb.microcode}`;
  return { service: "amd-kds", path: `/vcek/v1/${line}/${hwid}?${fmc}${spl}`, maxBytes: 16384 };
}

/** ASK and ARK, or ASVK and ARK, as PEM. */
export const chainRequest = (line: ProductLine, kind: VekKind): Request => ({
  service: "amd-kds",
  path: `${folder(kind)}/${line}/cert_chain`,
  maxBytes: 65536,
});

/** The line's CRL. The one for VLEK has a path of its own; whether it differs is not published, so both are asked. */
export const crlRequest = (line: ProductLine, kind: VekKind): Request => ({
  service: "amd-kds",
  path: `${folder(kind)}/${line}/crl`,
  maxBytes: 1 << 20,
});
