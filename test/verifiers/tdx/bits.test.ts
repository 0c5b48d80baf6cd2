/** Every bit that a signature covers, flipped one at a time in one quote of version 4 and one of version 5: nothing passes. */
import { expect, it } from "vitest";
import { decodeQuote } from "../../../src/dcap/quote.ts";
import { describeEvidence } from "../../evidence.ts";
import { allRows, judgeTdx, lookIn, materialOf } from "./rows.ts";

/** Open at the first claim of authenticity that is not yes, and then nothing of the body may count as compared. */
function accepts(quote: Uint8Array, look: ReturnType<typeof lookIn>, at: string): boolean {
  const { answers, quote: authentic } = judgeTdx(quote, look, at);
  return (
    authentic !== undefined || answers["tdx.tcb.status"].status === "pass" || answers["tdx.td.debug"].status === "pass"
  );
}

describeEvidence("signed regions of real quotes", () => {
  for (const id of ["v4-uptodate-b0c0", "v5-uptodate-90c0"]) {
    const row = allRows().find((r) => r.id === id);
    if (row === undefined) throw new Error(`no row ${id}`);
    const { quote, collateral } = materialOf(row);
    const look = lookIn(collateral);
    const { signed, qeAuthData } = decodeQuote(quote);
    // Signed by the attestation key; then, behind the lengths, its signature, the key, the QE report, its signature, the hashed data.
    const qeReport = signed.length + 4 + 64 + 64 + 6;
    const regions = [
      { name: "header and body", from: 0, to: signed.length },
      { name: "quote signature and attestation key", from: signed.length + 4, to: signed.length + 4 + 128 },
      { name: "QE report and its signature", from: qeReport, to: qeReport + 384 + 64 },
      { name: "QE authentication data", from: qeReport + 450, to: qeReport + 450 + qeAuthData.length },
    ];
    it.each(regions)(`refuses ${id} with any bit of $name flipped`, { timeout: 60_000 }, ({ from, to }) => {
      expect(accepts(quote, look, row.at)).toBe(true);
      const accepted: number[] = [];
      for (let bit = from * 8; bit < to * 8; bit++) {
        const bytes = quote.slice();
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        if (accepts(bytes, look, row.at)) accepted.push(bit);
      }
      expect(accepted).toEqual([]);
    });
  }
});
