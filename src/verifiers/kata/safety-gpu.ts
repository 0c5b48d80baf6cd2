/** GPUs: the agent that attests them at the pod's start, and what it accepts (Privatemode v1.40.0, attestation-agent). */
import { type Answers, skip } from "../../claims/answer.ts";
import { type Problem, ruled } from "./safety-answer.ts";
import type { safety } from "./safety-claims.ts";
import { pattern, type Recognised, type SafetyCase } from "./safety-types.ts";
import { argumentsOf, envOf, strangeWords, valuesOf, type Words } from "./safety-words.ts";

type A = Answers<typeof safety>;
type VersionCode = "gpu-versions-missing" | "gpu-version-wrong" | "gpu-versions-unreadable";

export const agentsOf = (c: SafetyCase): Recognised[] => c.containers.filter((x) => x.role === "attestation-agent");

const wordsOf = (c: SafetyCase, { container }: Recognised): Words =>
  argumentsOf(c, container, c.rules.attestationAgent);

/** Entries of both lists, as far as they can be read; the agent takes lists separated by commas. */
export function versionsOf(c: SafetyCase, agent: Recognised) {
  const { driverFlags, driverVersion, vbiosFlags, vbiosVersion } = c.rules.attestationAgent;
  const read = wordsOf(c, agent);
  if ("reason" in read) return read;
  const list = (what: string, flags: readonly string[], form: string) => {
    const { values, state } = valuesOf(read.words, flags);
    return { what, state, form: pattern(form), entries: values.flatMap((v) => (v === "" ? [] : v.split(","))) };
  };
  return { lists: [list("driver", driverFlags, driverVersion), list("VBIOS", vbiosFlags, vbiosVersion)] };
}

export function gpuVersions(c: SafetyCase): A["kata.safety.gpu_versions"] {
  const agents = agentsOf(c).map((agent) => ({ name: agent.container.name, versions: versionsOf(c, agent) }));
  if (c.gpu && agents.length === 0) return skip("not asked: no attestation agent; see kata.safety.gpu_agent");
  const problems = agents.flatMap(({ name, versions }): Problem<VersionCode>[] => {
    if ("reason" in versions)
      return [{ code: "gpu-versions-unreadable", text: `${name}: ${versions.reason}`, open: true }];
    return versions.lists.flatMap(({ what, state, entries, form }): Problem<VersionCode>[] => {
      const text = `${name}: ${what} ${entries.join(",") || "nothing"}`;
      if (state === "missing" || entries.length === 0) return [{ code: "gpu-versions-missing", text }];
      if (!entries.every((entry) => form.test(entry))) return [{ code: "gpu-version-wrong", text }];
      return state === "doubtful" ? [{ code: "gpu-versions-unreadable", text, open: true }] : [];
    });
  });
  return ruled(c, {
    rule: "driver and VBIOS versions, at least one of each, no pattern",
    found: agents.flatMap(({ name, versions }) =>
      "reason" in versions
        ? [`${name}: ${versions.reason}`]
        : versions.lists.map(({ what, entries }) => `${name}: ${what} ${entries.join(",") || "nothing"}`),
    ),
    none: "no GPU and no attestation agent in this workload",
    problems,
    code: "gpu-versions-missing",
  });
}

/** An agent that finds no GPU ends well. A variable that is not in the file may say anything. */
function blindness(c: SafetyCase, agent: Recognised): Problem<"gpu-agent-blind" | "gpu-agent-unreadable">[] {
  const { name, envFrom } = agent.container;
  const set = envOf(agent).filter((e) => c.rules.attestationAgent.visible.some((v) => v.name === e.name));
  const hidden = [
    ...set.filter((e) => e.value?.unknown.length !== 0).map((e) => e.name),
    ...(envFrom ? ["envFrom"] : []),
  ];
  const blind = set.filter(
    (e) =>
      e.value?.unknown.length === 0 &&
      !c.rules.attestationAgent.visible.some((v) => v.name === e.name && v.values?.includes(e.value?.text ?? "")),
  );
  return [
    ...blind.map((e) => ({ code: "gpu-agent-blind" as const, text: `${name}: ${e.name}=${e.value?.text}` })),
    ...hidden.map((text) => ({ code: "gpu-agent-unreadable" as const, text: `${name}: ${text}`, open: true as const })),
  ];
}

export function gpuAgent(c: SafetyCase): A["kata.safety.gpu_agent"] {
  const { driverFlags, vbiosFlags } = c.rules.attestationAgent;
  const agents = c.containers.filter((x) => x.role === "attestation-agent" && x.byImage && x.container.role === "init");
  const [agent] = agents;
  const problems: Problem<"gpu-agent-missing" | "gpu-agent-late" | "gpu-agent-blind" | "gpu-agent-unreadable">[] = [];
  if (c.gpu && agent === undefined)
    problems.push({ code: "gpu-agent-missing", text: "no init container with the agent's image" });
  if (c.gpu && agent !== undefined) {
    const before = c.containers.slice(0, c.containers.indexOf(agent));
    const early = before.filter((x) => x.role === "server" || x.role === "inference-proxy");
    if (early.length > 0)
      problems.push({ code: "gpu-agent-late", text: early.map((x) => x.container.name).join(", ") });
    problems.push(...blindness(c, agent));
    const read = wordsOf(c, agent);
    // An agent that is asked for its help attests nothing and ends well.
    const strange = "reason" in read ? [read.reason] : strangeWords(read.words, [...driverFlags, ...vbiosFlags]);
    if (strange.length > 0)
      problems.push({
        code: "gpu-agent-unreadable",
        text: `${agent.container.name}: ${strange.join(" ")}`,
        open: true,
      });
  }
  return ruled(c, {
    rule: "an attestation agent as init container before servers and proxies, with its version lists alone",
    found: c.gpu
      ? [`starts in this order: ${c.containers.map((x) => `${x.container.name} (${x.container.role})`).join(", ")}`]
      : [],
    none: "no GPU in this workload",
    problems,
    code: "gpu-agent-missing",
  });
}
