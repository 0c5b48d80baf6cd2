import { expect, it } from "vitest";
import type { Status } from "../../../src/claims/answer.ts";
import { describeEvidence } from "../../evidence.ts";
import { allRows, classes, judgeRow, openAnswers } from "./rows.ts";

describeEvidence("rows of tdx/cases.json that ask for a trust domain", () => {
  const { unsupported, unavailable } = classes();
  const statusOf = (reason: string): Status =>
    unsupported.reasons.includes(reason) ? "error" : unavailable.reasons.includes(reason) ? "unavailable" : "fail";
  for (const row of allRows()) {
    if (row.tee !== "tdx") continue;
    it(`${row.expect}s ${row.id}${row.expect === "reject" ? ` (${row.reason})` : ""}`, () => {
      const judgement = judgeRow(row);
      const open = openAnswers(judgement);
      const status = judgement.answers["tdx.tcb.status"].actual?.value;
      if (row.tcb !== undefined) expect(status).toBe(row.tcb);
      const warned = judgement.answers["tdx.quote.trailing"].code;
      expect(warned === undefined ? undefined : [warned]).toEqual(judgement.decoded ? row.warnings : undefined);
      if (row.expect === "accept") {
        expect(open).toEqual([]);
        expect(judgement.quote).toBeDefined();
        return;
      }
      expect(
        open.filter(({ answer }) => [row.reason, ...(row.alsoAccept ?? [])].includes(answer.code ?? "")),
      ).not.toEqual([]);
      const first = open.find(({ answer }) => answer.code === row.reason);
      if (first !== undefined) expect(first.answer.status).toBe(statusOf(row.reason));
    });
  }
});
