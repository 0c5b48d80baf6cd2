/**
 * What the DCAP verifiers may ask Intel's Provisioning Certification Service, version 4, for (spec notes tdx.md 8): paths,
 * never a host. A PCCS and a mirror answer the same paths.
 */
import { hex } from "../bytes/hex.ts";
import { PmError } from "../errors.ts";
import type { Request } from "../run.ts";

export type Tee = "sgx" | "tdx";
/** The CA that issued a PCK certificate: "Intel SGX PCK Platform CA" or "Intel SGX PCK Processor CA". */
export type PckCa = "platform" | "processor";

/** Which of the documents in force. Absent: the service's standard one. */
export interface Selection {
  /** `early`: the newest TCB evaluation data number as soon as it is out; `standard` follows later. */
  readonly update?: "early" | "standard";
}

const service = "intel-pcs";
const mebibyte = 1024 * 1024;

/** TCB info of one FMSPC (6 bytes, or 12 hex digits in either case). */
export function tcbInfoRequest(tee: Tee, fmspc: Uint8Array | string, selection: Selection = {}): Request {
  const digits = (typeof fmspc === "string" ? fmspc : hex(fmspc)).toLowerCase();
  if (!/^[0-9a-f]{12}$/.test(digits)) throw new PmError("PM_BUG", "an FMSPC is 6 bytes");
  const query = [`fmspc=${digits}`, ...selected(selection)].join("&");
  return { service, path: `/${tee}/certification/v4/tcb?${query}`, maxBytes: mebibyte };
}

/** Identity of the quoting enclave: TD_QE for `tdx`, QE for `sgx`. */
export function qeIdentityRequest(tee: Tee, selection: Selection = {}): Request {
  const query = selected(selection).map((term) => `?${term}`);
  return { service, path: `/${tee}/certification/v4/qe/identity${query.join("")}`, maxBytes: mebibyte };
}

/** The CRL of the CA that issued the PCK certificate; the same path for both TEEs. */
export const pckCrlRequest = (ca: PckCa): Request => ({
  service,
  path: `/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`,
  maxBytes: 4 * mebibyte,
});

/** The root CA's CRL, by the path of its distribution point. A PCCS has it under another path, and the source knows that. */
export const rootCrlRequest: Request = { service, path: "/IntelSGXRootCA.der", maxBytes: mebibyte };

/**
 * The issuer under which the high-water mark of an answer is kept (sources/memory.ts). `number` of the mark is the TCB
 * evaluation data number or the CRL number, `thisUpdate` the issueDate or thisUpdate. Early and standard documents have
 * marks apart: a standard one of today is older than an early one of yesterday, and genuine.
 */
export const markName = (request: Request): string => `${service} ${request.path}`;

const selected = ({ update }: Selection): string[] => (update === undefined ? [] : [`update=${update}`]);
