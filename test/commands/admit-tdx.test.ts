/** `pm manifest admit` and `pm endpoint verify` of workloads on TDX, in processes of their own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { collateralJson } from "../../fixtures/generator/intel-collateral.ts";
import { type IntelEdit, levelStatus, same, td } from "../../fixtures/generator/intel-edits.ts";
import { makeIntelEvidence } from "../../fixtures/generator/intel-evidence.ts";
import { workload as workloadOf } from "../../fixtures/generator/mesh.ts";
import { tdxLeafDefects } from "../../fixtures/generator/mesh-tdx.ts";
import { type Ran, reportOf, runPm } from "../command.ts";
import { demoPins, removeEndpoints, tdxCertificate, tdxDeployment } from "./endpoint-world.ts";

const root = mkdtempSync(join(tmpdir(), "pm-admit-tdx-"));
afterAll(() => {
  removeEndpoints();
  rmSync(root, { recursive: true, force: true });
});
const d = tdxDeployment();
const workload = workloadOf(d);

let folders = 0;
function admitted(edit: IntelEdit = same, args: readonly string[] = ["--json"], collateral = true): Promise<Ran> {
  const prefix = join(root, String(folders++));
  const write = (name: string, content: Uint8Array | string): string => {
    writeFileSync(`${prefix}-${name}`, content);
    return `${prefix}-${name}`;
  };
  const mrConfigId = new Uint8Array(Buffer.concat([workload.hash, Buffer.alloc(16)]));
  const made = makeIntelEvidence(edit(td({ mrConfigId })(d.evidence)));
  return runPm([
    ...["manifest", "admit", "--evidence", write("quote.bin", made.quote)],
    ...["--manifest", write("manifest.json", d.manifest)],
    ...["--insecure-trust-root", write("root.pem", made.rootPem)],
    ...(collateral ? ["--collateral", write("collateral.json", collateralJson(made.collateral))] : []),
    ...["--at", d.now.toISOString(), "--offline", ...args],
  ]);
}
const open = (ran: Ran): (string | undefined)[] =>
  reportOf(ran)
    .claims.filter((c) => c.owed && c.status !== "pass")
    .map((c) => c.code ?? c.status);

describe("pm manifest admit with TDX evidence", () => {
  it("says for people as whom, by which reference value, and what the Coordinator would do", async () => {
    const ran = await admitted(same, []);
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    for (const line of [
      `workload secret: ${workload.workloadSecretId}`,
      "reference value that fits: /ReferenceValues/tdx/0",
      "the Coordinator: lets in",
    ])
      expect(ran.stdout).toContain(line);
    expect(ran.stdout.trimEnd().split("\n").at(-1)).toBe("TEST ROOT verified (admission)");
  });
  it("fails where the platform is out of date, and says that the Coordinator does not look", async () => {
    const ran = await admitted(levelStatus("OutOfDate"));
    expect(ran.status).toBe(1);
    expect(open(ran)).toEqual(["TCB_OUT_OF_DATE"]);
    expect(reportOf(ran).claims.find((c) => c.id === "chain.admission.coordinator_checks")).toMatchObject({
      grade: "weaker",
      code: "coordinator-laxer",
    });
    expect(reportOf(ran).evidence["admission"]).toMatchObject({ coordinator: "lets in" });
  });
  it("is never verified without collateral", async () => {
    const ran = await admitted(same, ["--json"], false);
    expect([ran.status, reportOf(ran).verdict]).not.toContain(0);
    expect(["unavailable", "inconclusive"]).toContain(reportOf(ran).verdict);
  });
});

describe("pm endpoint verify with a workload on TDX", () => {
  it("is verified, and says what no certificate shows", async () => {
    const ran = await tdxCertificate(undefined, demoPins);
    expect(ran.status, ran.stdout).toBe(0);
    const report = reportOf(ran);
    expect(report.claims.find((c) => c.id === "contrast.mesh.tcb")).toMatchObject({ status: "skip", owed: false });
    expect(report.notProven.some((line) => line.startsWith("TCB of a trust domain:"))).toBe(true);
  });
  it("fails for a trust domain that may be debugged", async () => {
    const ran = await tdxCertificate(tdxLeafDefects.debug, demoPins);
    expect([ran.status, open(ran)]).toEqual([1, ["TD_ATTRIBUTES_MISMATCH"]]);
  });
});
