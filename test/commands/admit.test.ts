/** `pm manifest admit` in a process of its own: statuses, verdict lines and what people read. */
import { afterAll, describe, expect, it } from "vitest";
import { tampers } from "../../fixtures/generator/tamper.ts";
import { reportOf } from "../command.ts";
import { admitted, deployment, evidenceOf, removeAdmitWorld, workload } from "./admit-world.ts";

afterAll(removeAdmitWorld);
const lastLine = (stdout: string): string => stdout.trimEnd().split("\n").at(-1) ?? "";

describe("pm manifest admit", () => {
  it("says for people as whom, by which reference value, and what the Coordinator would do", async () => {
    const ran = await admitted({ policies: { "a.toml": workload.body }, args: [] });
    expect(ran.status, ran.stderr).toBe(0);
    for (const line of [
      "name in the mesh: secret.demo.example",
      `workload secret: ${workload.workloadSecretId}`,
      "reference value that fits: /ReferenceValues/snp/0",
      "the Coordinator: lets in",
    ])
      expect(ran.stdout).toContain(line);
    expect(lastLine(ran.stdout)).toBe("TEST ROOT verified (admission)");
    expect(ran.stdout).toContain("Handshake: REPORT_DATA");
  });
  it("fails where the report key is revoked, and says that the Coordinator does not look", async () => {
    const ran = await admitted({ evidence: evidenceOf((x) => tampers.crlRevokesVcek.apply(x, deployment)) });
    expect(ran.status).toBe(1);
    const report = reportOf(ran);
    expect(report.claims.filter((c) => c.owed && c.status !== "pass").map((c) => c.code)).toEqual(["revoked"]);
    expect(report.claims.find((c) => c.id === "chain.admission.coordinator_checks")).toMatchObject({
      grade: "weaker",
      code: "coordinator-laxer",
    });
    expect(report.evidence["admission"]).toMatchObject({ coordinator: "lets in" });
  });
  it("ends with 3 for a policy that is not at hand, and with 4 without collateral", async () => {
    const other = await admitted({ policies: { "other.toml": deployment.coordinator.body } });
    expect([other.status, reportOf(other).verdict]).toEqual([3, "inconclusive"]);
    const bare = await admitted({ evidence: evidenceOf((x) => ({ ...x, chain: {} })) });
    expect([bare.status, reportOf(bare).verdict]).toEqual([4, "unavailable"]);
  });
  it("ends with 2 and no report for TDX evidence under AMD's test root, and for a folder that is none", async () => {
    const quote = new Uint8Array(5000);
    quote.set([4, 0, 2, 0, 0x81, 0, 0, 0]);
    const tdx = await admitted({ evidence: quote });
    expect([tdx.status, JSON.parse(tdx.stdout)]).toMatchObject([2, { error: { code: "PM_USAGE" } }]);
    expect((await admitted({ args: ["--policies", "/nonexistent", "--json"] })).status).toBe(2);
    expect((await admitted({ policies: {} })).status).toBe(2);
  });
});
