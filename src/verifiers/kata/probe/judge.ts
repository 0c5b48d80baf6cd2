/** What the engine's answers say about the policy. An answer that is not there, or that proves nothing, never passes. */
import type { EngineAnswer, StepAnswer } from "../../../bytes/policy-engine.ts";
import type { Grade } from "../../../claims/answer.ts";
import {
  type Answer,
  type Answers,
  cannot,
  equal,
  graded,
  holds,
  type Sourced,
  skip,
  specified,
} from "../../../claims/answer.ts";
import { type ProbeClaim, policyProbe } from "./claims.ts";
import type { PlannedProbe, PlannedTarget, ProbePlan, StepAt } from "./plan.ts";
import { pod } from "./sequence.ts";

export type ProbeResult = "permitted" | "denied" | "inconclusive" | "skipped";
/** A line of the table that a person reads. */
export interface ProbeRow {
  readonly container: string;
  readonly probe: string;
  readonly when: PlannedProbe["when"];
  readonly tries: string;
  readonly answer: ProbeResult;
  readonly expected: "permitted" | "denied" | "either";
  /** What the answer means for the audited party's protection; null: it was not answered. */
  readonly grade: Grade | null;
  readonly claim: ProbeClaim | undefined;
  /** Why there is no answer, or what makes one worthless. */
  readonly reason: string | undefined;
  /** SHA-256 of the request; empty when none was made. */
  readonly digest: string;
}
export interface ProbeJudgement {
  readonly answers: Answers<typeof policyProbe>;
  readonly rows: readonly ProbeRow[];
}

/** @param answer undefined: the engine was not asked */
export function judgeProbes(
  plan: ProbePlan | { readonly why: string },
  answer: EngineAnswer | { readonly why: string },
): ProbeJudgement {
  if ("why" in plan) return unasked(plan.why);
  if ("why" in answer) return unasked(answer.why);
  if (answer.rego === null)
    return unasked(`the engine cannot load the policy: ${answer.loadError ?? "no reason given"}`);
  return new Judge(plan, answer).judge();
}

/** Every claim is an error, so that nothing of it passes; the first one names the reason's code. */
function unasked(why: string): ProbeJudgement {
  const answers = Object.fromEntries(
    Object.keys(policyProbe).map((id): [string, Answer] => [
      id,
      id === "kata.probe.legitimate_allowed" ? cannot(why, "legitimate-refused") : cannot(why),
    ]),
  );
  return { answers: answers as Answers<typeof policyProbe>, rows: [] };
}

const asked = (value: string): Sourced => ({
  value,
  origin: { kind: "recomputed", name: "answers of the guest's Rego engine, regorus 0.10.0" },
});
const wanted = (value: string): Sourced => specified(value, "Kata Containers, kata-agent", "agent policy");

/** Asked of every container, or of those with an image; the others of the pod as a whole. */
const perContainer: ReadonlySet<ProbeClaim> = new Set<ProbeClaim>([
  "kata.probe.exec_denied",
  "kata.probe.other_command_denied",
  "kata.probe.injected_env_denied",
  "kata.probe.foreign_mount_denied",
  "kata.probe.privilege_denied",
]);
const imageClaim = "kata.probe.other_image_denied";

class Judge {
  readonly #plan: ProbePlan;
  readonly #answer: EngineAnswer;
  readonly #rows: readonly (ProbeRow & { readonly probe: string })[];

  constructor(plan: ProbePlan, answer: EngineAnswer) {
    this.#plan = plan;
    this.#answer = answer;
    this.#rows = [...this.#targets.map((t) => this.#legitimateRow(t)), ...plan.probes.map((p) => this.#row(p))];
  }

  judge(): ProbeJudgement {
    const owed = (id: OwedDenial): Answer => this.#owed(id);
    const finding = (id: ProbeClaim): Answer => this.#finding(id);
    const byId: Record<string, Answer> = {
      "kata.probe.legitimate_allowed": this.#legitimate(),
      "kata.probe.failing_requests_refused": this.#failing(),
      "kata.probe.state_stays_in_pstate": this.#state(),
      "kata.probe.rego_readings": graded(this.#readings(), "weaker"),
    };
    for (const [id, { owed: due }] of Object.entries(policyProbe) as [ProbeClaim, { readonly owed: string }][])
      byId[id] ??= due === "always" ? owed(id as OwedDenial) : finding(id);
    return { answers: byId as Answers<typeof policyProbe>, rows: this.#rows };
  }

  get #targets(): readonly PlannedTarget[] {
    return [this.#plan.sandbox, ...this.#plan.containers];
  }

  #of({ session, step }: StepAt): StepAnswer {
    const { answers } = this.#answer;
    const steps = Object.hasOwn(answers, session) ? answers[session] : undefined;
    const found = steps !== undefined && Object.hasOwn(steps, step) ? steps[step] : undefined;
    return found ?? { result: "inconclusive", reason: "the engine's answer lacks this step" };
  }

  /** Why no refusal says anything, whichever it is. */
  get #void(): string | undefined {
    const { failingAllowed, ambiguous } = this.#answer;
    if (failingAllowed === null) return "whether failing requests are allowed was not answered";
    if (failingAllowed) return "AllowRequestsFailingPolicy is true: a refused request is done all the same";
    if (ambiguous.length > 0) return `Rego v1 and v0 answer differently: ${shortened(ambiguous)}`;
    return undefined;
  }

  /** Why a request of this target proves nothing by being refused. */
  #controlProblem({ legitimate, why, name }: PlannedTarget): string | undefined {
    if (legitimate === undefined) return `no legitimate request could be made for ${name}: ${why ?? "no reason given"}`;
    const answer = this.#of(legitimate);
    switch (answer.result) {
      case "allowed":
        return undefined;
      case "denied":
        return `the policy denies the legitimate request of ${name}`;
      case "refused":
      case "inconclusive":
        return `the legitimate request of ${name} is ${answer.result}: ${answer.reason}`;
      default:
        return answer satisfies never;
    }
  }

  #legitimateRow(target: PlannedTarget): ProbeRow {
    const problem = this.#controlProblem(target);
    const refused = target.legitimate !== undefined && this.#of(target.legitimate).result === "denied";
    return {
      container: target.name,
      probe: "legitimate",
      when: "at the start",
      tries: "Creates what policy_data describes.",
      answer: problem === undefined ? "permitted" : refused ? "denied" : "inconclusive",
      expected: "permitted",
      grade: problem === undefined ? "neutral" : null,
      claim: "kata.probe.legitimate_allowed",
      reason: problem,
      digest: target.digest,
    };
  }

  #row(probe: PlannedProbe): ProbeRow {
    const { answer, reason } = this.#result(probe);
    const grade: Grade | null =
      answer === "permitted"
        ? probe.expect === "deny"
          ? "weaker"
          : probe.grade
        : answer === "denied"
          ? probe.expect === "deny"
            ? "neutral"
            : "stronger"
          : null;
    return {
      container: probe.target,
      probe: probe.id,
      when: probe.when,
      tries: probe.tries,
      answer,
      expected: probe.expect === "deny" ? "denied" : "either",
      grade: probe.expect === "either" && answer !== "inconclusive" ? "neutral" : grade,
      claim: probe.claim,
      reason,
      digest: probe.digest,
    };
  }

  #result(probe: PlannedProbe): { readonly answer: ProbeResult; readonly reason: string | undefined } {
    if (probe.at === undefined) return { answer: "skipped", reason: "changes nothing in this request" };
    const given = this.#of(probe.at);
    switch (given.result) {
      case "allowed":
        return { answer: "permitted", reason: undefined };
      case "inconclusive":
        return { answer: "inconclusive", reason: given.reason };
      case "denied":
      case "refused": {
        if (given.result === "denied" && this.#answer.failingAllowed === true)
          return { answer: "permitted", reason: this.#void };
        const worthless = this.#void ?? this.#problemOf(probe);
        if (worthless !== undefined) return { answer: "inconclusive", reason: worthless };
        return { answer: "denied", reason: given.result === "refused" ? given.reason : undefined };
      }
      default:
        return given satisfies never;
    }
  }

  /** The target's own request must be allowed; a probe without a control of its own rests on nothing but its answer. */
  #problemOf({ target, control, when }: PlannedProbe): string | undefined {
    const found = this.#targets.find((t) => t.name === target);
    // The state after the start is there only when the whole sequence was permitted.
    const unstarted = when === "after the start" ? this.#targets.flatMap((t) => this.#controlProblem(t) ?? []) : [];
    if (unstarted.length > 0) return shortened(unstarted);
    if (found === undefined) return `${target}: no such container in the plan`;
    return control === undefined && target === pod ? undefined : this.#controlProblem(found);
  }

  #legitimate(): Answers<typeof policyProbe>["kata.probe.legitimate_allowed"] {
    const targets = this.#targets;
    if (this.#plan.containers.length === 0) return cannot("the plan has no container", "legitimate-refused");
    if (this.#answer.ambiguous.length > 0) return cannot(this.#void ?? "", "rego-ambiguous");
    const problems = targets.flatMap((t) => this.#controlProblem(t) ?? []);
    if (problems.length > 0) return cannot(shortened(problems), "legitimate-refused");
    const allowed = targets.filter((t) => t.legitimate !== undefined && this.#of(t.legitimate).result === "allowed");
    return equal(
      wanted(`${targets.length} of ${targets.length} legitimate requests permitted`),
      asked(`${allowed.length} of ${targets.length} legitimate requests permitted`),
      "legitimate-refused",
    );
  }

  #failing(): Answers<typeof policyProbe>["kata.probe.failing_requests_refused"] {
    const { failingAllowed, ambiguous } = this.#answer;
    if (failingAllowed === null) return cannot("whether failing requests are allowed was not answered");
    if (!failingAllowed && ambiguous.length > 0) return cannot(this.#void ?? "");
    return equal(wanted("false"), asked(String(failingAllowed)), "failing-requests-permitted");
  }

  /** Every permitted request counts: what it notes is kept, whether it was meant to be permitted or not. */
  #state(): Answers<typeof policyProbe>["kata.probe.state_stays_in_pstate"] {
    const seen = this.#plan.request.sessions.flatMap(({ id: session, steps }) =>
      steps.flatMap(({ id: step }) => {
        const answer = this.#of({ session, step });
        return answer.result === "allowed" ? [{ at: `${session}: ${step}`, outside: answer.outside }] : [];
      }),
    );
    const outside = seen.filter((s) => s.outside.length > 0).map((s) => `${s.at}: ${s.outside.join(", ")}`);
    if (outside.length === 0) {
      const problems = this.#targets.flatMap((t) => this.#controlProblem(t) ?? []);
      if (seen.length === 0 || problems.length > 0)
        return cannot(`what legitimate requests note was not all seen: ${shortened(problems)}`);
      if (this.#answer.ambiguous.length > 0) return cannot(this.#void ?? "");
    }
    return equal(
      wanted("no path outside /pstate/"),
      asked(outside.length === 0 ? "no path outside /pstate/" : shortened(outside)),
      "state-outside-pstate",
    );
  }

  #readings(): Answers<typeof policyProbe>["kata.probe.rego_readings"] {
    const { ambiguous } = this.#answer;
    return equal(
      wanted("no answer depends on the version"),
      asked(ambiguous.length === 0 ? "no answer depends on the version" : `${shortened(ambiguous)} do`),
      "rego-ambiguous",
    );
  }

  /** Containers of which a refusal is owed, by name; `pod` where the question is about the pod. */
  #owing(id: OwedDenial): readonly string[] {
    const all = this.#plan.containers;
    if (id === imageClaim) return all.filter((c) => !c.isSandbox).map((c) => c.name);
    return perContainer.has(id) ? all.map((c) => c.name) : [pod];
  }

  #owed(id: OwedDenial): Answer {
    const code = deniedCode[id];
    const rows = this.#rows.filter((r) => r.claim === id && r.expected === "denied" && r.answer !== "skipped");
    const permitted = this.#answer.failingAllowed === true ? [] : rows.filter((r) => r.answer === "permitted");
    const total = `${rows.length} of ${rows.length} changes denied`;
    if (permitted.length > 0) {
      const denied = rows.filter((r) => r.answer === "denied").length;
      const named = permitted.map(
        (r) => `the policy permits ${r.probe} in ${r.container} ${r.when}, request sha256 ${r.digest}`,
      );
      return holds(false, wanted(total), asked(`${denied} of ${rows.length} changes denied`), code, shortened(named));
    }
    if (this.#void !== undefined) return cannot(this.#void);
    const targets = this.#owing(id);
    if (targets.length === 0) return cannot("there is no container of which this could be asked");
    const unanswered = rows.filter((r) => r.answer !== "denied");
    if (unanswered.length > 0) return cannot(shortened(unanswered.map(openRow)));
    const without = targets.filter((t) => !rows.some((r) => r.container === t && r.answer === "denied"));
    if (without.length > 0) return cannot(`not one change was asked of: ${shortened(without)}`);
    return equal(
      wanted(total),
      asked(`${rows.filter((r) => r.answer === "denied").length} of ${rows.length} changes denied`),
      code,
    );
  }

  #finding(id: ProbeClaim): Answer {
    const rows = this.#rows.filter((r) => r.claim === id && r.answer !== "skipped");
    const [code = ""] = Object.keys(policyProbe[id].codes);
    const permitted = rows.filter((r) => r.answer === "permitted");
    if (permitted.length > 0 && this.#answer.failingAllowed !== true) {
      const grade = permitted.some((r) => r.grade === "weaker") ? "weaker" : "neutral";
      const named = permitted.map((r) => `the policy permits ${r.probe} in ${r.container} ${r.when}`);
      const denied = `${rows.length - permitted.length} of ${rows.length} denied`;
      return graded(
        holds(false, wanted(`${rows.length} of ${rows.length} denied`), asked(denied), code, shortened(named)),
        grade,
      );
    }
    if (rows.length === 0) return skip("no request of this policy could be changed so");
    const unanswered = rows.filter((r) => r.answer !== "denied");
    if (unanswered.length > 0) return cannot(shortened(unanswered.map(openRow)));
    const all = `${rows.length} of ${rows.length} denied`;
    return equal(wanted(all), asked(all), code);
  }
}

/** Claims that pass by refusals alone. */
const deniedCode = {
  "kata.probe.exec_denied": "exec-permitted",
  "kata.probe.set_policy_denied": "set-policy-permitted",
  "kata.probe.other_image_denied": "other-image-permitted",
  "kata.probe.other_command_denied": "other-command-permitted",
  "kata.probe.injected_env_denied": "injected-env-permitted",
  "kata.probe.foreign_mount_denied": "foreign-mount-permitted",
  "kata.probe.privilege_denied": "privilege-permitted",
  "kata.probe.copy_outside_denied": "copy-outside-permitted",
  "kata.probe.unlisted_rpcs_denied": "unlisted-rpc-permitted",
} as const satisfies Partial<Record<ProbeClaim, string>>;
type OwedDenial = keyof typeof deniedCode;

const openRow = (r: ProbeRow): string => `no answer to ${r.probe} in ${r.container}: ${r.reason ?? "not answered"}`;

const most = 8;
/** The first few and how many more there are. */
function shortened(list: readonly string[]): string {
  const more = list.length > most ? `; and ${list.length - most} more` : "";
  return `${list.slice(0, most).join("; ")}${more}`;
}
