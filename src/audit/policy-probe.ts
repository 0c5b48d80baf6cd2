/** `pm policy probe`: policies out of files, asked what they permit in the engine that the guest uses. */
import { auditProbes, type ProbeSubject } from "../chain/probes.ts";
import { PmError, usage } from "../errors.ts";
import { type Input, maxDeploymentBytes, readInput } from "../input.ts";

import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { run } from "../run.ts";
import { rfc } from "../time.ts";
import { maxCarrierBytes } from "../verifiers/kata/carrier.ts";
import { decodeDeployment } from "../verifiers/kata/deployment.ts";
import { decodeAnnotation, decodeCarried, decodePolicyBody, type PolicyBody } from "../verifiers/kata/index.ts";
import { policyBodies } from "./policy-bodies.ts";
import { nobody, withPolicyEngine } from "./policy-engine.ts";

export interface ProbeQuestion {
  /** A policy in any form, a folder of bodies or a bundle; undefined: those of the deployment file. */
  readonly policy: string | undefined;
  /** A deployment file whose annotations hold policies. */
  readonly deployment: string | undefined;
  readonly now: Date;
  readonly toolVersion: string;
}

/** @throws PmError PM_USAGE for what cannot be read, or holds no policy */
export async function probePolicies(question: ProbeQuestion): Promise<Report> {
  const { target, subjects } = await probeSubjects(question);
  const { result } = await run((look) => auditProbes(subjects, look), withPolicyEngine(nobody));
  return composeReport({
    audited: {
      judged: result.judged,
      evidence: Object.fromEntries(
        subjects.map(({ name, body }) => [
          name,
          "why" in body ? { policy: null } : { kind: body.kind, digest: Buffer.from(body.digest).toString("hex") },
        ]),
      ),
      anchors: [],
      notProven: [...result.notProven, ...enforcement],
      probes: result.tables,
    },
    target,
    scope: "policy probes",
    judgedAt: rfc(question.now),
    capturedAt: null,
    freshness: "not asked: files",
    profileSha256: null,
    bundleSha256: null,
    relaxations: [],
    rules: { waivers: [], promoted: new Set(), now: question.now },
    toolVersion: question.toolVersion,
  });
}

const enforcement = [
  "Enforcement: that a guest runs under one of these policies is shown by its attestation alone: pm verify.",
];

/** Each policy under a name of its own. */
export async function probeSubjects({ policy, deployment }: Pick<ProbeQuestion, "policy" | "deployment">): Promise<{
  readonly target: string;
  readonly subjects: readonly ProbeSubject[];
}> {
  if ((policy === undefined) === (deployment === undefined))
    throw usage(
      "no policy to probe, or two sources of them",
      "name a POLICY file, folder or bundle, or give --deployment",
    );
  if (deployment !== undefined) {
    const file = await readInput(deployment, "a deployment file", maxDeploymentBytes);
    return { target: file.name, subjects: annotated(file) };
  }
  const path = policy ?? "-";
  const single = await singlePolicy(path);
  if (single !== undefined) return { target: path, subjects: [named(single)] };
  const bodies = (await policyBodies(path)).map(decodePolicyBody);
  const subjects = [...new Map(bodies.map((b) => [hexOf(b), named(b)])).values()];
  return { target: path, subjects };
}

const hexOf = (body: PolicyBody): string => Buffer.from(body.digest).toString("hex");
const named = (body: PolicyBody): ProbeSubject => ({ name: `policy ${hexOf(body)}`, body });

/** undefined: a folder, or a bundle in one file. @throws PmError for a file that holds no policy */
async function singlePolicy(path: string): Promise<PolicyBody | undefined> {
  if (path !== "-") {
    const { stat } = await import("node:fs/promises");
    if (
      await stat(path).then(
        (s) => s.isDirectory(),
        () => false,
      )
    )
      return undefined;
  }
  const { name, bytes } = await readInput(path, "a policy or a bundle");
  if (Buffer.from(bytes.subarray(257, 262)).toString("latin1") === "ustar") return undefined;
  if (bytes.length === 0)
    throw new PmError("PM_EVIDENCE_MALFORMED", `${name}: empty`, { hint: "check how the file was made" });
  if (bytes.length > maxCarrierBytes + 2) throw usage(`${name}: ${bytes.length} bytes, too long for a policy`);
  try {
    return decodeCarried(bytes).body;
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    throw new PmError(error.code, `${name}: ${error.message}`, {
      hint: "an initdata document, its annotation's base64 text, its block device image, the bare Rego text, or a bundle",
      cause: error,
    });
  }
}

/** Confidential workloads of the file; one without a policy is a subject all the same. */
function annotated({ bytes, name }: Input): ProbeSubject[] {
  const workloads = decodeDeployment(bytes, name).workloads.filter((w) => w.confidential);
  if (workloads.length === 0) throw usage(`${name}: no confidential workload in it`);
  return workloads.map(({ workloadSecretId, initdata }) => ({
    name: `workload ${workloadSecretId}`,
    body: bodyOf(initdata?.text),
  }));
}

function bodyOf(annotation: string | undefined): ProbeSubject["body"] {
  if (annotation === undefined)
    return { why: "the deployment file has no policy for it: contrast generate writes one" };
  try {
    return decodePolicyBody(decodeAnnotation(annotation));
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { why: error.message };
  }
}
