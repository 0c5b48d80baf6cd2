/** One workload of the deployment file against its policy: every answer that it and its containers owe. */
import {
  type Answer,
  type Answers,
  all,
  broken,
  cannot,
  equal,
  holds,
  type Sourced,
  skip,
} from "../../claims/answer.ts";
import { type Judged, judge } from "../../claims/subject.ts";
import { PmError } from "../../errors.ts";
import type { Json } from "../../report/report.ts";
import { decodePolicyBody, policyKey } from "./body.ts";
import { decodeAnnotation } from "./carrier.ts";
import type { kata } from "./claims.ts";
import type { Workload } from "./deployment.ts";
import { decodeInitdata, digestOf } from "./initdata.ts";
import { common, complete, format, rulesKnown, sandbox, single } from "./policy-checks.ts";
import { decodePolicyData, type PolicyData, splitPolicy } from "./policy-data.ts";
import { requestAnswers } from "./requests.ts";
import { deriveSans, sansAnswer } from "./sans.ts";
import { verifyPolicy } from "./verify.ts";
import { annotatedWorkload, workload as workloadCatalogue } from "./workload-claims.ts";
import { blockedContainers, containerSubjects } from "./workload-containers.ts";
import type { ManifestEntry, References } from "./workload-types.ts";

type A = Answers<typeof workloadCatalogue>;

export interface WorkloadJudgement {
  readonly judged: readonly Judged[];
  readonly evidence: { readonly [subject: string]: Json };
}

/**
 * @param entries all entries of the manifest
 * @param bodies policy bodies by the digest that they name themselves, lower-case hex
 */
export function verifyWorkload(
  workload: Workload,
  entries: readonly ManifestEntry[],
  bodies: ReadonlyMap<string, Uint8Array>,
  references: References,
): WorkloadJudgement {
  const name = `workload ${workload.workloadSecretId}`;
  const { initdata } = workload;
  const catalogue = initdata === undefined ? workloadCatalogue : annotatedWorkload;
  const subject = { name, catalogue, pinned: new Set<string>() };
  const own = entries.filter((e) => e.workloadSecretId === workload.workloadSecretId);
  const [entry] = own;
  const body = entry === undefined || own.length > 1 ? undefined : bodies.get(entry.key);
  const found = policyFound(workload, own, body, references);
  if (entry === undefined || body === undefined) {
    const rest = all(annotatedWorkload, skip("not asked: no single policy was found for the workload"));
    return {
      judged: [
        judge(subject, { ...rest, "kata.workload.policy_found": found }),
        ...containerSubjects(workload, undefined, references),
      ],
      evidence: { [name]: null },
    };
  }
  const key: Sourced = { value: entry.key, origin: references.manifest, at: entry.at };
  const initdataAnswers = verifyPolicy(body, key);
  const read = readPolicy(body);
  const answers: A = {
    ...initdataAnswers.answers,
    ...("data" in read ? policyAnswers(workload, read, references) : unreadAnswers(read, references)),
    "kata.workload.policy_found": found,
    "kata.workload.role": role(workload, entry, references),
    "kata.workload.sans": sans(workload, entry, references),
  };
  return {
    judged: [
      initdata === undefined
        ? judge({ ...subject, catalogue: workloadCatalogue }, answers)
        : judge(
            { ...subject, catalogue: annotatedWorkload },
            { ...answers, "kata.annotation.equal": annotation(initdata, entry, references) },
          ),
      ...containerSubjects(workload, "data" in read ? read.data : undefined, references),
    ],
    evidence: {
      [name]: { key: entry.key, runtimeClassName: workload.runtimeClassName, policy: initdataAnswers.evidence },
    },
  };
}

/** The subjects of a workload whose manifest or policies are not there to be looked at. */
export function blockedWorkload(workload: Workload, answer: Answer<never>): WorkloadJudgement {
  const name = `workload ${workload.workloadSecretId}`;
  const catalogue = workload.initdata === undefined ? workloadCatalogue : annotatedWorkload;
  return {
    judged: [
      judge({ name, catalogue, pinned: new Set<string>() }, all(annotatedWorkload, answer)),
      ...blockedContainers(workload, answer),
    ],
    evidence: { [name]: null },
  };
}

function policyFound(
  workload: Workload,
  own: readonly ManifestEntry[],
  body: Uint8Array | undefined,
  references: References,
): A["kata.workload.policy_found"] {
  const expected = { value: workload.workloadSecretId, origin: references.deployment, at: workload.where };
  const manifest = (value: string, at?: string): Sourced => ({
    value,
    origin: references.manifest,
    ...(at === undefined ? {} : { at }),
  });
  const [entry] = own;
  if (entry === undefined) return holds(false, expected, manifest("no entry", "/Policies"), "policy-missing");
  if (own.length > 1)
    return holds(
      own.length === 1,
      expected,
      manifest(`${own.length} entries`, own.map((e) => e.at).join(", ")),
      "policy-several",
    );
  if (body === undefined) return cannot(`no body with the digest ${entry.key} was given`, "body-not-at-hand");
  return equal(expected, manifest(entry.workloadSecretId, `${entry.at}/WorkloadSecretID`), "policy-missing");
}

function role(workload: Workload, entry: ManifestEntry, references: References): A["kata.workload.role"] {
  return equal(
    { value: workload.role || "no role", origin: references.deployment, at: workload.where },
    { value: entry.role || "no role", origin: references.manifest, at: `${entry.at}/Role` },
    "role-differs",
  );
}

function sans(workload: Workload, entry: ManifestEntry, references: References): A["kata.workload.sans"] {
  return sansAnswer(deriveSans(workload, references.sanEdits), entry.sans, {
    expected: { origin: references.deployment, at: workload.where },
    actual: { origin: references.manifest, at: `${entry.at}/SANs` },
  });
}

function annotation(
  initdata: NonNullable<Workload["initdata"]>,
  entry: ManifestEntry,
  { deployment, manifest }: References,
): Answers<typeof annotatedWorkload>["kata.annotation.equal"] {
  try {
    const document = decodeInitdata(decodeAnnotation(initdata.text));
    return equal(
      { value: entry.key, origin: manifest, at: entry.at },
      { value: Buffer.from(document.digest).toString("hex"), origin: deployment, at: initdata.where },
      "annotation-differs",
    );
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return broken(error.message, "annotation-malformed");
  }
}

type PolicyAnswers = Omit<
  A,
  keyof typeof kata | "kata.workload.policy_found" | "kata.workload.role" | "kata.workload.sans"
>;
interface ReadPolicy {
  readonly text: ReturnType<typeof splitPolicy>;
  readonly data: PolicyData;
}
interface UnreadPolicy {
  readonly text: ReturnType<typeof splitPolicy> | undefined;
  readonly format: A["kata.policy_data.format"];
}

/** Never throws for what is in the body. */
function readPolicy(body: Uint8Array): ReadPolicy | UnreadPolicy {
  let text: ReturnType<typeof splitPolicy> | undefined;
  try {
    const policy = decodePolicyBody(body).data.get(policyKey);
    if (policy === undefined) return { text, format: cannot("the body has no policy") };
    text = splitPolicy(policy);
    if (text.json === undefined)
      return { text, format: broken("no line begins with policy_data :=", "policy-data-malformed") };
    return { text, data: decodePolicyData(text.json) };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return {
      text,
      format: text === undefined ? cannot(error.message) : broken(error.message, "policy-data-malformed"),
    };
  }
}

const policyQuestions = Object.fromEntries(
  Object.entries(workloadCatalogue).filter(([id]) => /^kata\.(rules|policy_data|containers|requests)\./.test(id)),
) as Pick<typeof workloadCatalogue, keyof PolicyAnswers>;

function unreadAnswers({ text, format }: UnreadPolicy, references: References): PolicyAnswers {
  return {
    ...all(policyQuestions, cannot("not answered: policy_data could not be read")),
    ...(text === undefined
      ? {}
      : { "kata.rules.known": rulesKnown(text, references), "kata.policy_data.single": single(text) }),
    "kata.policy_data.format": format,
  };
}

function policyAnswers(workload: Workload, { text, data }: ReadPolicy, references: References): PolicyAnswers {
  return {
    "kata.rules.known": rulesKnown(text, references),
    "kata.policy_data.single": single(text),
    "kata.policy_data.format": format(data),
    "kata.policy_data.common": guarded(() => common(data.common)),
    "kata.containers.complete": complete(workload, data, references),
    "kata.containers.sandbox": sandbox(workload, data),
    ...guardedRequests(data, references),
  };
}

/** These parts are read only when they are asked about; what breaks their form cannot be answered. */
function guarded<Code extends string>(ask: () => Answer<Code>): Answer<Code> {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return cannot(error.message);
  }
}
function guardedRequests(data: PolicyData, references: References): ReturnType<typeof requestAnswers> {
  try {
    return requestAnswers(data.requestDefaults, references);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const answer = cannot(error.message);
    return {
      "kata.requests.exec": answer,
      "kata.requests.copy": answer,
      "kata.requests.env_regex": answer,
      "kata.requests.others": answer,
      "kata.requests.logs": answer,
    };
  }
}

/** Bodies by the digest that they name themselves; one that cannot be read by its SHA-256, as the manifest may name it. */
export function bodiesByDigest(bodies: readonly Uint8Array[]): ReadonlyMap<string, Uint8Array> {
  return new Map(bodies.map((body) => [Buffer.from(digestOfBody(body)).toString("hex"), body]));
}
function digestOfBody(body: Uint8Array): Uint8Array {
  try {
    return decodePolicyBody(body).digest;
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return digestOf("sha256", body);
  }
}
