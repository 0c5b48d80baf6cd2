/** Trust anchor of SGX and TDX: Intel's SGX Root CA, or the certificate that a test put in its place. */
import { createHash } from "node:crypto";
import { fromBase64, hex } from "../bytes/hex.ts";
import type { Origin } from "../claims/answer.ts";
import { type Certificate, commonName, decodeCertificates } from "../crypto/certificate.ts";
import { PmError, usage } from "../errors.ts";

export interface IntelRoot {
  readonly name: string;
  /** The whole certificate, DER: pinned by its bytes, not by its key. */
  readonly certificate: Certificate;
  readonly sha256: string;
  /** Where the anchor comes from, for the report. */
  readonly source: string;
  /** Who says so, for expected values. */
  readonly origin: Origin;
}

export const rootName = "Intel SGX Root CA";
export const sha256 = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());

/** Serial 22650CD65A9D3489F383B49552BF501B392706AC, 2018-05-21 to 2049-12-31. */
const der = `
MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIwaDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3Qg
Q0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYT
AlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoM
EUludGVsIENvcnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYTAlVTMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi71OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxF
P2sJBK5zlKOBuzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJMEegRaBDhkFodHRwczovL2Nl
cnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInz
g7SVUr9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYIKoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9C
iSDcNoowLuPRLsWGf/Yi7GSX94BgwTwgAiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI=`;

/** SHA-256 of the DER. */
export const intelRootSha256 = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3";

let decoded: IntelRoot | undefined;
/** Intel's own; decoded once a process. @throws PmError PM_BUG when the constant is not what its digest says */
export function intelRoot(): IntelRoot {
  if (decoded !== undefined) return decoded;
  const bytes = fromBase64(der.replaceAll("\n", ""), rootName);
  const [certificate] = decodeCertificates(bytes, rootName);
  if (certificate === undefined || sha256(bytes) !== intelRootSha256)
    throw new PmError("PM_BUG", `${rootName}: the constant is not the pinned certificate`);
  decoded = {
    name: rootName,
    certificate,
    sha256: intelRootSha256,
    source: "Intel, https://certificates.trustedservices.intel.com/IntelSGXRootCA.der is its CRL",
    origin: { kind: "vendor-root", name: rootName },
  };
  return decoded;
}

/**
 * One certificate of somebody's choice in place of Intel's: for test rigs only, and named in every report.
 * @param certificate exactly one, DER or PEM, common name Intel SGX Root CA
 * @throws PmError PM_USAGE when it is not that
 */
export function intelTestRoot(certificate: Uint8Array, file: string): IntelRoot {
  const found = oneCertificate(certificate, file);
  if (commonName(found.subject) !== rootName) throw notARoot(file, `its common name is not ${rootName}`);
  return {
    name: rootName,
    certificate: found,
    sha256: sha256(found.raw),
    source: `test root from ${file}`,
    origin: { kind: "flag", name: `--insecure-trust-root ${file}` },
  };
}

const notARoot = (file: string, why: string): PmError =>
  usage(`${file}: no test root: ${why}`, `give one certificate whose common name is ${rootName}`);

function oneCertificate(bytes: Uint8Array, file: string): Certificate {
  try {
    const [found, ...more] = decodeCertificates(bytes, file);
    if (found !== undefined && more.length === 0) return found;
  } catch (error) {
    throw notARoot(file, error instanceof PmError ? error.message : "not a certificate");
  }
  throw notARoot(file, "more than one certificate");
}
