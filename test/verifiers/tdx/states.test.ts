/** The states that no recorded evidence covers, made under a test root: each is answered with its claim and code. */
import { expect, it } from "vitest";
import type { IntelCase } from "../../../fixtures/generator/intel-edits.ts";
import { pcsResponse } from "../../../fixtures/generator/intel-pcs.ts";
import { intelStateNames, intelStates, makeIntelState } from "../../../fixtures/generator/intel-states.ts";
import type { Answer, Sourced } from "../../../src/claims/answer.ts";
import { judge } from "../../../src/claims/subject.ts";
import { conclude } from "../../../src/claims/verdict.ts";
import { intelTestRoot } from "../../../src/dcap/root.ts";
import {
  noReferences,
  pinnedBy,
  type TdxReferences,
  tdxAuthentic,
  verifyTdx,
} from "../../../src/verifiers/tdx/index.ts";

type State = ReturnType<typeof makeIntelState>;
const flag = (value: string): Sourced => ({ value, origin: { kind: "flag", name: "--x" } });

function referencesOf({ pins }: State): TdxReferences {
  const options = [pins.memoryIntegrity, pins.smtDisabled, pins.staticPlatform];
  return {
    ...noReferences,
    ...(pins.mrConfigId === undefined ? {} : { mrConfigId: flag(pins.mrConfigId) }),
    ...(pins.minTcbEvaluation === undefined
      ? {}
      : { minimumEvaluation: { value: pins.minTcbEvaluation, origin: { kind: "flag", name: "--x" } } }),
    ...(pins.piids === undefined ? {} : { allowedPiids: { values: pins.piids, source: flag("") } }),
    ...(options.every((o) => o === undefined)
      ? {}
      : {
          pckOptions: {
            memoryIntegrity: pins.memoryIntegrity === true,
            smtDisabled: pins.smtDisabled === true,
            staticPlatform: pins.staticPlatform === true,
            source: flag(""),
          },
        }),
  };
}

const verdicts = { accept: "verified", fail: "failed", error: "inconclusive", unavailable: "unavailable" } as const;
const names = intelStateNames.filter((name) => (intelStates[name] as IntelCase).options?.tee !== "sgx");

it.each(names.map((n) => [n, (intelStates[n] as IntelCase).what] as const))("answers the made state %s: %s", (name) => {
  const state = makeIntelState(name);
  const want = referencesOf(state);
  const root = intelTestRoot(state.root, "root.der");
  const { answers, tcb } = verifyTdx(
    { bytes: state.quote, form: state.form },
    ({ path }) => pcsResponse({ collateral: [state.collateral] }, path, state.at),
    [want],
    { root, collateral: "required" },
    state.at,
  );
  const all: Readonly<Record<string, Answer>> = answers;
  const subject = { name: "quote", catalogue: tdxAuthentic, pinned: pinnedBy(want) };
  const rules = { waivers: [], promoted: new Set<string>(), now: state.at };
  const { verdict, open } = conclude([judge(subject, answers)], rules);
  const codes = open.flatMap((claim) => claim.code ?? []);
  const { expected } = state;
  const shown = open.map((c) => `${c.id} ${c.status} ${c.code ?? ""} ${c.reason ?? ""}`).join("\n");
  expect(verdict, shown).toBe(verdicts[expected.verdict]);
  if (expected.codes.length > 0)
    expect(
      codes.some((code) => expected.codes.includes(code)),
      shown,
    ).toBe(true);
  if (expected.tcb !== undefined) expect(all["tdx.tcb.status"]?.actual?.value, shown).toBe(expected.tcb);
  if (expected.advisories !== undefined)
    expect([...new Set(tcb?.advisories.map((a) => a.id))].sort()).toEqual([...expected.advisories].sort());
});
