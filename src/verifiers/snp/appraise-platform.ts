/** Answers about guest policy, platform state, VMPL, mitigation vectors and product line (56860 4.3 and 7.3). */
import { hexNumber } from "../../bytes/hex.ts";
import { type Answers, equal, graded, holds, type Sourced, specified } from "../../claims/answer.ts";
import { notGiven } from "../../claims/candidates.ts";
import {
  bitSet,
  debugBit,
  migrateMaBit,
  platformBits,
  platformText,
  policyAbi,
  policyBits,
  policyReservedOk,
  policyText,
  unknownPlatformBits,
} from "./bits.ts";
import type { platformQuestions } from "./claims-platform.ts";
import type { SnpReferences } from "./references.ts";
import type { SnpReport } from "./report.ts";
import { field, type SnpFacts } from "./stated.ts";

type PlatformAnswers = Answers<typeof platformQuestions>;
const policyAt = "0x008..0x00f";
const infoAt = "0x040..0x047";

export function platformAnswers(facts: SnpFacts, want: SnpReferences): PlatformAnswers {
  const { report } = facts;
  return {
    ...policyAnswers(report, want),
    "snp.policy.bits": guestPolicy(report, want),
    "snp.platform.info": platformInfo(facts, want),
    "snp.platform.bits_known": bitsKnown(facts),
    "snp.report.vmpl": equal(
      {
        value: `${want.vmpl.value}`,
        origin: want.vmpl.origin,
        ...(want.vmpl.at === undefined ? {} : { at: want.vmpl.at }),
      },
      field(report.vmpl === 0xffffffff ? "0xffffffff (requested by the host)" : `${report.vmpl}`, "0x030..0x033"),
      "vmpl",
    ),
    "snp.mitigation.vectors": mitigation(report, want),
    "snp.report.product":
      want.product === undefined
        ? notGiven
        : equal(
            { ...want.product.source, value: want.product.line },
            field(facts.line, report.cpuid === undefined ? "certificate issuer" : "0x188..0x189"),
            "product-mismatch",
          ),
  };
}

type PolicyId = "snp.policy.reserved" | "snp.policy.debug" | "snp.policy.migration" | "snp.policy.migration_agent";
function policyAnswers(report: SnpReport, want: SnpReferences): Pick<PlatformAnswers, PolicyId> {
  const { policy } = report;
  const whole = hexNumber(policy, 16);
  const agent = bitSet(policy, migrateMaBit) ? "allowed" : "not allowed";
  return {
    "snp.policy.reserved": holds(
      policyReservedOk(policy),
      specified("bit 17 one, bits 63:26 zero", "56860", "4.3"),
      field(whole, policyAt),
      "policy-reserved",
    ),
    "snp.policy.debug": equal(
      specified("not allowed", "56860", "4.3, DEBUG"),
      field(bitSet(policy, debugBit) ? "allowed" : "not allowed", `${policyAt} bit ${debugBit}`),
      "policy-debug",
    ),
    "snp.policy.migration": migration(agent, want),
    "snp.policy.migration_agent": graded(
      equal(
        specified("not allowed", "56860", "4.3, MIGRATE_MA"),
        field(agent, `${policyAt} bit ${migrateMaBit}`),
        "migration-agent",
      ),
      "weaker",
    ),
  };
}

function migration(agent: string, want: SnpReferences): PlatformAnswers["snp.policy.migration"] {
  const reference: { readonly allowed: boolean; readonly source: Sourced } | undefined =
    want.migrateMa ?? (want.guestPolicy && { allowed: want.guestPolicy.migrateMa, source: want.guestPolicy.source });
  const actual = field(agent, `${policyAt} bit ${migrateMaBit}`);
  if (reference?.allowed !== true)
    return equal(specified("not allowed", "56860", "4.3, MIGRATE_MA"), actual, "policy-migration");
  const expected = { ...reference.source, value: "allowed or not allowed" };
  return holds(expected.value.includes(actual.value), expected, actual, "policy-migration");
}

/** "allows" bits only where the reference has them; "restricts" bits wherever it has them; stricter than it is right. */
function guestPolicy({ policy }: SnpReport, want: SnpReferences): PlatformAnswers["snp.policy.bits"] {
  const reference = want.guestPolicy;
  if (reference === undefined) return notGiven;
  const abi = policyAbi(policy);
  const abiOk = abi.major > reference.abiMajor || (abi.major === reference.abiMajor && abi.minor >= reference.abiMinor);
  const wrong = policyBits.filter(({ bit, member, direction }) =>
    direction === "allows" ? bitSet(policy, bit) && !reference[member] : reference[member] && !bitSet(policy, bit),
  );
  const named = (direction: "allows" | "restricts"): string =>
    policyBits
      .filter((b) => b.direction === direction && reference[b.member])
      .map((b) => b.name)
      .join(" ") || "nothing";
  const reasons = [
    ...(abiOk ? [] : [`ABI ${abi.major}.${abi.minor} is below ${reference.abiMajor}.${reference.abiMinor}`]),
    ...wrong.map((b) => (b.direction === "allows" ? `${b.name} is not allowed` : `${b.name} is missing`)),
  ];
  return holds(
    abiOk && wrong.length === 0,
    {
      ...reference.source,
      value: `ABI at least ${reference.abiMajor}.${reference.abiMinor}; allows at most ${named("allows")}; restricts at least ${named("restricts")}`,
    },
    field(`${hexNumber(policy, 16)} (${policyText(policy)})`, policyAt),
    "policy-bits",
    reasons.join("; "),
  );
}

function platformInfo({ report, line }: SnpFacts, want: SnpReferences): PlatformAnswers["snp.platform.info"] {
  const reference = want.platformInfo;
  if (reference === undefined) return notGiven;
  const { platformInfo: info } = report;
  const unknown = unknownPlatformBits(info, line === "Turin");
  const wrong = platformBits.filter(({ bit, member, rule }) =>
    rule === "allowed" ? bitSet(info, bit) && !reference[member] : reference[member] && !bitSet(info, bit),
  );
  const named = (rule: "allowed" | "required"): string =>
    platformBits
      .filter((b) => b.rule === rule && reference[b.member])
      .map((b) => b.name)
      .join(" ") || "nothing";
  const reasons = [
    ...wrong.map((b) => (b.rule === "allowed" ? `${b.name} is not allowed` : `${b.name} is missing`)),
    ...(unknown === 0n ? [] : [`unknown bits ${hexNumber(unknown)}`]),
  ];
  return holds(
    wrong.length === 0 && unknown === 0n,
    { ...reference.source, value: `allowed ${named("allowed")}; required ${named("required")}; no unknown bit` },
    field(`${hexNumber(info, 16)} (${platformText(info)})`, infoAt),
    "platform-info",
    reasons.join("; "),
  );
}

function bitsKnown({ report, line }: SnpFacts): PlatformAnswers["snp.platform.bits_known"] {
  const unknown = unknownPlatformBits(report.platformInfo, line === "Turin");
  return graded(
    equal(
      specified("0x0", "56860", "7.3, PLATFORM_INFO: unknown bits"),
      field(hexNumber(unknown), infoAt),
      "platform-bits-unknown",
    ),
    "unknown",
  );
}

/** Bit masks: every demanded bit in both vectors, never a comparison as numbers. Before version 5 both are zero. */
function mitigation(report: SnpReport, want: SnpReferences): PlatformAnswers["snp.mitigation.vectors"] {
  const minimum = want.minimumMitigationVector;
  if (minimum === undefined) return notGiven;
  const { launchMitVector: launch, currentMitVector: current } = report;
  return holds(
    (launch & minimum.value) === minimum.value && (current & minimum.value) === minimum.value,
    { ...minimum.source, value: `every bit of ${hexNumber(minimum.value, 16)}` },
    field(`LAUNCH ${hexNumber(launch, 16)}, CURRENT ${hexNumber(current, 16)}`, "0x1f8..0x207"),
    "mitigation",
  );
}
