import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import ManifestCheck from "../../../src/commands/manifest/check.ts";
import type { Report } from "../../../src/report/report.ts";

const root = fileURLToPath(new URL("../../../package.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pm-manifest-"));
afterAll(() => rmSync(folder, { recursive: true }));
const good = {
  Policies: { ["ab".repeat(32)]: { SANs: ["*"], Role: "coordinator" } },
  ReferenceValues: {
    snp: [
      {
        ProductName: "Genoa",
        TrustedMeasurement: "11".repeat(48),
        MinimumTCB: { BootloaderVersion: 10, TEEVersion: 0, SNPVersion: 28, MicrocodeVersion: 88 },
      },
    ],
  },
};

async function check(text: string, ...flags: string[]): Promise<Report> {
  const file = join(folder, "manifest.json");
  writeFileSync(file, text);
  const printed = await ManifestCheck.run([file, "--json", "--at", "1800000000", ...flags], { root });
  expect(printed.json()).toBe(
    (await ManifestCheck.run([file, "--json", "--at", "1800000000", ...flags], { root })).json(),
  );
  return JSON.parse(printed.json()) as Report;
}
const codes = (report: Report) =>
  report.claims.filter((c) => c.owed && c.status !== "pass").map((c) => c.code ?? c.status);

describe("pm manifest check", () => {
  it("is verified with findings, and shows both hashes", async () => {
    const report = await check(`${JSON.stringify(good, null, 2)}\n`);
    expect(report).toMatchObject({ verdict: "verified", exitCode: 0, verdictLine: "verified (manifest)" });
    expect(report.claims.filter((c) => c.status === "fail").map((c) => c.code)).toEqual([
      "chip-list-empty",
      "tcb-minimum-low",
      "platform-unknown",
    ]);
    const shown = report.evidence["manifest"] as { manifest: Record<string, string> };
    expect(shown.manifest["sha256"]).toMatch(/^[0-9a-f]{64}$/);
    expect(shown.manifest["reserializedSha256"]).not.toBe(shown.manifest["sha256"]);
  });
  it.each([
    ["{", [], 1, ["manifest-malformed", "error", "error"]],
    [JSON.stringify({ ...good, APEIP: 1 }), [], 1, ["manifest-ambiguous", "error"]],
    [JSON.stringify({ ...good, Policies: {} }), [], 1, ["manifest-invalid"]],
    [
      JSON.stringify(good).replace('"ProductName"', '"APEIP":"0080b004","ProductName"'),
      ["--contrast-version", "main"],
      0,
      [],
    ],
  ])("answers %s", async (text, flags, exitCode, open) => {
    const report = await check(text, ...flags);
    expect(report.exitCode).toBe(exitCode);
    expect(codes(report)).toEqual(open);
  });
  it("refuses a version whose rules it does not know", async () => {
    await expect(check("{}", "--contrast-version", "v2.0")).rejects.toMatchObject({ code: "PM_USAGE" });
  });
});
