/** `pm sgx verify`: one quote of an enclave, the reference values that flags give, and one verdict about the quote. */
import { hex } from "../bytes/hex.ts";
import type { Origin, Sourced } from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import { usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import type { Report } from "../report/report.ts";
import {
  pinnedBy,
  type SgxReferences,
  sgx,
  sgxAuthentic,
  verifySgx,
  withoutCollateral,
} from "../verifiers/sgx/index.ts";
import { parseAcceptTcb } from "./accept-tcb.ts";
import { auditQuote, type QuoteFlags, type QuoteRun } from "./quote.ts";

/** Flags of `pm sgx verify` as parsed. */
export interface SgxFlags extends QuoteFlags {
  readonly mrenclave?: string | undefined;
  readonly mrsigner?: string | undefined;
  readonly "isv-prod-id"?: number | undefined;
  readonly "min-isv-svn"?: number | undefined;
  readonly "config-id"?: string | undefined;
  readonly "config-svn"?: number | undefined;
  readonly "isv-ext-prod-id"?: string | undefined;
  readonly "isv-family-id"?: string | undefined;
  readonly attributes?: string | undefined;
  readonly "attributes-mask"?: string | undefined;
  readonly "misc-select"?: string | undefined;
}
const flagOrigin = (name: string): Origin => ({ kind: "flag", name });
const flagSource = (name: string, value = ""): Sourced => ({ value, origin: flagOrigin(name) });

/** Member, flag and length of the field in bytes. Values are never padded or cut. */
const hexPins = [
  ["mrEnclave", "mrenclave", 32],
  ["mrSigner", "mrsigner", 32],
  ["reportData", "report-data", 64],
  ["configId", "config-id", 64],
  ["isvExtProdId", "isv-ext-prod-id", 16],
  ["isvFamilyId", "isv-family-id", 16],
] as const satisfies readonly (readonly [keyof SgxReferences, keyof SgxFlags, number])[];
const numberPins = [
  ["isvProdId", "isv-prod-id"],
  ["minimumIsvSvn", "min-isv-svn"],
  ["configSvn", "config-svn"],
  ["minimumTcbEvaluation", "min-tcb-evaluation"],
] as const satisfies readonly (readonly [keyof SgxReferences, keyof SgxFlags])[];

/** @throws PmError PM_USAGE for a value of wrong length */
export function sgxReferences(flags: SgxFlags): SgxReferences {
  const hexes = hexPins.flatMap(([member, flag, length]) => {
    const text = flags[flag];
    return text === undefined
      ? []
      : [[member, flagSource(`--${flag}`, hex(hexFlag(text, length, `--${flag}`)))] as const];
  });
  const numbers = numberPins.flatMap(([member, flag]) => {
    const value = flags[flag];
    return value === undefined ? [] : [[member, { value, origin: flagOrigin(`--${flag}`) }] as const];
  });
  const misc = flags["misc-select"];
  return {
    ...Object.fromEntries([...hexes, ...numbers]),
    ...attributesOf(flags),
    ...(misc === undefined
      ? {}
      : {
          miscSelect: {
            value: Buffer.from(hexFlag(misc, 4, "--misc-select")).readUInt32BE(0),
            origin: flagOrigin("--misc-select"),
          },
        }),
  };
}

/** Without a mask all bits count. A value with bits that the mask leaves out would look compared and is not. */
function attributesOf(flags: SgxFlags): Pick<SgxReferences, "attributes"> {
  if (flags.attributes === undefined) return {};
  const value = hexFlag(flags.attributes, 16, "--attributes");
  const mask = hexFlag(flags["attributes-mask"] ?? "ff".repeat(16), 16, "--attributes-mask");
  if (value.some((b, i) => (b & ~(mask[i] ?? 0)) !== 0))
    throw usage("--attributes: bits outside --attributes-mask", "set them to 0, or widen the mask");
  if (mask.every((b) => b === 0)) throw usage("--attributes-mask: is zero", "nothing would be compared");
  return { attributes: { value, mask, source: flagSource("--attributes") } };
}

/** @throws PmError PM_USAGE for files and values that cannot be used; what is wrong with the evidence is in the report */
export async function auditSgx(path: string, flags: SgxFlags, asked: QuoteRun): Promise<Report> {
  const references = sgxReferences(flags);
  const accepted = parseAcceptTcb(flags["accept-tcb"]);
  const all = flags["authentic-only"] ? sgxAuthentic : sgx;
  const catalogue = flags["skip-collateral"] ? withoutCollateral(all) : all;
  const subject = { name: "quote", catalogue, pinned: pinnedBy(references) };
  return auditQuote(path, flags, asked, {
    article: "an SGX quote",
    scope: "sgx quote",
    verify(evidence, look, trust, at) {
      const { answers, ...verified } = verifySgx(evidence, look, [references], { ...trust, accepted }, at);
      return { judged: judge(subject, answers), evidence: verified.evidence, anchors: verified.anchors };
    },
    notProven: unproven,
  });
}

/** What no quote of an enclave can show. */
const unproven: readonly string[] = [
  "Software: what the measured enclave does, and that its source was reviewed.",
  "Configuration: what the enclave was given after its launch is outside MRENCLAVE; CONFIGID is chosen by whoever launches it.",
  "Machine: to whom the processor belongs and where it stands.",
  "Hardware: physical attacks, and processor keys that were extracted, are outside what evidence can show.",
];
