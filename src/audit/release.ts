/** `pm verify --scope release`: what would run, before it runs; files only, and no socket. */
import { annotatedBodies, auditRelease } from "../chain/release.ts";
import { usage } from "../errors.ts";
import { readInput } from "../input.ts";
import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { rfc } from "../time.ts";
import { contentOf } from "./content.ts";
import { machineRelaxations } from "./plan.ts";
import { policyBodies } from "./policy-bodies.ts";
import type { Settings } from "./settings.ts";
import { measuredDisks, withDisks } from "./with-disks.ts";

/**
 * @param candidate path of the manifest that is to be set
 * @throws PmError PM_USAGE without a deployment file or a candidate manifest, and for files that cannot be used
 */
export async function verifyRelease(settings: Settings, candidate: string | undefined): Promise<Report> {
  const { profile } = settings;
  const { deployment, contrastVersion } = profile;
  if (deployment === undefined)
    throw usage("--scope release needs a deployment file", "add deployment.file to the profile");
  if (candidate === undefined) throw usage("--scope release needs the candidate manifest", "add --manifest FILE");
  const manifest = await readInput(candidate, "a Contrast manifest");
  const bodies =
    deployment.policies === undefined ? annotatedBodies(deployment.file) : await policyBodies(deployment.policies);
  const disks = measuredDisks(await withDisks(settings));
  const at = settings.at ?? settings.now;
  return composeReport({
    audited: auditRelease({ ...contentOf(profile, deployment, true, disks), manifest, contrastVersion, bodies }),
    target: settings.target,
    scope: "release",
    judgedAt: rfc(at),
    capturedAt: null,
    freshness: "not asked: files",
    profileSha256: profile.sha256,
    bundleSha256: null,
    relaxations: machineRelaxations(profile),
    rules: { waivers: profile.waivers, promoted: new Set(profile.promote), now: settings.now },
    toolVersion: settings.toolVersion,
  });
}
