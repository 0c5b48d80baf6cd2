/** docs/policy-probe.md lists the probes that there are, each with what it tries under the claim that it belongs to. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type * as m from "../../../../fixtures/generator/manifest.ts";
import { makePolicyWorld } from "../../../../fixtures/generator/policy-world.ts";
import { decodePolicyBody } from "../../../../src/verifiers/kata/body.ts";
import { planProbes, policyProbe } from "../../../../src/verifiers/kata/probe/index.ts";

/** Of all workloads the one that can be asked everything: it has storages, devices and a listed command. */
const body = makePolicyWorld({} as m.Manifest).policies.get("workload-granite.toml");
const plan = planProbes(decodePolicyBody(body ?? new Uint8Array(0)));
if ("why" in plan) throw new Error(plan.why);
const again = "-after-removal";
const planned = plan.probes.filter((p) => !p.id.endsWith(again));
const text = readFileSync(new URL("../../../../docs/policy-probe.md", import.meta.url), "utf8");

test("each probe stands under its claim, and no other does", () => {
  const listed = text
    .split("\n### ")
    .slice(1)
    .flatMap((part) => {
      const claim = /^`([^`]+)`/.exec(part)?.[1];
      return [...part.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, id, tries]) => `${claim} ${id} ${tries}`);
    });
  const wanted = planned.filter((p) => p.claim !== undefined).map((p) => `${p.claim} ${p.id} ${p.tries}`);
  expect(listed.toSorted()).toEqual([...new Set(wanted)].toSorted());
});
test("findings are called so", () => {
  for (const [, id = "", finding] of text.matchAll(/^### `([^`]+)`(, a finding)?$/gm))
    expect([id, finding !== undefined]).toEqual([id, policyProbe[id as keyof typeof policyProbe].owed === "advisory"]);
});
test("what belongs to no claim is named", () => {
  const named = text.slice(text.indexOf("### No claim"));
  for (const { id } of planned.filter((p) => p.claim === undefined)) expect(named).toContain(`\`${id}\``);
});
test("what is asked again after removals is told by its ending", () => {
  expect(plan.probes.some((p) => p.id.endsWith(again))).toBe(true);
  expect(text).toContain(again);
});
