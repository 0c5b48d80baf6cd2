/** `pm tdx verify`: one good run, made states with one thing wrong, and values that differ. */
import type { IntelCase } from "../../fixtures/generator/intel-edits.ts";
import {
  type IntelDraft,
  type IntelEvidence,
  intelDraft,
  makeIntelEvidence,
} from "../../fixtures/generator/intel-evidence.ts";
import { type IntelStateName, intelNow, intelStates } from "../../fixtures/generator/intel-states.ts";
import { written } from "../audit/intel-files.ts";
import { type Ran, runPm } from "../command.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const draftOf = (options: IntelCase["options"] = {}): IntelDraft => intelDraft("coverage of tdx", intelNow, options);

function tdx(evidence: IntelEvidence, args: readonly string[] = ["--authentic-only"]): Promise<Ran> {
  const { quote, flags } = written(evidence);
  return runPm([
    ...["tdx", "verify", quote, "--offline", "--json", "--at", flags.at],
    ...["--collateral", flags.collateral, "--insecure-trust-root", flags["insecure-trust-root"]],
    ...args,
  ]);
}
function state(name: IntelStateName): Promise<Ran> {
  const { edit, after, options }: IntelCase = intelStates[name];
  const made = makeIntelEvidence(edit(draftOf(options)));
  return tdx(after?.(made) ?? made);
}
const good = (args: readonly string[]): Promise<Ran> => tdx(makeIntelEvidence(draftOf()), args);
const { td, pck } = draftOf();
const other = (bytes: number): string => "ab".repeat(bytes);

/** Each shows the codes of the claims that are about it. */
export const tdxStateNames = [
  ...["truncated", "attestationKeyOffCurve", "version2", "keyTypeP384", "bodyType4", "innerType1", "teeTypeUnknown"],
  ...["otherVendor", "leafBadSignature", "foreignRoot", "noFmspc", "qeReportSignature", "keyBinding", "quoteSignature"],
  ...["trailingText", "leafNotYetValid", "leafExpired", "rootCrlSignedByOther", "rootCrlExpired", "rootCrlNotYetValid"],
  ...["rootCrlMissing", "pckCrlSignedByOther", "pckCrlExpired", "pckCrlNotYetValid", "pckCrlMissing"],
  ...["intermediateRevoked", "pckRevoked", "tcbSigningNotYetValid", "tcbSigningExpired", "tcbSigningRevoked"],
  ...["noLevels", "tcbInfoSignedByPlatformCa", "tcbInfoSpace", "tcbInfoNotYetValid", "tcbInfoExpired"],
  ...["tcbInfoOtherFmspc", "qeNoLevels", "tcbSigningOtherName", "qeIdentitySpace", "qeIdentityNotYetValid"],
  ...["qeIdentityExpired", "qeOtherSigner", "noTdxLevel", "unknownStatus", "levelRevoked", "platformOutOfDate"],
  ...["outOfDateConfigurationNeeded", "configurationNeeded", "swHardeningNeeded", "configurationAndSwHardeningNeeded"],
  ...["tdRelaunchAdvised", "tdRelaunchAdvisedConfigurationNeeded", "mrSignerSeam", "identitiesMissing"],
  ...["debug", "hgsProfiling", "reservedBit", "serviceTd", "xfamHalfCet"],
] as const satisfies readonly IntelStateName[];
type TdxStateRun = `TDX: ${(typeof tdxStateNames)[number]}`;
const stateRuns = Object.fromEntries(
  tdxStateNames.map((name) => [`TDX: ${name}`, () => state(name)] as const),
) as unknown as Readonly<Record<TdxStateRun, () => Promise<Ran>>>;

const registers = (values: readonly string[]): string[] => values.flatMap((value, i) => [`--rtmr${i}`, value]);

export const tdxRuns = {
  ...stateRuns,
  "trust domain as demanded": () =>
    good([
      ...["--mrtd", hex(td.mrTd), ...registers(td.rtmrs.map(hex)), "--mrseam", hex(td.mrSeam)],
      ...["--mrsignerseam", hex(td.mrSignerSeam), "--mrconfigid", hex(td.mrConfigId), "--mrowner", hex(td.mrOwner)],
      ...["--mrownerconfig", hex(td.mrOwnerConfig), "--td-attributes", hex(td.tdAttributes), "--xfam", hex(td.xfam)],
      ...["--report-data", hex(td.reportData), "--min-tee-tcb-svn", hex(td.teeTcbSvn), "--fmspc", hex(pck.sgx.fmspc)],
      ...["--min-tcb-evaluation", "1"],
    ]),
  "trust domain, every value another": () =>
    good([
      ...["--mrtd", other(48), ...registers(["", "", "", ""].map(() => other(48))), "--mrseam", other(48)],
      ...["--mrsignerseam", other(48), "--mrconfigid", other(48), "--mrowner", other(48), "--mrownerconfig", other(48)],
      ...["--td-attributes", other(8), "--xfam", other(8), "--report-data", other(64)],
      ...["--min-tee-tcb-svn", "ff".repeat(16), "--fmspc", other(6), "--min-tcb-evaluation", "999999"],
      ...["--mrservicetd", other(48)],
    ]),
  "trust domain of another configuration": () => good(["--mrconfigid", other(48)]),
  "trust domain with its service domain as demanded": () => {
    const draft = draftOf({ version: 5 });
    const mrServiceTd = Buffer.from(other(48), "hex");
    const bound = makeIntelEvidence({ ...draft, td: { ...draft.td, mrServiceTd } });
    return tdx(bound, ["--mrservicetd", other(48), "--authentic-only"]);
  },
  "trust domain with an owner and without SEPT_VE_DISABLE": () => {
    const draft = draftOf();
    const owned = { ...draft.td, mrOwner: Buffer.from(other(48), "hex"), tdAttributes: new Uint8Array(8) };
    return tdx(makeIntelEvidence({ ...draft, td: owned }));
  },
} as const;
