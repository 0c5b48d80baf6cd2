/** `pm snp verify`: one report, the reference values that flags and policy file give, and one verdict about the report. */
import { hex } from "../bytes/hex.ts";
import type { Origin, Sourced } from "../claims/answer.ts";
import { judge } from "../claims/subject.ts";
import { usage } from "../errors.ts";
import { type CollateralValues, collateralSettings, hexFlag } from "../flags.ts";
import { type Input, readInput } from "../input.ts";
import { composeReport } from "../report/compose.ts";
import type { Relaxation, Report } from "../report/report.ts";
import { run } from "../run.ts";
import { rfc } from "../time.ts";
import {
  amdRoots,
  noReferences,
  pinnedBy,
  type SnpReferences,
  snp,
  snpAuthentic,
  testRoot,
  uncheckedRevocation,
  verifySnp,
  withoutRevocation,
} from "../verifiers/snp/index.ts";
import { decodeSnpPolicy, parseMinimumTcb, type SnpPolicy } from "./snp-policy.ts";
import { testRootRelaxations, type VendorSettings, vendorSource } from "./vendor.ts";

/** Flags of `pm snp verify` as parsed. */
export interface SnpFlags extends CollateralValues {
  readonly vek?: string | undefined;
  readonly chain?: string | undefined;
  readonly crl?: string | undefined;
  readonly measurement?: string | undefined;
  readonly "report-data"?: string | undefined;
  readonly "host-data"?: string | undefined;
  readonly "id-key-digest"?: string | undefined;
  readonly "author-key-digest"?: string | undefined;
  readonly "family-id"?: string | undefined;
  readonly "image-id"?: string | undefined;
  readonly "chip-id"?: string | undefined;
  readonly "csp-id"?: string | undefined;
  readonly vmpl?: number | undefined;
  readonly "min-tcb"?: string | undefined;
  readonly "policy-file"?: string | undefined;
  readonly "authentic-only"?: boolean;
  readonly "allow-unchecked-revocation"?: boolean;
}
export interface SnpRun {
  readonly toolVersion: string;
  /** The wall clock. */
  readonly now: Date;
  /** Takes warnings for stderr. */
  readonly notice: (text: string) => void;
}

const maxFileBytes = 4 * 1024 * 1024;
const flagOrigin = (name: string): Origin => ({ kind: "flag", name });
const flagSource = (name: string, value = ""): Sourced => ({ value, origin: flagOrigin(name) });

/** The identity pins: member, flag and length of the field in bytes. Values are never padded or cut. */
const pinFlags = [
  ["measurement", "measurement", 48],
  ["reportData", "report-data", 64],
  ["hostData", "host-data", 32],
  ["idKeyDigest", "id-key-digest", 48],
  ["authorKeyDigest", "author-key-digest", 48],
  ["familyId", "family-id", 16],
  ["imageId", "image-id", 16],
] as const satisfies readonly (readonly [keyof SnpReferences, keyof SnpFlags, number])[];

/**
 * Reference values of flags and policy file together.
 * @throws PmError PM_USAGE for a value of wrong length, or one that both give
 */
export function referencesOf(flags: SnpFlags, policy: SnpPolicy): SnpReferences {
  const pins = pinFlags.flatMap(([member, flag, length]) => {
    const text = flags[flag];
    return text === undefined
      ? []
      : [[member, flagSource(`--${flag}`, hex(hexFlag(text, length, `--${flag}`)))] as const];
  });
  once(flags.vmpl, policy.vmpl, "--vmpl", "vmpl");
  once(flags["min-tcb"], policy.minimumTcb, "--min-tcb", "minimumTcb");
  once(flags["chip-id"], policy.allowedChipIds, "--chip-id", "allowedChipIds");
  const { vmpl, "min-tcb": minimum, "chip-id": chip, "csp-id": cspId } = flags;
  return {
    ...noReferences,
    ...policy,
    ...Object.fromEntries(pins),
    ...(vmpl === undefined ? {} : { vmpl: { value: vmpl, origin: flagOrigin("--vmpl") } }),
    ...(minimum === undefined ? {} : { minimumTcb: { ...parseMinimumTcb(minimum), source: flagSource("--min-tcb") } }),
    ...(cspId === undefined ? {} : { cspId: flagSource("--csp-id", cspId) }),
    ...(chip === undefined
      ? {}
      : { allowedChipIds: { values: [hex(hexFlag(chip, 64, "--chip-id"))], source: flagSource("--chip-id") } }),
  };
}

function once(flag: unknown, member: unknown, flagName: string, memberName: string): void {
  if (flag !== undefined && member !== undefined)
    throw usage(`${flagName} and ${memberName} of the policy file: one of them is enough, say which counts`);
}

/**
 * @throws PmError PM_USAGE for files and values that cannot be used; what is wrong with the evidence is in the report
 */
export async function auditSnp(path: string, flags: SnpFlags, { toolVersion, now, notice }: SnpRun): Promise<Report> {
  const policyPath = flags["policy-file"];
  const policyFile = policyPath === undefined ? undefined : await readInput(policyPath, "a policy file", maxFileBytes);
  const references = referencesOf(flags, policyFile === undefined ? {} : decodeSnpPolicy(policyFile));
  const settings = await collateralSettings(flags);
  const roots = settings.testRoot ? testRoot(settings.testRoot.bytes, settings.testRoot.file) : amdRoots;
  const given = await givenFiles(flags);
  const report = await readInput(path, "an SNP report", maxFileBytes);
  const at = settings.at ?? now;
  const allowed = flags["allow-unchecked-revocation"] === true;
  const source = vendorSource(settings, notice);
  const trust = { roots, revocation: allowed ? "allow-unchecked" : "required" } as const;
  const { result } = await run(
    (look) => verifySnp({ bytes: report.bytes, given }, look, [references], trust, at),
    source,
  );
  const catalogue = withoutRevocation(flags["authentic-only"] ? snpAuthentic : snp, result.answers);
  const subject = { name: "report", catalogue, pinned: pinnedBy(references) };
  return composeReport({
    audited: {
      judged: [judge(subject, result.answers)],
      evidence: { report: result.evidence },
      anchors: result.anchors,
      notProven: unproven,
    },
    target: report.name,
    scope: "snp report",
    judgedAt: rfc(at),
    capturedAt: null,
    freshness: freshness(flags),
    profileSha256: policyFile?.sha256 ?? null,
    bundleSha256: null,
    relaxations: relaxations(settings, flags, references, uncheckedRevocation(result.answers)),
    rules: { waivers: [], promoted: new Set(), now },
    toolVersion,
    authenticOnly: flags["authentic-only"],
  });
}

async function givenFiles(flags: SnpFlags) {
  const read = async (path: string | undefined, what: string): Promise<Input["bytes"] | undefined> =>
    path === undefined ? undefined : (await readInput(path, what, maxFileBytes)).bytes;
  const vek = await read(flags.vek, "a VCEK or VLEK certificate");
  const chain = await read(flags.chain, "a certificate chain");
  const crl = await read(flags.crl, "a revocation list");
  return { ...(vek && { vek }), ...(chain && { chain }), ...(crl && { crl }) };
}

const freshness = (flags: SnpFlags): string =>
  flags["report-data"] === undefined
    ? "not asked: a report says when it was made only through REPORT_DATA"
    : "as fresh as the value that --report-data expects";

function relaxations(
  settings: Pick<VendorSettings, "testRoot">,
  flags: SnpFlags,
  references: SnpReferences,
  unchecked: boolean,
): Relaxation[] {
  return [
    ...testRootRelaxations(settings),
    ...(flags["allow-unchecked-revocation"] === true
      ? [
          {
            name: "allow-unchecked-revocation",
            meaning: unchecked
              ? "no revocation list could be had, and none was demanded: a revoked key would not be noticed"
              : "a revocation list that cannot be had is not demanded; here one was at hand and counted",
          },
        ]
      : []),
    ...(references.migrateMa?.allowed === true
      ? [{ name: "allow-migration-agent", meaning: "the policy file allows a guest with a migration agent" }]
      : []),
  ];
}

/** What no SNP report can show. */
const unproven: readonly string[] = [
  "Software: what the measured image does, and that its source was reviewed.",
  "Launch: ACPI tables, devices and memory size are outside MEASUREMENT; the command line, kernel and initrd are in it only where the firmware enforces their hashes.",
  "Host data: HOST_DATA is chosen by the host and means something only inside a guest image that enforces it.",
  "Machine: to whom the chip belongs and where it stands.",
  "Hardware: physical attacks, and processor keys that were extracted, are outside what evidence can show.",
];
