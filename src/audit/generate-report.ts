/** `pm manifest generate`: the report on a manifest made anew, and the file that it is written to. */
import { lstat, realpath } from "node:fs/promises";
import { usage } from "../errors.ts";
import { composeReport } from "../report/compose.ts";
import type { Json, Report } from "../report/report.ts";
import { errorCode, writeWhole } from "../sources/files.ts";
import { systemReason } from "../system-reason.ts";
import { rfc } from "../time.ts";
import { type RecomputeOptions, recomputeManifest, subject } from "./generate.ts";

export interface GenerateFlags {
  readonly saveTo: string | undefined;
  /** The file may be there already. */
  readonly force: boolean;
}
export interface GenerateRun {
  readonly options: RecomputeOptions;
  readonly flags: GenerateFlags;
  readonly at: Date;
  readonly toolVersion: string;
}

/** @throws PmError PM_USAGE as `recomputeManifest`, and for a place where the manifest cannot be written */
export async function generateManifest({ options, flags, at, toolVersion }: GenerateRun): Promise<Report> {
  if (flags.saveTo !== undefined) await writable(flags.saveTo, flags.force, options.deployment);
  const { judged, evidence, manifest, notProven: open } = await recomputeManifest(options);
  if (flags.saveTo !== undefined && manifest !== undefined) await save(flags.saveTo, manifest, options.notice);
  const writtenTo = manifest === undefined ? null : (flags.saveTo ?? null);
  return composeReport({
    audited: {
      judged: [judged],
      evidence: { [subject]: withPlace(evidence, writtenTo) },
      anchors: [],
      notProven: open,
    },
    target: options.deployment,
    scope: subject,
    judgedAt: rfc(at),
    capturedAt: null,
    freshness: "made in this run",
    profileSha256: null,
    bundleSha256: null,
    relaxations: [],
    rules: { waivers: [], promoted: new Set(), now: at },
    toolVersion,
  });
}

const withPlace = (evidence: Json, writtenTo: string | null): Json =>
  typeof evidence === "object" && evidence !== null && !Array.isArray(evidence) ? { ...evidence, writtenTo } : evidence;

/** Asked before the CLI runs for minutes. */
async function writable(path: string, force: boolean, deployment: string): Promise<void> {
  const status = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw usage(`${path}: ${systemReason(error)}`);
  });
  if (status === undefined) return;
  if (!status.isFile()) throw usage(`${path}: exists and is no regular file`, "name another file with --save");
  if (!force) throw usage(`${path}: exists`, "name another file with --save, or add --force");
  const same = await Promise.all([path, deployment].map((p) => realpath(p).catch(() => p)));
  if (same[0] === same[1]) throw usage(`${path}: is the deployment file`, "name another file with --save");
}

async function save(path: string, manifest: Uint8Array, notice: (text: string) => void): Promise<void> {
  try {
    await writeWhole(path, manifest);
  } catch (error) {
    throw usage(`${path}: cannot be written: ${systemReason(error)}`);
  }
  notice(`manifest written to ${path}`);
}
