/**
 * Everything that is asked of one policy: the start sequence, each change where the legitimate request stands, every
 * other request before and after it. The plan says what each step is; the engine's request is what the worker gets.
 */
import { createHash } from "node:crypto";
import type { EngineRequest, EngineStep } from "../../../bytes/policy-engine.ts";
import type { Grade } from "../../../claims/answer.ts";
import { PmError } from "../../../errors.ts";
import { type PolicyBody, policyKey } from "../body.ts";
import { defaultCapabilities } from "../container-rights.ts";
import { splitPolicy } from "../policy-data.ts";
import type { ProbeClaim } from "./claims.ts";
import type { ContainerDraft } from "./draft.ts";
import { fill } from "./fill.ts";
import { type PodPolicy, readPod } from "./legitimate.ts";
import type { Mutation } from "./mutation.ts";
import { createContainer, mutated, mutations } from "./mutations.ts";
import { identityMutations } from "./mutations-pod.ts";
import { bundleId } from "./placeholders.ts";
import { execRpcs, podRpcs, type Rpc, sandboxRpcs } from "./rpcs.ts";
import { sample } from "./sample.ts";
import { pod, type StartContainer, type StartSequence, startSequence } from "./sequence.ts";

export interface StepAt {
  readonly session: string;
  readonly step: string;
}
export interface PlannedProbe {
  readonly id: string;
  /** Name of the container, or `pod`. */
  readonly target: string;
  readonly tries: string;
  /** undefined: shown and not judged. */
  readonly claim: ProbeClaim | undefined;
  readonly expect: "deny" | "freedom" | "either";
  readonly grade: Grade;
  readonly when: "before the start" | "at the start" | "after the start";
  /** undefined: the change changes nothing in this request, so it is not asked. */
  readonly at: StepAt | undefined;
  /** The legitimate request whose permission gives a refusal its meaning. */
  readonly control: StepAt | undefined;
  /** SHA-256 of endpoint, line end and input as JSON, hex. */
  readonly digest: string;
}
export interface PlannedTarget {
  readonly name: string;
  readonly isSandbox: boolean;
  /** undefined: no request could be made, `why` says so. */
  readonly legitimate: StepAt | undefined;
  readonly digest: string;
  readonly why: string | undefined;
}
export interface ProbePlan {
  readonly request: EngineRequest;
  /** The sandbox's own request, as target `pod`. */
  readonly sandbox: PlannedTarget;
  readonly containers: readonly PlannedTarget[];
  readonly probes: readonly PlannedProbe[];
}

const maxContainers = 64;
const maxRequestBytes = 64 * 1024 * 1024;

/** A pod's plan, or why none can be made: the probes are then not asked, and nothing about them is proven. */
export function planProbes(body: PolicyBody): ProbePlan | { readonly why: string } {
  const text = body.data.get(policyKey);
  if (text === undefined) return { why: "the document has no policy.rego" };
  const { json } = splitPolicy(text);
  if (json === undefined) return { why: "the policy has no line that begins with policy_data :=" };
  try {
    const policy = readPod(json);
    const count = policy.data.containers.length;
    if (count === 0) return { why: "policy_data lists no containers" };
    if (count > maxContainers)
      return { why: `policy_data lists ${count} containers; pm probes up to ${maxContainers}` };
    return new Planner(text, policy).plan();
  } catch (error) {
    if (error instanceof PmError && error.code !== "PM_BUG") return { why: error.message };
    throw error;
  }
}

/** Gathers steps and what they are, in the order in which they are asked. */
class Planner {
  readonly #text: string;
  readonly #policy: PodPolicy;
  readonly #start: StartSequence;
  readonly #sessions = new Map<string, EngineStep[]>();
  readonly #probes: PlannedProbe[] = [];
  #bytes = 0;

  constructor(text: string, policy: PodPolicy) {
    this.#text = text;
    this.#policy = policy;
    this.#start = startSequence(policy);
  }

  plan(): ProbePlan | { readonly why: string } {
    this.#beforeStart();
    const sandbox = this.#sandbox();
    const containers = this.#start.containers.map((c) => this.#container(c));
    this.#afterStart(containers);
    this.#afterRemoval();
    this.#outOfOrder();
    if (this.#bytes > maxRequestBytes)
      return { why: `the probes of this policy would take over ${maxRequestBytes} bytes` };
    const sessions = [...this.#sessions].map(([id, steps]) => ({ id, steps }));
    return { request: { policy: this.#text, sessions }, sandbox, containers, probes: this.#probes };
  }

  #step(session: string, id: string, endpoint: string, input: unknown, commit = false): StepAt & { digest: string } {
    const steps = this.#sessions.get(session) ?? [];
    this.#sessions.set(session, steps);
    if (steps.some((s) => s.id === id)) throw new PmError("PM_BUG", `two steps ${id} in session ${session}`);
    steps.push({ id, endpoint, input, commit });
    const json = JSON.stringify(input);
    this.#bytes += json.length;
    return { session, step: id, digest: createHash("sha256").update(`${endpoint}\n${json}`).digest("hex") };
  }

  #ask(
    what: Pick<PlannedProbe, "id" | "tries" | "claim" | "expect" | "grade">,
    where: Pick<PlannedProbe, "target" | "when" | "control">,
    at: (StepAt & { readonly digest: string }) | undefined,
  ): void {
    const { id, tries, claim, expect, grade } = what;
    const { digest = "", ...step } = at ?? {};
    this.#probes.push({
      ...{ id, tries, claim, expect, grade },
      ...where,
      at: at === undefined ? undefined : { session: at.session, step: at.step, ...step },
      digest,
    });
  }

  #rpc(rpc: Rpc, session: string, prefix: string, where: Pick<PlannedProbe, "target" | "when" | "control">): void {
    this.#ask(rpc, where, this.#step(session, `${prefix}/${rpc.id}`, rpc.endpoint, rpc.input));
  }

  /** A path in the folder that the host may fill for the container after the sandbox. */
  get #shared(): string {
    const named = this.#policy.top.get("request_defaults")?.get("CopyFileRequest");
    const pattern =
      named?.node.kind === "array"
        ? named
            .items()
            .find((i) => i.node.kind === "string")
            ?.string()
        : undefined;
    const id = bundleId(Math.min(1, this.#start.containers.length - 1));
    const filled = this.#policy.placeholders.with({ "bundle-id": id }).literal(pattern ?? "$(sfprefix)");
    const found = sample(filled);
    const path = found?.startsWith("/") ? found : `/run/kata-containers/shared/containers/${id}-aaaaaaaaaaaaaaaa-`;
    return `${path}hosts`;
  }

  #podRpcs(session: string, when: "before the start" | "after the start"): void {
    const container = bundleId(this.#start.containers.length - 1);
    for (const rpc of podRpcs(container, this.#shared))
      this.#rpc(rpc, session, pod, { target: pod, when, control: undefined });
  }

  #beforeStart(): void {
    this.#podRpcs("before", "before the start");
  }

  #sandbox(): PlannedTarget {
    const { sandbox } = this.#start;
    const endpoint = "CreateSandboxRequest";
    if ("why" in sandbox) return { name: pod, isSandbox: true, legitimate: undefined, digest: "", why: sandbox.why };
    const control = { session: "start", step: `${pod}/legitimate` };
    for (const rpc of sandboxRpcs(sandbox.draft))
      this.#rpc(rpc, "start", pod, { target: pod, when: "at the start", control });
    const { digest } = this.#step("start", control.step, endpoint, fill(endpoint, sandbox.draft), true);
    return { name: pod, isSandbox: true, legitimate: control, digest, why: undefined };
  }

  /** The changes stand before the request that is kept: both are asked in the same state. */
  #container(container: StartContainer): PlannedTarget {
    const { name, isSandbox, made } = container;
    if ("why" in made) return { name, isSandbox, legitimate: undefined, digest: "", why: made.why };
    const prefix = `container ${container.index}`;
    const control = { session: "start", step: `${prefix}/legitimate` };
    for (const mutation of mutations)
      if (container.index > 0 || !mutation.later)
        this.#mutation("start", prefix, made.draft, mutation, { target: name, when: "at the start", control });
    const filled = fill(createContainer, made.draft);
    const { digest } = this.#step("start", control.step, createContainer, filled, true);
    return { name, isSandbox, legitimate: control, digest, why: undefined };
  }

  #mutation(
    session: string,
    prefix: string,
    draft: ContainerDraft,
    mutation: Mutation,
    where: Pick<PlannedProbe, "target" | "when" | "control">,
  ): void {
    const input = mutated(draft, mutation, { privileged: this.#privileged });
    const at =
      input === undefined ? undefined : this.#step(session, `${prefix}/${mutation.id}`, createContainer, input);
    this.#ask(mutation, where, at);
  }

  get #privileged(): readonly string[] {
    return this.#policy.top.get("common")?.strings("privileged_caps") ?? [...defaultCapabilities, "CAP_SYS_ADMIN"];
  }

  #afterStart(targets: readonly PlannedTarget[]): void {
    const when = "after the start";
    this.#podRpcs("start", when);
    for (const container of this.#start.containers) {
      const { index, name, made, again } = container;
      const typed = this.#policy.data.containers[index];
      const control = targets[index]?.legitimate;
      if ("why" in made || "why" in again || typed === undefined) continue;
      for (const rpc of execRpcs(typed, made.draft))
        this.#rpc(rpc, "start", `container ${index}`, { target: name, when, control });
      const second = `container ${index} again`;
      for (const mutation of mutations.filter((m) => m.again && !(m.later && index === 0)))
        this.#mutation("start", second, again.draft, mutation, { target: name, when, control });
      const at = this.#step("start", `${second}/second-instance`, createContainer, fill(createContainer, again.draft));
      this.#ask(
        { ...order, id: "second-instance", tries: "Starts the container twice." },
        { target: name, when, control },
        at,
      );
    }
  }

  /** Does removing what was never there make the policy forget whom it belongs to? */
  #afterRemoval(): void {
    const session = "removed";
    const last = this.#start.containers.at(-1);
    const { sandbox, containers } = this.#start;
    if (last === undefined || last.index === 0 || "why" in last.again || "why" in sandbox) return;
    const sandboxRequest = "CreateSandboxRequest";
    this.#step(session, `${pod}/legitimate`, sandboxRequest, fill(sandboxRequest, sandbox.draft), true);
    for (const { index, made } of containers) {
      if ("why" in made) continue;
      this.#step(session, `container ${index}/legitimate`, createContainer, fill(createContainer, made.draft), true);
    }
    const removal = "RemoveContainerRequest";
    for (const id of ["", "no-such-container", "../x"])
      this.#step(session, `${pod}/remove ${id}`, removal, fill(removal, { container_id: id }), true);
    const control = { session: "start", step: `container ${last.index}/legitimate` };
    for (const mutation of identityMutations)
      this.#mutation(
        session,
        "removed",
        last.again.draft,
        { ...mutation, id: `${mutation.id}-after-removal` },
        {
          target: last.name,
          when: "after the start",
          control,
        },
      );
  }

  #outOfOrder(): void {
    const workload = this.#start.containers.find((c) => !c.isSandbox);
    if (workload !== undefined && "draft" in workload.made) {
      const control = { session: "start", step: `container ${workload.index}/legitimate` };
      const input = fill(createContainer, workload.made.draft);
      const at = this.#step("unordered", `container ${workload.index}/without-sandbox`, createContainer, input);
      const tries = "Starts a container before its sandbox.";
      const where = { target: workload.name, when: "before the start", control } as const;
      this.#ask({ ...order, id: "without-sandbox", tries }, where, at);
    }
    const { sandbox } = this.#start;
    if ("why" in sandbox) return;
    const request = "CreateSandboxRequest";
    const at = this.#step("start", `${pod}/second-sandbox`, request, fill(request, sandbox.draft));
    const control = { session: "start", step: `${pod}/legitimate` };
    const where = { target: pod, when: "after the start", control } as const;
    this.#ask({ ...order, id: "second-sandbox", tries: "Creates the sandbox a second time." }, where, at);
  }
}

const order = { claim: "kata.probe.start_order", expect: "freedom", grade: "weaker" } as const;
