/** Answers about TDATTRIBUTES, XFAM, service domains and owner that need no reference value (tdx.md 5). */
import { allZero, hex } from "../../bytes/hex.ts";
import { type Answers, equal, graded, holds, type Sourced, specified } from "../../claims/answer.ts";
import { notGiven } from "../../claims/candidates.ts";
import {
  attributesText,
  bitSet,
  bitsOf,
  debugBit,
  halfCet,
  migratableBit,
  reservedMask,
  septVeDisableBit,
  u64,
  untrustedMask,
  xfamAllowed,
  xfamFixed1,
} from "./bits.ts";
import type { tdQuestions } from "./claims-td.ts";
import type { TdxReferences } from "./references.ts";
import { field, type TdxFacts } from "./stated.ts";

type TdAnswers = Answers<typeof tdQuestions>;
const abi = "348551";

export function tdAnswers({ td }: TdxFacts, want: TdxReferences): TdAnswers {
  const attributes = u64(td.tdAttributes);
  const shown = (text: string): Sourced => field(text, "TDATTRIBUTES", 120, 8);
  const untrusted = bitsOf(attributes & untrustedMask);
  const reserved = bitsOf(attributes & reservedMask);
  const bits = (list: readonly number[]): string => (list.length === 0 ? "none" : `bits ${list.join(", ")}`);
  const septVe = shown(bitSet(attributes, septVeDisableBit) ? "set" : "not set");
  return {
    "tdx.td.debug": equal(
      specified("not allowed", abi, "TDATTRIBUTES.DEBUG"),
      shown(bitSet(attributes, debugBit) ? "allowed" : "not allowed"),
      "TD_DEBUG",
    ),
    "tdx.td.untrusted": equal(specified("none", abi, "TDATTRIBUTES bits 1 to 7"), shown(bits(untrusted)), "TD_DEBUG"),
    "tdx.td.reserved": equal(
      specified("none", abi, "TDATTRIBUTES reserved bits"),
      shown(bits(reserved)),
      "TD_ATTRIBUTES_MISMATCH",
    ),
    "tdx.td.service": service(td, want),
    "tdx.td.xfam_fixed": xfamFixed(td.xfam),
    "tdx.td.sept_ve_disable":
      want.septVeDisable === undefined
        ? notGiven
        : equal({ ...want.septVeDisable, value: "set" }, septVe, "sept-ve-enabled"),
    "tdx.td.sept_ve": graded(
      equal(specified("set", abi, "TDATTRIBUTES.SEPT_VE_DISABLE"), septVe, "sept-ve-enabled"),
      "weaker",
    ),
    "tdx.td.owner_zero": graded(
      holds(
        allZero(td.mrOwner) && allZero(td.mrOwnerConfig),
        specified("zero", abi, "MROWNER, MROWNERCONFIG"),
        field(`MROWNER ${hex(td.mrOwner)}, MROWNERCONFIG ${hex(td.mrOwnerConfig)}`, "MROWNER, MROWNERCONFIG", 232, 96),
        "owner-not-zero",
      ),
      "unknown",
    ),
  };
}

/** A pinned MRSERVICETD allows that domain, and only that one; nothing allows MIGRATABLE. */
function service({ tdAttributes, mrServiceTd }: TdxFacts["td"], want: TdxReferences): TdAnswers["tdx.td.service"] {
  const migratable = bitSet(u64(tdAttributes), migratableBit);
  const bound = mrServiceTd === undefined || allZero(mrServiceTd) ? "" : hex(mrServiceTd);
  const problems = [
    ...(migratable ? ["MIGRATABLE is set"] : []),
    ...(bound !== "" && want.mrServiceTd?.value !== bound ? ["MRSERVICETD is not zero"] : []),
  ];
  const text = `MIGRATABLE ${migratable ? "1" : "0"}, MRSERVICETD ${mrServiceTd === undefined ? "not in this body" : bound || "zero"}`;
  const allowed = want.mrServiceTd;
  const rule = `MIGRATABLE 0, MRSERVICETD zero${want.mrServiceTd === undefined ? "" : ` or ${want.mrServiceTd.value}`}`;
  return holds(
    problems.length === 0,
    allowed === undefined ? specified(rule, abi, "TDATTRIBUTES.MIGRATABLE, MRSERVICETD") : { ...allowed, value: rule },
    field(text, "TDATTRIBUTES and MRSERVICETD", 120, 8),
    "SERVICE_TD_BOUND",
    problems.join("; "),
  );
}

function xfamFixed(bytes: Uint8Array): TdAnswers["tdx.td.xfam_fixed"] {
  const xfam = u64(bytes);
  const problems = [
    ...((xfam & xfamFixed1) === xfamFixed1 ? [] : ["bit 0 or 1 is not set"]),
    ...bitsOf(xfam & ~xfamAllowed).map((bit) => `bit ${bit} is not allowed`),
    ...(halfCet(xfam) ? ["only one of the CET bits 11 and 12 is set"] : []),
  ];
  return holds(
    problems.length === 0,
    specified("bits 0 and 1 set, none outside 0x6dbe7, CET (bits 11 and 12) both or none", abi, "XFAM"),
    field(hex(bytes), "XFAM", 128, 8),
    "XFAM_MISMATCH",
    problems.join("; "),
  );
}

export const attributesOf = (td: TdxFacts["td"]): string => attributesText(u64(td.tdAttributes));
