/** Reports of the evidence's lists through `pm snp verify`: exit status and reason code as each row says. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { reportOf, runPm } from "../command.ts";
import { describeEvidence, evidence, evidenceJson, evidencePath } from "../evidence.ts";

type Op = { xor: [number, number] } | { set: [number, string] } | { truncate: number } | { append: string };
interface Row {
  readonly id: string;
  readonly report: string | null;
  readonly form?: string;
  readonly vek: string | null;
  readonly intermediate: string;
  readonly root: string;
  readonly anchor: "amd-pinned" | "synthetic-ark";
  readonly crl: string | null;
  readonly at: string;
  readonly ops?: readonly Op[];
  readonly vekOps?: readonly Op[];
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly expect: "accept" | "reject";
  readonly reason: string;
  readonly reasonAlso?: readonly string[];
}
interface List {
  readonly cases: readonly Row[];
  readonly include?: readonly string[];
  readonly classes?: Readonly<Record<string, { readonly exit: string; readonly reasons: readonly string[] }>>;
}

function changed(bytes: Uint8Array, ops: readonly Op[] = []): Uint8Array {
  let out = Buffer.from(bytes);
  for (const op of ops) {
    if ("xor" in op) {
      const at = op.xor[0] < 0 ? out.length + op.xor[0] : op.xor[0];
      out.writeUInt8(out.readUInt8(at) ^ op.xor[1], at);
    } else if ("set" in op) Buffer.from(op.set[1], "hex").copy(out, op.set[0]);
    else if ("truncate" in op) out = out.subarray(0, op.truncate);
    else out = Buffer.concat([out, Buffer.from(op.append, "hex")]);
  }
  return out;
}

describeEvidence("snp/cases.json", () => {
  const main = evidenceJson<List>("snp/cases.json");
  const rows = ["cases.json", ...(main.include ?? [])].flatMap((list) =>
    evidenceJson<List>(`snp/${list}`).cases.map((row) => ({ ...row, folder: dirname(`snp/${list}`) })),
  );
  /** A single finding of a class that is not simply "no" ends with another status. */
  const exits: Readonly<Record<string, number>> = { failed: 1, inconclusive: 3, unavailable: 4 };
  const exitOf = (reason: string): number =>
    Object.values(main.classes ?? {}).flatMap((c) => (c.reasons.includes(reason) ? [exits[c.exit] ?? -1] : []))[0] ?? 1;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "pm-snp-"));
  });

  test("has rows of reports", () => expect(rows.filter((r) => r.report !== null).length).toBeGreaterThan(90));

  test.each(rows.filter((r) => r.report !== null).map((r) => [r.id, r] as const))("%s", async (id, row) => {
    const at = (path: string): string => join(row.folder, path);
    const put = (name: string, bytes: Uint8Array): string => {
      const path = join(folder, `${id.replaceAll("/", "_")}.${name}`);
      writeFileSync(path, bytes);
      return path;
    };
    const args = [
      "snp",
      "verify",
      put("report", changed(evidence(at(row.report ?? "")), row.ops)),
      ...(row.vek === null ? [] : ["--vek", put("vek", changed(evidence(at(row.vek)), row.vekOps))]),
      "--chain",
      evidencePath(at(row.intermediate)),
      ...(row.crl === null ? ["--allow-unchecked-revocation"] : ["--crl", evidencePath(at(row.crl))]),
      ...(row.anchor === "synthetic-ark" ? ["--insecure-trust-root", evidencePath(at(row.root))] : []),
      ...(row.policy === undefined
        ? []
        : ["--policy-file", put("policy.json", Buffer.from(JSON.stringify(row.policy)))]),
      "--at",
      row.at,
      "--authentic-only",
      "--offline",
      "--json",
    ];
    const ran = await runPm(args);
    const report = reportOf(ran);
    const codes = report.claims.flatMap((c) => (c.status === "pass" || c.code === undefined ? [] : [c.code]));
    if (row.expect === "accept") {
      expect([ran.status, report.verdictLine.replace("TEST ROOT ", "")], codes.join(", ")).toEqual([
        0,
        "authentic (snp report)",
      ]);
      return;
    }
    const wanted = [row.reason, ...(row.reasonAlso ?? [])];
    const found = wanted.filter((code) => codes.includes(code));
    expect(found.length, `${codes.join(", ")} instead of ${wanted.join(", ")}`).toBeGreaterThan(0);
    expect(wanted.map(exitOf), `exit ${ran.status}`).toContain(ran.status);
  });
});
