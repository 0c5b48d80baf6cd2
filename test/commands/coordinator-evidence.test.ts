/** Recorded Coordinator exchanges through `pm coordinator attest`: exit status and reason code as their lists say. */
import { describe, expect, test } from "vitest";
import { type Ran, reportOf, runPm } from "../command.ts";
import { describeEvidence, evidenceJson, evidencePath } from "../evidence.ts";

interface Case {
  readonly expect: "accept" | "reject";
  readonly codes?: readonly string[];
  readonly manifest?: string;
}

/** Codes of claims that failed or could not be answered. */
const openCodes = (ran: Ran): string[] =>
  reportOf(ran).claims.flatMap((c) => (c.status === "fail" || c.status === "error" ? [c.code ?? c.id] : []));

describeEvidence("contrast/snp-full", () => {
  const folder = "contrast/snp-full";
  const at = (name: string): string => evidencePath(`${folder}/${name}`);
  const { files, clock } = evidenceJson<{ files: Record<string, Case>; clock: string }>(`${folder}/expect.json`);
  const common = ["--request", at("request.json"), "--insecure-trust-root", at("ark.pem"), "--at", clock, "--offline"];

  test.each(Object.entries(files).filter(([name]) => name !== "ok-no-chain.json"))("%s", async (name, expected) => {
    const manifest = at(expected.manifest ?? "manifest.json");
    const ran = await runPm([
      "coordinator",
      "attest",
      "--response",
      at(name),
      "--manifest",
      manifest,
      "--json",
      ...common,
    ]);
    const report = reportOf(ran);
    expect([ran.status, report.exitCode]).toEqual(expected.expect === "accept" ? [0, 0] : [1, 1]);
    if (expected.expect === "accept") expect(report.verdictLine).toBe("TEST ROOT verified (coordinator)");
    else
      expect(
        expected.codes?.some((code) => openCodes(ran).includes(code)),
        openCodes(ran).join(", "),
      ).toBe(true);
  });

  describe("ok-no-chain.json", () => {
    const args = [
      "coordinator",
      "attest",
      "--response",
      at("ok-no-chain.json"),
      "--manifest",
      at("manifest.json"),
      ...common,
    ];
    test("is unavailable without collateral", async () => {
      const ran = await runPm([...args, "--json"]);
      expect([ran.status, reportOf(ran).verdict]).toEqual([4, "unavailable"]);
      expect(reportOf(ran).claims.find((c) => c.id === "snp.vek.chain")?.code).toBe("no-vek");
    });
    test("is accepted with a folder of collateral", async () => {
      const { mkdtempSync, copyFileSync } = await import("node:fs");
      const { join } = await import("node:path");
      const { tmpdir } = await import("node:os");
      const collateral = mkdtempSync(join(tmpdir(), "pm-collateral-"));
      copyFileSync(at("ask-ark.pem"), join(collateral, "cert_chain.pem"));
      for (const name of ["vcek.der", "crl.der"]) copyFileSync(at(name), join(collateral, name));
      const ran = await runPm([...args, "--collateral", collateral]);
      expect([ran.status, ran.stdout.trimEnd().split("\n").at(-1)]).toEqual([0, "TEST ROOT verified (coordinator)"]);
    });
  });

  test("attest.json is refused under AMD's own roots", async () => {
    const roots = common.filter((a) => a !== "--insecure-trust-root" && a !== at("ark.pem"));
    const ran = await runPm([
      "coordinator",
      "attest",
      "--response",
      at("attest.json"),
      "--manifest",
      at("manifest.json"),
      "--json",
      ...roots,
    ]);
    expect(ran.status).toBe(1);
    expect(openCodes(ran)).toContain("chain-root");
  });
  test("attest.json without a manifest is self-consistent", async () => {
    const ran = await runPm(["coordinator", "attest", "--response", at("attest.json"), "--json", ...common]);
    expect([ran.status, reportOf(ran).verdict]).toEqual([3, "inconclusive"]);
    expect(reportOf(ran).verdictLine).toMatch(/^TEST ROOT self-consistent \(coordinator\)/);
  });
});

describeEvidence("contrast, insecure documents", () => {
  const at = (name: string): string => evidencePath(`contrast/${name}`);
  const cases = {
    "attest-ok.json": { expect: "reject", codes: ["document-type"] } satisfies Case,
    ...evidenceJson<Record<string, Case>>("contrast/neg-expect.json"),
  };
  test.each(Object.entries(cases))("%s", async (name, expected) => {
    const ran = await runPm([
      "coordinator",
      "attest",
      "--response",
      at(name),
      "--request",
      at("attest-request.json"),
      "--at",
      "2027-01-01T00:00:00Z",
      "--offline",
      "--json",
    ]);
    expect(ran.status).toBe(1);
    expect(
      expected.codes?.some((code) => openCodes(ran).includes(code)),
      openCodes(ran).join(", "),
    ).toBe(true);
    if (name.startsWith("neg-19")) expect(ran.stdout).toContain("999.0.1");
  });
  test("privatemode-attest-ok.json", async () => {
    const ran = await runPm([
      "coordinator",
      "attest",
      "--response",
      at("privatemode-attest-ok.json"),
      "--request",
      at("privatemode-attest-request.json"),
      "--at",
      "2027-01-01T00:00:00Z",
      "--offline",
      "--json",
    ]);
    expect(ran.status).toBe(1);
    expect(openCodes(ran)).toContain("document-type");
  });
});
