/** What a readable manifest permits: advisory answers, each "none" or a list of places. */

import type { Grade } from "../../claims/answer.ts";
import {
  type Answer,
  type Answers,
  broken,
  cannot,
  equal,
  graded,
  observed,
  skip,
  specified,
} from "../../claims/answer.ts";
import type { manifestFindings, manifestReading } from "./claims.ts";
import type { DecodedManifest, Manifest } from "./model.ts";
import { problemText, type Severity } from "./problems.ts";

/** Platforms of v1.18 to v1.20. */
export const platforms: readonly string[] = [
  "Metal-QEMU-SNP",
  "Metal-QEMU-SNP-GPU",
  "Metal-QEMU-TDX",
  "Metal-QEMU-TDX-GPU",
];

/** A finding: no place is named, or these are. */
function places<const Code extends string>(
  found: readonly string[],
  name: string,
  code: Code,
  grade: Grade,
): Answer<Code> {
  const actual = observed(found.join("; ") || "none", name, found[0]?.split(" ")[0] ?? "");
  return graded(equal(specified("none", "Contrast v1.20", "manifest"), actual, code), grade);
}

/** @param name of the manifest, for the origin of what was found */
export function findings(manifest: Manifest | undefined, name: string): Answers<typeof manifestFindings> {
  const none = skip("not asked: the manifest cannot be read in one way");
  if (manifest === undefined)
    return {
      "contrast.manifest.owner_keys": none,
      "contrast.manifest.seedshare_owners": none,
      "contrast.manifest.guest_policy": none,
      "contrast.manifest.chip_lists": none,
      "contrast.manifest.minimums": none,
      "contrast.manifest.platform": none,
      "contrast.manifest.products": none,
      "contrast.manifest.cpus": none,
      "contrast.manifest.coordinators": none,
    };
  const { snpEntries: snp, tdx } = manifest;
  const entries = [...snp, ...tdx];
  const owners = (keys: readonly string[], member: string): string[] => keys.map((key, i) => `/${member}/${i} ${key}`);
  const coordinators = manifest.policies.filter((p) => p.role === "coordinator");
  return {
    "contrast.manifest.owner_keys": places(
      owners(manifest.workloadOwners, "WorkloadOwnerPubKeys"),
      name,
      "owner-keys",
      "weaker",
    ),
    "contrast.manifest.seedshare_owners": places(
      owners(manifest.seedshareOwners, "SeedshareOwnerPubKeys"),
      name,
      "seedshare-owners",
      "weaker",
    ),
    "contrast.manifest.guest_policy": places(
      snp.filter((e) => e.guestPolicy?.cxlAllowed === true).map((e) => `${e.at}/GuestPolicy/CXLAllowed`),
      name,
      "guest-policy-lax",
      "weaker",
    ),
    "contrast.manifest.chip_lists": places(
      [
        ...snp.filter((e) => e.allowedChipIds.length === 0).map((e) => `${e.at}/AllowedChipIDs`),
        ...tdx.filter((e) => e.allowedPiids.length === 0).map((e) => `${e.at}/AllowedPIIDs`),
      ],
      name,
      "chip-list-empty",
      "weaker",
    ),
    "contrast.manifest.minimums": places(minimums(manifest), name, "tcb-minimum-low", "weaker"),
    "contrast.manifest.platform": places(
      entries
        .filter((e) => !platforms.includes(e.platform))
        .map((e) => `${e.at}/Platform ${e.platform === "" ? "absent" : JSON.stringify(e.platform)}`),
      name,
      "platform-unknown",
      entries.some((e) => /insecure/i.test(e.platform)) ? "weaker" : "unknown",
    ),
    "contrast.manifest.products": places(
      snp.filter((e) => e.productName === "Milan").map((e) => `${e.at}/ProductName Milan`),
      name,
      "product-old",
      "weaker",
    ),
    "contrast.manifest.cpus": places(
      snp.filter((e) => e.cpus === 0n).map((e) => `${e.at}/CPUs 0`),
      name,
      "cpus-zero",
      "unknown",
    ),
    "contrast.manifest.coordinators": places(
      coordinators.length > 1 ? coordinators.map((p) => p.at) : [],
      name,
      "coordinators-several",
      "weaker",
    ),
  };
}

/** TEE 0 is what the vendor's current releases have; the other parts and the mitigation vector at zero demand nothing. */
function minimums({ snpEntries: snp, tdx }: Manifest): string[] {
  return [
    ...snp.flatMap(({ at, minimumTcb: tcb, minimumMitigationVector }) => [
      ...(tcb.bootloader === 0 ? [`${at}/MinimumTCB/BootloaderVersion 0`] : []),
      ...(tcb.snp === 0 ? [`${at}/MinimumTCB/SNPVersion 0`] : []),
      ...(tcb.microcode === 0 ? [`${at}/MinimumTCB/MicrocodeVersion 0`] : []),
      ...(minimumMitigationVector === 0n ? [`${at}/MinimumMitigationVector 0`] : []),
    ]),
    ...tdx.filter((e) => e.minTcbEvaluationDataNumber === 0n).map((e) => `${e.at}/MinTCBEvaluationDataNumber unset`),
  ];
}

const unread = "not answered: the manifest is malformed";

/** Format, one reading only, validity; each problem is named, with pointer and line. */
export function reading(decoded: DecodedManifest, name: string): Answers<typeof manifestReading> {
  const of = (severity: Severity) => decoded.problems.filter((p) => p.severity === severity);
  const compared = <const Code extends string>(severity: Severity, code: Code): Answer<Code> => {
    const problems = of(severity);
    const at = problems[0] === undefined ? "/" : `${problems[0].at || "/"}, line ${problems[0].line}`;
    const expected = specified("none", `Contrast ${decoded.rules.version}`, `manifest, ${severity} fields`);
    return equal(expected, observed(problemText(problems), name, at), code);
  };
  const format = compared("malformed", "manifest-malformed");
  if (format.status !== "pass")
    return {
      "contrast.manifest.format": broken(problemText(of("malformed")), "manifest-malformed"),
      "contrast.manifest.unambiguous": cannot(unread),
      "contrast.manifest.valid": cannot(unread),
    };
  const [unsupported] = of("unsupported");
  const valid = compared("invalid", "manifest-invalid");
  const undecided =
    unsupported !== undefined
      ? cannot(`not answered: ${problemText(of("unsupported"))}`)
      : decoded.manifest === undefined
        ? cannot("not answered: the manifest can be read in more than one way")
        : undefined;
  return {
    "contrast.manifest.format": format,
    "contrast.manifest.unambiguous": compared("ambiguous", "manifest-ambiguous"),
    "contrast.manifest.valid": valid.status === "pass" ? (undecided ?? valid) : valid,
  };
}
