/** One workload of the deployment file against its policy: every answer that it and its containers owe. */
import {
  type Answer,
  type Answers,
  all,
  broken,
  cannot,
  equal,
  holds,
  type Origin,
  type Sourced,
  skip,
} from "../../claims/answer.ts";
import { type Judged, judge } from "../../claims/subject.ts";
import { PmError } from "../../errors.ts";
import type { Json } from "../../report/report.ts";
import { decodePolicyBody, policyKey } from "./body.ts";
import { decodeAnnotation } from "./carrier.ts";
import type { kata } from "./claims.ts";
import * as mounting from "./container-mounts.ts";
import * as process from "./container-process.ts";
import * as rights from "./container-rights.ts";
import type { Workload } from "./deployment.ts";
import type { Container } from "./deployment-pod.ts";
import { decodeInitdata, digestOf } from "./initdata.ts";
import { addedSidecars, common, complete, format, rulesKnown, sandbox, single } from "./policy-checks.ts";
import { decodePolicyData, type PolicyContainer, type PolicyData, splitPolicy } from "./policy-data.ts";
import { requestAnswers } from "./requests.ts";
import { verifyPolicy } from "./verify.ts";
import { container, workload as workloadCatalogue } from "./workload-claims.ts";
import {
  type ContainerCase,
  digestIn,
  initializer,
  type ManifestEntry,
  type References,
  shownIn,
} from "./workload-types.ts";

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
  const pinned = new Set(initdata === undefined ? [] : ["kata.annotation.equal"]);
  const subject = { name, catalogue: workloadCatalogue, pinned };
  const own = entries.filter((e) => e.workloadSecretId === workload.workloadSecretId);
  const [entry] = own;
  const body = entry === undefined || own.length > 1 ? undefined : bodies.get(entry.key);
  const found = policyFound(workload, own, body, references);
  if (entry === undefined || body === undefined) {
    const rest = all(workloadCatalogue, skip("not asked: no single policy was found for the workload"));
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
    "kata.annotation.equal": annotation(workload, entry, references),
  };
  return {
    judged: [
      judge(subject, answers),
      ...containerSubjects(workload, "data" in read ? read.data : undefined, references),
    ],
    evidence: {
      [name]: { key: entry.key, runtimeClassName: workload.runtimeClassName, policy: initdataAnswers.evidence },
    },
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

function annotation(
  { initdata }: Workload,
  entry: ManifestEntry,
  { deployment, manifest }: References,
): A["kata.annotation.equal"] {
  if (initdata === undefined) return skip("the deployment file has no annotation with a policy");
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
  keyof typeof kata | "kata.workload.policy_found" | "kata.workload.role" | "kata.annotation.equal"
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
    "kata.containers.sandbox": sandbox(data),
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

/** Each container of the deployment file is a subject, whether the policy has it or not; so is each sidecar it adds. */
function containerSubjects(workload: Workload, data: PolicyData | undefined, references: References): Judged[] {
  const added = data === undefined ? [] : addedSidecars(workload, data, references);
  const containers = [
    ...added.map((name) => sidecarOf(name, references.sidecars.get(name) ?? "")),
    ...workload.containers,
  ];
  const hasInitializer = containers.some((c) => c.name === initializer.name);
  return containers.map((yaml) => {
    const named = references.sidecars.get(yaml.name);
    const subject = {
      name: `container ${workload.workloadSecretId}/${yaml.name}`,
      catalogue: container,
      pinned: new Set(named === undefined ? [] : ["kata.container.sidecar"]),
    };
    const policies = data?.containers.slice(1).filter((c) => c.name === yaml.name) ?? [];
    const [policy] = policies;
    if (policy === undefined || policies.length > 1) {
      const reason =
        data === undefined
          ? "the policy was not found or not read"
          : `the policy has ${policies.length} containers of this name`;
      return judge(subject, all(container, skip(`not asked: ${reason}`)));
    }
    return judge(subject, containerAnswers(caseOf(yaml, policy, workload, hasInitializer, references), named));
  });
}

function caseOf(
  yaml: Container,
  policy: PolicyContainer,
  workload: Workload,
  hasInitializer: boolean,
  { deployment, imageConfigs }: References,
): ContainerCase {
  const config = imageConfigs.get(digestIn(yaml.image) ?? "");
  // Of a sidecar that Contrast adds, the deployment file says nothing.
  const origin: Origin = workload.containers.includes(yaml) ? deployment : { kind: "flag", name: "--sidecar-image" };
  return {
    yaml,
    policy,
    workload,
    config,
    hasInitializer,
    said: (value, where) => ({ value, origin, at: where ?? yaml.where }),
    shown: shownIn,
  };
}

const containerAnswers = (c: ContainerCase, named: string | undefined): Answers<typeof container> => ({
  "kata.container.image": rights.image(c),
  "kata.container.repository": rights.repository(c),
  "kata.container.sidecar": rights.sidecar(c, named),
  "kata.container.pod": rights.pod(c),
  "kata.container.args": process.args(c),
  "kata.container.env": process.env(c),
  "kata.container.capabilities": rights.capabilities(c),
  "kata.container.privileges": rights.privileges(c),
  "kata.container.devices": rights.devices(c),
  "kata.container.mounts": mounting.mounts(c),
  "kata.container.user": process.user(c),
  "kata.container.cwd": process.cwd(c),
  "kata.container.exec": process.exec(c),
});

/** A sidecar that Contrast adds: nothing is known of it but its image and, for the initializer, its volume. */
const sidecarOf = (name: string, image: string): Container => ({
  name,
  image,
  role: "init",
  command: undefined,
  args: undefined,
  workingDir: undefined,
  tty: false,
  env: [],
  envFrom: false,
  mounts: [],
  devices: [],
  execCommands: [],
  terminationMessagePath: undefined,
  security: {
    privileged: false,
    allowPrivilegeEscalation: true,
    readOnlyRootFilesystem: false,
    add: [],
    drop: [],
    runAsUser: undefined,
    runAsGroup: undefined,
  },
  where: "--sidecar-image",
});

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
