/** Recorded exchanges with a Coordinator on TDX through `pm coordinator attest`: exit status and reason code as their list says. */
import { expect, test } from "vitest";
import { type Ran, reportOf, runPm } from "../command.ts";
import { describeEvidence, evidenceJson, evidencePath } from "../evidence.ts";

interface Case {
  readonly expect: "accept" | "reject";
  readonly codes?: readonly string[];
  /** Default the case's own name. */
  readonly response?: string;
  readonly collateral: string;
}

const failedCodes = (ran: Ran): string[] =>
  reportOf(ran).claims.flatMap((c) => (c.owed && c.status === "fail" ? [c.code ?? c.id] : []));

describeEvidence("contrast/tdx-full", () => {
  const folder = "contrast/tdx-full";
  const at = (name: string): string => evidencePath(`${folder}/${name}`);
  const { files, clock } = evidenceJson<{ files: Record<string, Case>; clock: string }>(`${folder}/expect.json`);
  const attest = (response: string, collateral: string, more: readonly string[] = []): Promise<Ran> =>
    runPm([
      ...["coordinator", "attest", "--response", at(response), "--request", at("request.json")],
      ...["--collateral", at(collateral), "--at", clock, "--offline", "--json", ...more],
    ]);
  const root = ["--insecure-trust-root", at("root-ca.pem")];
  const pinned = [...root, "--manifest", at("manifest.json")];

  test.each(Object.entries(files))("%s", async (name, expected) => {
    const ran = await attest(expected.response ?? name, expected.collateral, pinned);
    const report = reportOf(ran);
    expect([ran.status, report.exitCode]).toEqual(expected.expect === "accept" ? [0, 0] : [1, 1]);
    if (expected.expect === "accept") expect(report.verdictLine).toBe("TEST ROOT verified (coordinator)");
    else
      expect(
        expected.codes?.some((code) => failedCodes(ran).includes(code)),
        failedCodes(ran).join(", "),
      ).toBe(true);
  });

  test("is refused under Intel's own root", async () => {
    const ran = await attest("attest.json", "collateral.json", ["--manifest", at("manifest.json")]);
    expect([ran.status, failedCodes(ran)]).toEqual([1, ["ROOT_UNTRUSTED"]]);
  });
  test("is self-consistent without a manifest", async () => {
    const ran = await attest("attest.json", "collateral.json", root);
    expect(ran.status).toBe(3);
    expect(reportOf(ran).verdictLine).toMatch(/^TEST ROOT self-consistent \(coordinator\)/);
  });
  test("is unavailable without collateral", async () => {
    const ran = await runPm([
      ...["coordinator", "attest", "--response", at("attest.json"), "--request", at("request.json")],
      ...["--at", clock, "--offline", "--json", ...pinned],
    ]);
    expect([ran.status, reportOf(ran).verdict]).toEqual([4, "unavailable"]);
  });
  test.each(["2026-01-01T00:00:00Z", "2045-01-01T00:00:00Z"])("is outside the collateral's window at %s", async (t) => {
    const ran = await runPm([
      ...["coordinator", "attest", "--response", at("attest.json"), "--request", at("request.json")],
      ...["--collateral", at("collateral.json"), "--at", t, "--offline", "--json", ...pinned],
    ]);
    expect(ran.status).toBe(1);
    const word = t.startsWith("2026") ? "NOT_YET_VALID" : "EXPIRED";
    expect(failedCodes(ran)).toContain(`TCB_INFO_${word}`);
    expect(failedCodes(ran)).toContain(`QE_IDENTITY_${word}`);
  });
});
