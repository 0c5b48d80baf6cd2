/** `pm manifest admit`: one piece of evidence against one manifest, as the Coordinator sees it and stricter. */
import { admit } from "../chain/admit.ts";
import { type CollateralValues, collateralSettings } from "../flags.ts";
import { readInput } from "../input.ts";
import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { run } from "../run.ts";
import { loadCollateral } from "../sources/collateral.ts";
import { readPolicyFolder } from "../sources/policy-folder.ts";
import { rfc } from "../time.ts";
import { manifestRules } from "../verifiers/contrast/rules.ts";
import { testRootRelaxations, vendorSource } from "./vendor.ts";

/** Flags of `pm manifest admit` as parsed. */
export interface AdmitFlags extends CollateralValues {
  readonly evidence: string;
  readonly manifest: string;
  readonly policies?: string | undefined;
  readonly "contrast-version"?: string | undefined;
}
export interface AdmitRun {
  readonly toolVersion: string;
  /** The wall clock. */
  readonly now: Date;
  /** Takes warnings for stderr. */
  readonly notice: (text: string) => void;
}

const maxEvidenceBytes = 4 * 1024 * 1024;

/** @throws PmError PM_USAGE for files and values that cannot be used; what is wrong with the evidence is in the report */
export async function admitEvidence(flags: AdmitFlags, { toolVersion, now, notice }: AdmitRun): Promise<Report> {
  const rules = manifestRules(flags["contrast-version"]);
  const settings = await collateralSettings(flags);
  const collateral = settings.collateral === undefined ? undefined : await loadCollateral(settings.collateral);
  const policies = flags.policies === undefined ? undefined : await readPolicyFolder(flags.policies);
  const manifest = await readInput(flags.manifest, "a Contrast manifest");
  const evidence = await readInput(flags.evidence, "SNP or TDX evidence", maxEvidenceBytes);
  const at = settings.at ?? now;
  const source = vendorSource(settings, notice, collateral === undefined ? {} : { collateral });
  const { testRoot } = settings;
  const input = { evidence: evidence.bytes, manifest, rules, policies, ...(testRoot && { testRoot }) };
  const { result } = await run((look) => admit(input, look, at), source);
  return composeReport({
    audited: result,
    target: `${evidence.name} into the mesh of ${manifest.name}, rules of Contrast ${rules.version}`,
    scope: "admission",
    judgedAt: rfc(at),
    capturedAt: null,
    freshness: "not asked: REPORT_DATA answers a handshake that is not at hand",
    profileSha256: null,
    bundleSha256: null,
    relaxations: testRootRelaxations(settings),
    rules: { waivers: [], promoted: new Set(), now },
    toolVersion,
  });
}
