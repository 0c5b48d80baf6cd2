/** Compares what an authenticated quote says with reference values (tdx.md 5 and 6). */
import { hex } from "../../bytes/hex.ts";
import { type Answers, type Authenticated, cannot, holds, observed, type Sourced } from "../../claims/answer.ts";
import { bestPin, notGiven } from "../../claims/candidates.ts";
import { tdAnswers } from "./appraise-td.ts";
import { cetMask, halfCet, u64 } from "./bits.ts";
import type { pins } from "./claims.ts";
import type { identityQuestions, ownerQuestions, platformPinQuestions } from "./claims-pinned.ts";
import type { tdQuestions } from "./claims-td.ts";
import type { AnyOf, TdxReferences } from "./references.ts";
import { anyOf, compared, field, type TdxFacts } from "./stated.ts";

type PlatformAnswers = Answers<typeof platformPinQuestions>;
type IdentityAnswers = Answers<typeof identityQuestions>;
export type Appraisal = PlatformAnswers &
  Answers<typeof tdQuestions> &
  IdentityAnswers &
  Answers<typeof ownerQuestions>;

export const appraise = (facts: Authenticated<TdxFacts>, want: TdxReferences): Appraisal => ({
  ...platformAnswers(facts, want),
  ...tdAnswers(facts, want),
  ...identityAnswers(facts, want),
  ...ownerAnswers(facts, want),
});

const ofPck = (value: string, at: string): Sourced => observed(value, "PCK certificate", at);

function platformAnswers({ td, pck }: TdxFacts, want: TdxReferences): PlatformAnswers {
  return {
    "tdx.tcb.tee_svn": teeSvn(td.teeTcbSvn, want.minimumTeeTcbSvn),
    "tdx.pck.fmspc": compared(want.fmspc, ofPck(pck.fmspc, "FMSPC"), "fmspc-mismatch"),
    "tdx.pck.piid": piidAllowed(pck.piid, want),
    "tdx.pck.options": options(pck, want),
  };
}

/** Component by component; as one number a high first SVN would hide a low second one. */
function teeSvn(svns: Uint8Array, minimum: Sourced | undefined): PlatformAnswers["tdx.tcb.tee_svn"] {
  if (minimum === undefined) return notGiven;
  const wanted = [...Buffer.from(minimum.value, "hex")];
  if (wanted.length !== 16 || hex(Uint8Array.from(wanted)) !== minimum.value)
    return cannot("the minimum of TEE_TCB_SVN is not 16 bytes of hex");
  const low = wanted.flatMap((least, i) => ((svns[i] ?? -1) < least ? [`SVN ${i} is ${svns[i]}, needs ${least}`] : []));
  return holds(
    low.length === 0,
    { ...minimum, value: `each SVN at least that of ${minimum.value}` },
    field(hex(svns), "TEE_TCB_SVN", 0, 16),
    "tee-tcb-svn-minimum",
    low.join("; "),
  );
}

function piidAllowed(piid: string | undefined, { allowedPiids }: TdxReferences): PlatformAnswers["tdx.pck.piid"] {
  if (allowedPiids === undefined || allowedPiids.values.length === 0) return notGiven;
  const listed = piid !== undefined && allowedPiids.values.some((value) => value.toLowerCase() === piid);
  const expected = { ...allowedPiids.source, value: listed ? piid : `one of ${allowedPiids.values.join(", ")}` };
  return holds(listed, expected, ofPck(piid ?? "none", "platform instance id"), "PIID_NOT_ALLOWED");
}

const sgxTypes = ["standard", "scalable", "scalable with integrity"];

/** A certificate that does not state its configuration cannot show that something is off. */
function options({ sgxType, configuration }: TdxFacts["pck"], want: TdxReferences): PlatformAnswers["tdx.pck.options"] {
  const demanded = want.pckOptions;
  if (demanded === undefined) return notGiven;
  const wanted = [
    ...(demanded.memoryIntegrity ? ["SGX type 2"] : []),
    ...(demanded.smtDisabled ? ["SMT off"] : []),
    ...(demanded.staticPlatform ? ["static platform"] : []),
  ];
  // Nothing at all would pass on every platform.
  if (wanted.length === 0) return cannot("no option is demanded");
  const problems = [
    ...(demanded.memoryIntegrity && sgxType !== 2 ? ["memory is not integrity protected"] : []),
    ...(demanded.smtDisabled && configuration?.smtEnabled !== false ? ["SMT is not off"] : []),
    ...(demanded.staticPlatform && configuration?.dynamicPlatform !== false ? ["the platform is not static"] : []),
  ];
  const stated =
    configuration === undefined
      ? "configuration not stated"
      : `SMT ${configuration.smtEnabled ? "on" : "off"}, ${configuration.dynamicPlatform ? "dynamic" : "static"} platform`;
  return holds(
    problems.length === 0,
    { ...demanded.source, value: wanted.join(", ") },
    ofPck(`SGX type ${sgxType} (${sgxTypes[sgxType] ?? "unknown"}), ${stated}`, "SGX type, configuration"),
    "PCK_OPTIONS_MISMATCH",
    problems.join("; "),
  );
}

function identityAnswers({ td }: TdxFacts, want: TdxReferences): IdentityAnswers {
  return {
    "tdx.module.mrseam": anyOf(want.mrSeam, field(hex(td.mrSeam), "MRSEAM", 16, 48), "MRSEAM_MISMATCH"),
    "tdx.module.mrsignerseam": compared(
      want.mrSignerSeam,
      field(hex(td.mrSignerSeam), "MRSIGNERSEAM", 64, 48),
      "TDX_MODULE_MISMATCH",
    ),
    "tdx.td.mrtd": anyOf(want.mrTd, field(hex(td.mrTd), "MRTD", 136, 48), "MRTD_MISMATCH"),
    "tdx.td.rtmrs": rtmrs(td.rtmrs, want),
    "tdx.td.attributes": compared(
      want.tdAttributes,
      field(hex(td.tdAttributes), "TDATTRIBUTES", 120, 8),
      "TD_ATTRIBUTES_MISMATCH",
    ),
    "tdx.td.xfam": xfam(td.xfam, want),
  };
}

const listOf = (values: AnyOf | undefined): readonly Sourced[] | undefined =>
  values === undefined ? undefined : "value" in values ? [values] : values;

/** Those that were given, in one answer; the audited party's word for one of them makes the whole only consistent. */
function rtmrs(actual: TdxFacts["td"]["rtmrs"], want: TdxReferences): IdentityAnswers["tdx.td.rtmrs"] {
  const given = [want.rtmr0, want.rtmr1, want.rtmr2, want.rtmr3].flatMap((values, i) => {
    const list = listOf(values);
    return list === undefined ? [] : [{ i, list, value: hex(actual[i] ?? new Uint8Array()) }];
  });
  const sources = given.flatMap(({ list }) => list);
  const [first] = sources;
  if (first === undefined) return given.length === 0 ? notGiven : cannot("the list of reference values is empty");
  if (given.some(({ list }) => list.length === 0)) return cannot("the list of reference values is empty");
  const differing = given.filter(({ list, value }) => !list.some((s) => s.value === value));
  const expected = given.map(({ i, list, value }) => {
    const shown = list.find((s) => s.value === value)?.value ?? list.map((s) => s.value).join(" or ");
    return `RTMR${i} ${shown}`;
  });
  const weakest = sources.find((s) => s.origin.kind === "audited-party") ?? first;
  return holds(
    differing.length === 0,
    { ...weakest, value: expected.join(", ") },
    field(given.map(({ i, value }) => `RTMR${i} ${value}`).join(", "), "RTMR0 to RTMR3", 328, 192),
    "RTMR_MISMATCH",
    `${differing.map(({ i }) => `RTMR${i}`).join(", ")} differ`,
  );
}

/** Equality; a difference in both CET bits and nothing else is named, and allowed only by a named relaxation. */
function xfam(bytes: Uint8Array, { xfam: expected, cetDifference }: TdxReferences): IdentityAnswers["tdx.td.xfam"] {
  if (expected === undefined) return notGiven;
  if (!/^[0-9a-f]{16}$/.test(expected.value)) return cannot("the reference value of XFAM is not 8 bytes of hex");
  const [is, wanted] = [u64(bytes), u64(Buffer.from(expected.value, "hex"))];
  const onlyCet = is !== wanted && (is ^ wanted) === cetMask && !halfCet(is);
  const actual = field(hex(bytes), "XFAM", 128, 8);
  if (onlyCet && cetDifference !== undefined) {
    // What the audited party said stays its word.
    const source = expected.origin.kind === "audited-party" ? expected : cetDifference;
    const allowed = { ...source, value: `${expected.value}, CET (bits 11 and 12) both or none` };
    return holds(onlyCet, allowed, actual, "XFAM_MISMATCH");
  }
  const reason = onlyCet
    ? `CET (bits 11 and 12) is ${(is & cetMask) === 0n ? "off" : "on"}, expected ${(wanted & cetMask) === 0n ? "off" : "on"}; nothing else differs`
    : undefined;
  return holds(is === wanted, expected, actual, "XFAM_MISMATCH", reason);
}

function ownerAnswers({ td }: TdxFacts, want: TdxReferences): Answers<typeof ownerQuestions> {
  const serviceTd = field(
    td.mrServiceTd === undefined ? "not in this body" : hex(td.mrServiceTd),
    "MRSERVICETD",
    600,
    48,
  );
  return {
    "tdx.td.mrconfigid": anyOf(
      want.mrConfigId,
      field(hex(td.mrConfigId), "MRCONFIGID", 184, 48),
      "MRCONFIGID_MISMATCH",
    ),
    "tdx.td.mrowner": compared(want.mrOwner, field(hex(td.mrOwner), "MROWNER", 232, 48), "MROWNER_MISMATCH"),
    "tdx.td.mrownerconfig": compared(
      want.mrOwnerConfig,
      field(hex(td.mrOwnerConfig), "MROWNERCONFIG", 280, 48),
      "MROWNER_MISMATCH",
    ),
    "tdx.td.mrservicetd": compared(want.mrServiceTd, serviceTd, "SERVICE_TD_BOUND"),
    "tdx.td.report_data": compared(
      want.reportData,
      field(hex(td.reportData), "REPORTDATA", 520, 64),
      "REPORT_DATA_MISMATCH",
    ),
  };
}

type Pins = Answers<typeof pins>;

/** The best of the pinned answers of a group: `pass` before `consistent` before the rest. */
export function pinAnswers(answers: Appraisal, pinned: ReadonlySet<string>): Pins {
  const { "tdx.td.report_data": reportData, "tdx.td.mrconfigid": mrConfigId } = answers;
  const given = <A>(id: string, answer: A): A[] => (pinned.has(id) ? [answer] : []);
  return {
    "tdx.pins.what_runs": bestPin<Pins["tdx.pins.what_runs"]>(given("tdx.td.mrtd", answers["tdx.td.mrtd"])),
    "tdx.pins.for_whom": bestPin<Pins["tdx.pins.for_whom"]>([
      ...given("tdx.td.report_data", reportData),
      ...given("tdx.td.mrconfigid", mrConfigId),
    ]),
  };
}
