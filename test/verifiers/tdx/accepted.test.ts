/** `--accept-tcb`: a status is accepted with the day and the advisories of every level that it comes from. */
import { expect, it } from "vitest";
import {
  both,
  type IntelEdit,
  oldModule,
  oldModuleAdvisories,
  qe,
  running,
} from "../../../fixtures/generator/intel-edits.ts";
import { intelDraft, makeIntelEvidence } from "../../../fixtures/generator/intel-evidence.ts";
import { pcsResponse } from "../../../fixtures/generator/intel-pcs.ts";
import { intelNow } from "../../../fixtures/generator/intel-states.ts";
import { parseAcceptTcb } from "../../../src/audit/accept-tcb.ts";
import { judge } from "../../../src/claims/subject.ts";
import { conclude } from "../../../src/claims/verdict.ts";
import { intelTestRoot } from "../../../src/dcap/root.ts";
import { noReferences, tdxAuthentic, verifyTdx } from "../../../src/verifiers/tdx/index.ts";

/** The platform level is of 2024-11-13 and UpToDate throughout. */
function judged(edit: IntelEdit, accepted: string | undefined, version: 4 | 5 = 4) {
  const { root, quote, form, collateral, at } = makeIntelEvidence(edit(intelDraft("accepted", intelNow, { version })));
  const { answers } = verifyTdx(
    { bytes: quote, form },
    ({ path }) => pcsResponse({ collateral: [collateral] }, path, at),
    [{ ...noReferences, acceptedTcb: parseAcceptTcb(accepted) }],
    { root: intelTestRoot(root, "root.der"), collateral: "required" },
    at,
  );
  const subject = { name: "quote", catalogue: tdxAuthentic, pinned: new Set<string>() };
  const { verdict, open } = conclude([judge(subject, answers)], { waivers: [], promoted: new Set(), now: intelNow });
  return { verdict, open: open.map((c) => c.id), answer: answers["tdx.tcb.status"] };
}
const ids = oldModuleAdvisories.join("+");

it.each<[string, string, string, IntelEdit, 4 | 5]>([
  ["the TDX module", "OutOfDate", "2024-03-13", oldModule, 4],
  ["the quoting enclave", "OutOfDate", "2023-08-09", qe({ isvSvn: 3 }), 4],
  ["the module that was launched", "TDRelaunchAdvised", "2024-03-13", oldModule, 5],
  ["the module that runs now", "OutOfDate", "2024-03-13", running(4), 5],
])(
  "accepts a status that comes from %s by that level's day, not by the platform's alone",
  (_, status, day, edit, v) => {
    expect(judged(edit, undefined, v).open).toEqual(["tdx.tcb.status"]);
    expect(judged(edit, status, v).verdict).toBe("verified");
    expect(judged(edit, `${status}@${day}`, v).verdict).toBe("verified");
    for (const later of ["2024-03-14", "2024-11-13"]) {
      const { verdict, open, answer } = judged(edit, `${status}@${later}`, v);
      expect([verdict, open]).toEqual(["failed", ["tdx.tcb.status"]]);
      expect(answer.reason).toContain(`is ${day}T00:00:00Z`);
    }
  },
);

it("names every level that is too old, and asks for the later day of two", () => {
  const edit = both(oldModule, qe({ isvSvn: 3 }));
  expect(judged(edit, "OutOfDate@2023-08-09").verdict).toBe("verified");
  const { answer } = judged(edit, "OutOfDate@2024-03-14");
  expect(answer.reason).toBe(
    "tcbDate of TDX_01 is 2024-03-13T00:00:00Z, tcbDate of quoting enclave is 2023-08-09T00:00:00Z",
  );
});

it("counts the advisories of the module that runs now", () => {
  expect(judged(running(4), `OutOfDate:${ids}`, 5).verdict).toBe("verified");
  expect(judged(running(4), "OutOfDate:", 5).answer).toMatchObject({
    status: "fail",
    reason: `advisories ${oldModuleAdvisories.join(", ")}`,
  });
});

it("says that what runs now is the older one where the launch lacks nothing", () => {
  expect(judged(running(4), undefined, 5).answer).toMatchObject({
    status: "fail",
    code: "TCB_OUT_OF_DATE",
    reason: "the module that runs now (TEE_TCB_SVN2) is OutOfDate",
  });
});
