/** Manifests through `pm manifest check`: each variant as the strict rule of its list says. */
import { expect, test } from "vitest";
import { reportOf, runPm } from "../command.ts";
import { describeEvidence, evidenceJson, evidencePath } from "../evidence.ts";

interface Variant {
  readonly name: string;
  readonly at?: number;
  readonly delete?: number;
  readonly insert?: string;
  readonly strict_verifier: string;
}

describeEvidence("contrast manifests", () => {
  const { manifest_base: base, manifests } = evidenceJson<{ manifest_base: string; manifests: Variant[] }>(
    "contrast/sdk-variants.json",
  );
  const text = ({ at = 0, delete: cut = 0, insert = "" }: Variant): string =>
    base.slice(0, at) + insert + base.slice(at + cut);

  test("are 73 variants", () => expect(manifests.length).toBe(73));
  test.each(manifests.map((v) => [v.name, v] as const))("%s", async (_name, variant) => {
    const ran = await runPm(["manifest", "check", "-", "--json"], { stdin: text(variant) });
    const rejected = variant.strict_verifier.startsWith("reject");
    expect([ran.status, reportOf(ran).exitCode]).toEqual(rejected ? [1, 1] : [0, 0]);
    const failed = reportOf(ran).claims.filter((c) => c.status === "fail");
    if (rejected) expect(failed.some((c) => c.code?.startsWith("manifest-"))).toBe(true);
    else if (/note|warn|report/.test(variant.strict_verifier))
      expect(failed.some((c) => c.grade !== undefined)).toBe(true);
  });

  test.each([
    ["manifest-sdk-test.json", [], 0, undefined],
    ["manifest-privatemode-v1.40-shape.json", [], 0, undefined],
    ["manifest-go-layout.json", [], 0, undefined],
    ["manifest-sdk-test-apeip.json", [], 1, "manifest-ambiguous"],
    ["manifest-privatemode-2025-docs.json", [], 1, "manifest-ambiguous"],
    ["manifest-privatemode-2025-docs.json", ["--contrast-version", "v1.7"], 1, "manifest-invalid"],
  ] as const)("%s %j", async (name, flags, status, code) => {
    const ran = await runPm(["manifest", "check", evidencePath(`contrast/${name}`), "--json", ...flags]);
    expect(ran.status).toBe(status);
    if (code !== undefined) expect(reportOf(ran).claims.some((c) => c.code === code)).toBe(true);
  });
  test("an APEIP entry is a reference value in the versions that have it", async () => {
    const ran = await runPm([
      "manifest",
      "check",
      evidencePath("contrast/manifest-sdk-test-apeip.json"),
      "--contrast-version",
      "main",
      "--json",
    ]);
    expect(ran.status).toBe(0);
  });
});
