/**
 * The policy engine: what it costs to compile, start, read a policy and ask, as ratios of one question, and the milliseconds of this run.
 * The policy has 200 containers' worth of data, about as long as a genuine one.
 */
import { readFileSync } from "node:fs";
import { type EngineCall, Instance } from "../src/measure/policy-engine/instance.ts";
import { engineUrl } from "../src/measure/policy-engine/module.ts";
import { callMinimums, type Row } from "./measure.ts";

const containers = Array.from({ length: 200 }, (_, i) => ({
  name: `c${i}`,
  args: ["/bin/serve", `--port=${i}`, "--model=/models/weights"],
  env: Array.from({ length: 8 }, (_, k) => `NAME_${k}=value of ${i}`),
}));
const policy = `package agent_policy
import rego.v1
default CreateContainerRequest := false
CreateContainerRequest if {
  some c in policy_data.containers
  c.args == input.args
  every e in input.env { some allowed in c.env; allowed == e }
  regex.match(\`^c[0-9]+$\`, c.name)
}
policy_data := ${JSON.stringify({ containers }, null, 2)}
`;
const load: EngineCall = { op: "load", rego: "v1", policy };
const begin: EngineCall = { op: "begin", state: '{"pstate":{}}' };
const ask: EngineCall = { op: "ask", endpoint: "CreateContainerRequest", input: JSON.stringify(containers.at(-1)) };

export function policyEngine(): Row[] {
  const bytes = readFileSync(engineUrl());
  const module = new WebAssembly.Module(bytes);
  const warm = new Instance(module);
  warm.call(load, 10_000);
  warm.call(begin, 10_000);
  // An answer that is no answer may not count as a fast one.
  if (warm.call(ask, 10_000).allowed !== true) throw new Error("the request of the benchmark is not allowed");
  const best = callMinimums(
    {
      compile: () => new WebAssembly.Module(bytes),
      start: () => new Instance(module),
      load: () => {
        warm.call(load, 10_000);
        warm.call(begin, 10_000);
        warm.call(ask, 10_000);
      },
      ask: () => warm.call(ask, 10_000),
      call: () => warm.call({ op: "state" }, 10_000),
    },
    5,
    4,
  );
  const ms = (name: string): number => best.get(name) ?? Number.NaN;
  const row = (name: string, what: string): Row => ({
    what: `policy engine: ${what}: ${ms(name).toFixed(2)} ms, over one question`,
    ratio: ms(name) / ms("ask"),
  });
  return [
    row("compile", "compile the module again, which V8 remembers"),
    row("start", "start an instance"),
    row("load", `read a policy of ${Math.round(policy.length / 1000)} kB and ask once`),
    row("ask", "one question"),
    row("call", "a call that asks nothing, time limit included"),
  ];
}
