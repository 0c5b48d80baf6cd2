/** `pm tdx verify` as a user runs it: every row of evidence/tdx/cases.json from files, without a socket. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeIntelState } from "../../fixtures/generator/intel-states.ts";
import { type Ran, reportOf, runPm } from "../command.ts";
import { describeEvidence } from "../evidence.ts";
import { allRows, classes, materialOf, type Row } from "../verifiers/tdx/rows.ts";

const dir = mkdtempSync(join(tmpdir(), "pm-tdx-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = (name: string, content: Uint8Array | string): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};

function verify(row: Row, ...more: readonly string[]): Promise<Ran> {
  const { quote, collateral } = materialOf(row);
  const accept = (row.policy?.acceptTcb ?? []).filter((s) => s !== "UpToDate");
  return runPm([
    "tdx",
    "verify",
    file(`${row.id}.bin`, quote),
    "--collateral",
    file(`${row.id}.json`, JSON.stringify(collateral)),
    "--at",
    row.at,
    "--offline",
    "--json",
    ...(accept.length === 0 ? [] : ["--accept-tcb", accept.join(",")]),
    ...more,
  ]);
}

describeEvidence("pm tdx verify over cases.json", () => {
  const { unsupported, unavailable } = classes();
  const exitOf = (row: Row): number =>
    row.expect === "accept"
      ? 0
      : unsupported.reasons.includes(row.reason)
        ? 3
        : unavailable.reasons.includes(row.reason)
          ? 4
          : 1;
  for (const row of allRows()) {
    if (row.tee !== "tdx") continue;
    it(`${row.expect}s ${row.id}${row.expect === "reject" ? ` (${row.reason})` : ""}`, async () => {
      const ran = await verify(row, "--authentic-only");
      const report = reportOf(ran);
      const codes = report.claims.flatMap((c) => (c.owed && c.status !== "pass" && c.code ? [c.code] : []));
      expect(ran.status, ran.stderr + report.verdictLine).toBe(exitOf(row));
      if (row.expect === "reject")
        expect(codes.some((code) => [row.reason, ...(row.alsoAccept ?? [])].includes(code))).toBe(true);
      if (row.tcb !== undefined)
        expect(report.claims.find((c) => c.id === "tdx.tcb.status")?.actual?.value).toBe(row.tcb);
      const warned = report.claims.some((c) => c.id === "tdx.quote.trailing" && c.code === "TRAILING_DATA");
      if (row.warnings !== undefined) expect(warned).toBe(true);
    });
  }

  const good = allRows().find((r) => r.id === "v4-uptodate-b0c0");
  it("needs what runs and for whom, and verifies with both", async () => {
    if (good === undefined) throw new Error("row missing");
    const { quote } = materialOf(good);
    const at = (from: number, to: number): string => Buffer.from(quote.slice(from, to)).toString("hex");
    const [mrTd, reportData, mrSeam] = [at(184, 232), at(568, 632), at(64, 112)];
    expect((await verify(good)).status).toBe(3);
    expect((await verify(good, "--mrtd", mrTd)).status).toBe(3);
    const pinned = ["--mrtd", mrTd, "--report-data", reportData, "--mrseam", "ab".repeat(48), "--mrseam", mrSeam];
    const ran = await verify(good, ...pinned);
    expect([ran.status, reportOf(ran).verdictLine]).toEqual([0, "verified (tdx quote)"]);
    expect((await verify(good, "--mrtd", mrTd, "--report-data", "ab".repeat(64))).status).toBe(1);
    expect((await verify(good, "--mrtd", mrTd.slice(2))).status).toBe(2);
    expect((await verify(good, "--accept-tcb", "Revoked")).status).toBe(2);
  });
});

it("judges under a test root, says so, and says without collateral what it left out", async () => {
  const state = makeIntelState("atIssueDate");
  const quote = file("made.bin", state.quote);
  const root = file("root.der", state.root);
  const args = ["tdx", "verify", quote, "--at", state.at.toISOString(), "--offline", "--authentic-only", "--json"];
  const skipped = reportOf(await runPm([...args, "--skip-collateral", "--insecure-trust-root", root]));
  expect(skipped.verdictLine).toBe("TEST ROOT authentic (tdx quote without collateral)");
  expect(skipped.relaxations.map((r) => r.name)).toEqual(["insecure-trust-root", "skip-collateral"]);
  const unreached = await runPm([...args, "--insecure-trust-root", root]);
  expect([unreached.status, reportOf(unreached).verdict]).toEqual([4, "unavailable"]);
  const real = await runPm([...args, "--skip-collateral"]);
  expect(real.status).toBe(1);
  const contradiction = await runPm([...args, "--skip-collateral", "--accept-tcb", "OutOfDate"]);
  expect(contradiction.status).toBe(2);
});

it.each([
  ["tdx verify", (quote: string, _log: string) => ["tdx", "verify", quote]],
  ["tdx replay", (quote: string, log: string) => ["tdx", "replay", log, "--quote", quote]],
])("%s asks for the documents of the channel that --tcb-update names", async (_name, command) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(404).end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  try {
    const state = makeIntelState("atIssueDate");
    const { port } = server.address() as AddressInfo;
    const args = command(file("asked.bin", state.quote), file("asked.log", new Uint8Array(64)));
    await runPm([
      ...args,
      ...["--at", state.at.toISOString(), "--insecure-trust-root", file("asked.der", state.root)],
      ...["--pcs-url", `http://127.0.0.1:${port}`, "--tcb-update", "early"],
    ]);
  } finally {
    server.close();
  }
  const documents = asked.filter((path) => /\/(tcb|qe\/identity)\b/.test(path));
  expect(documents.length).toBeGreaterThanOrEqual(2);
  for (const path of documents) expect(path).toContain("update=early");
});
