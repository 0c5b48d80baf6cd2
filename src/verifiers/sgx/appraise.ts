/** Compares what an authenticated enclave report says with reference values. Values are never padded, cut or masked unless a mask was given. */
import { hex } from "../../bytes/hex.ts";
import {
  type Answer,
  type Answers,
  type Authenticated,
  cannot,
  equal,
  holds,
  type Sourced,
  skip,
  specified,
} from "../../claims/answer.ts";
import { bestPin, notGiven } from "../../claims/candidates.ts";
import { enclaveDebug, type SgxReport } from "../../dcap/report-body.ts";
import type { enclaveQuestions, pins } from "./claims-enclave.ts";
import type { Numbered, SgxReferences } from "./references.ts";
import { field } from "./stated.ts";

type Enclave = Answers<typeof enclaveQuestions>;

export function appraiseEnclave(report: Authenticated<SgxReport>, want: SgxReferences): Enclave {
  const { isvProdId, minimumIsvSvn, configSvn, miscSelect } = want;
  return {
    "sgx.enclave.debug": debugAnswer(report),
    "sgx.enclave.mrenclave": compared(want.mrEnclave, report.mrEnclave, "MRENCLAVE, 64..95", "MRENCLAVE_MISMATCH"),
    "sgx.enclave.mrsigner": compared(want.mrSigner, report.mrSigner, "MRSIGNER, 128..159", "MRSIGNER_MISMATCH"),
    "sgx.enclave.isv_prod_id": sameNumber(isvProdId, report.isvProdId, "ISVPRODID, 256..257", "isv-prod-id-mismatch"),
    "sgx.enclave.isv_svn": atLeast(minimumIsvSvn, report.isvSvn, "ISVSVN, 258..259", "ISV_SVN_TOO_LOW"),
    "sgx.enclave.isv_ext_prod_id": compared(
      want.isvExtProdId,
      report.isvExtProdId,
      "ISVEXTPRODID, 32..47",
      "isv-ext-prod-id-mismatch",
    ),
    "sgx.enclave.isv_family_id": compared(
      want.isvFamilyId,
      report.isvFamilyId,
      "ISVFAMILYID, 304..319",
      "isv-family-id-mismatch",
    ),
    "sgx.enclave.config_id": compared(want.configId, report.configId, "CONFIGID, 192..255", "CONFIG_ID_MISMATCH"),
    "sgx.enclave.config_svn": sameNumber(configSvn, report.configSvn, "CONFIGSVN, 260..261", "config-svn-mismatch"),
    "sgx.enclave.attributes": attributesAnswer(report, want),
    "sgx.enclave.misc_select": sameNumber(miscSelect, report.miscSelect, "MISCSELECT, 16..19", "misc-select-mismatch"),
    "sgx.enclave.report_data": compared(
      want.reportData,
      report.reportData,
      "REPORTDATA, 320..383",
      "REPORT_DATA_MISMATCH",
    ),
  };
}

const compared = <const Code extends string>(
  expected: Sourced | undefined,
  actual: Uint8Array,
  at: string,
  code: Code,
): Answer<Code> => (expected === undefined ? notGiven : equal(expected, field(hex(actual), at), code));

const sourced = ({ value, ...source }: Numbered, text = String(value)): Sourced => ({ ...source, value: text });

const sameNumber = <const Code extends string>(
  expected: Numbered | undefined,
  actual: number,
  at: string,
  code: Code,
): Answer<Code> => (expected === undefined ? notGiven : equal(sourced(expected), field(String(actual), at), code));

const atLeast = <const Code extends string>(
  least: Numbered | undefined,
  actual: number,
  at: string,
  code: Code,
): Answer<Code> =>
  least === undefined
    ? notGiven
    : holds(actual >= least.value, sourced(least, `at least ${least.value}`), field(String(actual), at), code);

function debugAnswer(report: SgxReport): Enclave["sgx.enclave.debug"] {
  const open = enclaveDebug(report);
  return holds(
    !open,
    specified("DEBUG 0", "Intel SDM", "volume 3D, 38.7"),
    field(`DEBUG ${open ? 1 : 0} (${hex(report.attributes)})`, "ATTRIBUTES, 48..63"),
    "ENCLAVE_DEBUG",
  );
}

function attributesAnswer({ attributes }: SgxReport, want: SgxReferences): Enclave["sgx.enclave.attributes"] {
  if (want.attributes === undefined) return notGiven;
  const { value, mask, source } = want.attributes;
  if (value.length !== attributes.length || mask.length !== attributes.length)
    return cannot("expected attributes and mask are 16 bytes each");
  // A value with bits outside the mask would show something as compared that was not.
  if (value.some((b, i) => (b & ~(mask[i] ?? 0)) !== 0))
    return cannot("the expected attributes have bits outside the mask");
  if (mask.every((b) => b === 0)) return cannot("the mask of the attributes is zero: nothing would be compared");
  const masked = hex(attributes.map((b, i) => b & (mask[i] ?? 0)));
  return holds(
    masked === hex(value),
    { ...source, value: `${hex(value)} under mask ${hex(mask)}` },
    field(`${masked} under mask ${hex(mask)} (${hex(attributes)})`, "ATTRIBUTES, 48..63"),
    "attributes-mismatch",
  );
}

type Pins = Answers<typeof pins>;

/** MRENCLAVE is enough; MRSIGNER only with product id and minimum version, since an author signs many enclaves. */
export function pinAnswers(answers: Enclave, pinned: ReadonlySet<string>): Pins {
  const { "sgx.enclave.mrenclave": enclave, "sgx.enclave.report_data": reportData } = answers;
  const choices = [
    ...(pinned.has("sgx.enclave.mrenclave") ? [enclave] : []),
    ...(pinned.has("sgx.enclave.mrsigner") ? [signerGroup(answers, pinned)] : []),
  ];
  return {
    "sgx.pins.what_runs": bestPin<Pins["sgx.pins.what_runs"]>(choices),
    "sgx.pins.for_whom": bestPin<Pins["sgx.pins.for_whom"]>(pinned.has("sgx.enclave.report_data") ? [reportData] : []),
  };
}

/** The first of the three that is not a yes; MRSIGNER's own answer when all are. */
function signerGroup(answers: Enclave, pinned: ReadonlySet<string>): Pins["sgx.pins.what_runs"] {
  const { "sgx.enclave.mrsigner": signer, "sgx.enclave.isv_prod_id": product, "sgx.enclave.isv_svn": svn } = answers;
  const missing = [
    ...(pinned.has("sgx.enclave.isv_prod_id") ? [] : ["product id"]),
    ...(pinned.has("sgx.enclave.isv_svn") ? [] : ["minimum security version"]),
  ];
  const group = [signer, product, svn];
  const open = group.find((a) => a.status === "fail");
  if (open !== undefined) return open;
  if (missing.length > 0) return skip(`MRSIGNER was given without ${missing.join(" and ")}`, "signer-alone");
  return group.find((a) => a.status !== "pass") ?? signer;
}
