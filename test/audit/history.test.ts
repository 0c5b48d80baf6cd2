/** `pm manifest diff`, `pm policy diff` and `pm manifest history` as commands: statuses, JSON, and what a log can have wrong. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type ApiForm, answerBody } from "../../fixtures/generator/answer.ts";
import { latestTransition } from "../../fixtures/generator/contrast.ts";
import { manifestBytes } from "../../fixtures/generator/manifest.ts";
import { sharedDeployment, variantDeployment } from "../../fixtures/generator/shared.ts";
import type { Printed } from "../../src/command.ts";
import ManifestDiff from "../../src/commands/manifest/diff.ts";
import ManifestHistory from "../../src/commands/manifest/history.ts";
import PolicyDiff from "../../src/commands/policy/diff.ts";
import { PmError } from "../../src/errors.ts";
import type { Exchange } from "../../src/run.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { attestRequest } from "../../src/verifiers/contrast/index.ts";

const root = fileURLToPath(new URL("../../package.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pm-history-"));
afterAll(() => rmSync(folder, { recursive: true }));
const d = sharedDeployment();
const updated = variantDeployment({ updates: 2 });
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const write = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const shown = (p: Printed): string => p.text({ width: 100, color: false });
const lastLine = (p: Printed): string => shown(p).trimEnd().split("\n").at(-1) ?? "";
const refusal = async (run: Promise<unknown>): Promise<PmError> => {
  const error: unknown = await run.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error instanceof PmError) return error;
  throw new Error(`no PmError: ${String(error)}`);
};

describe("pm manifest diff", () => {
  const a = write("a.json", d.manifest);
  const [first] = d.manifestValue.ReferenceValues.snp;
  if (first === undefined) throw new Error("no reference value");
  const lower = { ...first, MinimumTCB: { ...first.MinimumTCB, SNPVersion: first.MinimumTCB.SNPVersion - 1 }, CPUs: 2 };
  const b = write("b.json", manifestBytes({ ...d.manifestValue, ReferenceValues: { snp: [lower] } }));

  it("ends with 0 for the same bytes, with 1 for others, and counts the grades", async () => {
    const same = await ManifestDiff.run([a, a], { root });
    expect([same.exitCode, lastLine(same)]).toEqual([0, "equal"]);
    const other = await ManifestDiff.run([a, b], { root });
    expect([other.exitCode, lastLine(other)]).toEqual([1, "different: 1 weaker, 0 unknown, 0 stronger, 1 neutral"]);
  });
  it("prints one JSON document without the files' names", async () => {
    const json = JSON.parse((await ManifestDiff.run([a, b, "--json"], { root })).json()) as unknown;
    const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    const at = "/ReferenceValues/snp/0";
    expect(json).toEqual({
      schemaVersion: 1,
      a: { sha256, problems: [] },
      b: { sha256, problems: [] },
      equal: false,
      counts: { weaker: 1, stronger: 0, neutral: 1, unknown: 0 },
      changes: [
        {
          at: `${at}/MinimumTCB/SNPVersion`,
          grade: "weaker",
          before: first.MinimumTCB.SNPVersion,
          after: lower.MinimumTCB.SNPVersion,
          meaning: "SNPVersion may be lower than before",
        },
        {
          at: `${at}/CPUs`,
          grade: "neutral",
          before: 1,
          after: 2,
          meaning: expect.stringContaining("vCPUs") as string,
        },
      ],
      omitted: 0,
    });
  });
  it("names the rules that a manifest breaks, and compares it all the same", async () => {
    const invalid = write(
      "invalid.json",
      text(d.manifest)
        .replace('"SMT": true', '"SMT": true, "Debug": true')
        .replace(/"Debug": false,?/, ""),
    );
    const printed = await ManifestDiff.run([a, invalid, "--json"], { root });
    const json = JSON.parse(printed.json()) as { b: { problems: string[] }; changes: { grade: string }[] };
    expect(json.b.problems.join()).toContain("allows debugging");
    expect(json.changes.map((c) => c.grade)).toEqual(["weaker"]);
  });
  it("refuses what two readers read differently, stdin twice, and a third version", async () => {
    const twice = write("twice.json", text(d.manifest).replace('"Policies"', '"policies"'));
    expect(await refusal(ManifestDiff.run([a, twice], { root }))).toMatchObject({
      code: "PM_EVIDENCE_MALFORMED",
      reasonCode: "manifest-ambiguous",
    });
    expect(await refusal(ManifestDiff.run(["-", "-"], { root }))).toMatchObject({ code: "PM_USAGE" });
    const versions = ["v1.20", "v1.20", "v1.20"].flatMap((v) => ["--contrast-version", v]);
    expect(await refusal(ManifestDiff.run([a, b, ...versions], { root }))).toMatchObject({ code: "PM_USAGE" });
    expect(await refusal(ManifestDiff.run([a, b, "--contrast-version", "v9"], { root }))).toMatchObject({
      code: "PM_USAGE",
    });
  });
  it("never shows more than a thousand changes, and among them every weaker one", async () => {
    const many = (sans: string[]) => {
      const [key = ""] = Object.keys(d.manifestValue.Policies);
      const entry = d.manifestValue.Policies[key];
      if (entry === undefined) throw new Error("no policy");
      return manifestBytes({
        ...d.manifestValue,
        Policies: { ...d.manifestValue.Policies, [key]: { ...entry, SANs: sans } },
      });
    };
    const names = (word: string) => Array.from({ length: 900 }, (_, i) => `${word}-${i}`);
    const [x, y] = [write("x.json", many(names("old"))), write("y.json", many(names("new")))];
    const json = JSON.parse((await ManifestDiff.run([x, y, "--json"], { root })).json()) as {
      omitted: number;
      counts: object;
      changes: { grade: string }[];
    };
    expect(json).toMatchObject({ omitted: 800, counts: { weaker: 900, stronger: 900 } });
    expect(json.changes).toHaveLength(1000);
    expect(json.changes.filter((c) => c.grade === "weaker")).toHaveLength(900);
  });
});

describe("pm policy diff", () => {
  const [one, two] = d.policies;
  if (one === undefined || two === undefined) throw new Error("no policies");
  it("ends with 0 for one document in two carriers, with 1 for another document", async () => {
    const { gzipSync } = await import("node:zlib");
    const document = write("one.toml", one.body);
    const annotation = write("one.txt", `${gzipSync(one.body).toString("base64")}\n`);
    expect((await PolicyDiff.run([document, annotation], { root })).exitCode).toBe(0);
    const other = await PolicyDiff.run([document, write("two.toml", two.body), "--json"], { root });
    expect(other.exitCode).toBe(1);
    expect(JSON.parse(other.json())).toMatchObject({ a: { sha256: one.key }, b: { sha256: two.key }, equal: false });
    expect(shown(other)).not.toMatch(/verified/);
  });
  it("refuses what is no policy, with the file's name", async () => {
    const error = await refusal(PolicyDiff.run([write("one.toml", one.body), write("none.toml", "nothing")], { root }));
    expect(error).toMatchObject({ code: "PM_EVIDENCE_MALFORMED", reasonCode: "initdata-malformed" });
    expect(error.message).toContain("none.toml");
  });
});

const nonce = new Uint8Array(32).fill(1);
async function bundleOf(
  name: string,
  form: ApiForm,
  body: Uint8Array,
  more: readonly Exchange[] = [],
): Promise<string> {
  const path = join(folder, name);
  const at = "2026-01-01T00:00:00Z";
  await writeBundle(path, {
    capturedAt: at,
    exchanges: [{ request: attestRequest(form, nonce), response: { status: "ok", bytes: body, at } }, ...more],
  });
  return path;
}
interface HistoryJson {
  readonly source: object;
  readonly problems: readonly string[];
  readonly manifests: readonly {
    readonly [name: string]: unknown;
    readonly fromPrevious: { readonly equal: boolean; readonly counts: object } | null;
  }[];
}
const jsonOf = (p: Printed): HistoryJson => JSON.parse(p.json()) as HistoryJson;

describe("pm manifest history of a bundle", () => {
  it.each<ApiForm>(["attest", "v1", "privatemode"])(
    "%s: each manifest, its place in the chain, and what changed",
    async (form) => {
      const path = await bundleOf(`${form}.tar`, form, updated.respond(nonce, form));
      const printed = await ManifestHistory.run([path, "--json"], { root });
      const { manifests, problems, source } = jsonOf(printed);
      expect(printed.exitCode).toBe(0);
      expect(source).toMatchObject({ kind: "bundle", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
      expect(problems).toEqual([]);
      expect(manifests.map((m) => [m["readable"], m["valid"]])).toEqual([
        [true, true],
        [true, true],
        [true, true],
      ]);
      expect(manifests.at(-1)?.["transition"]).toBe(Buffer.from(latestTransition(updated.manifests)).toString("hex"));
      expect(manifests.map((m) => m.fromPrevious?.equal)).toEqual([undefined, false, false]);
      expect(manifests.at(-1)?.fromPrevious?.counts).toEqual({ weaker: 0, stronger: 0, neutral: 0, unknown: 4 });
      expect(lastLine(printed)).toMatch(/^3 listed, 3 different manifests, 0 problems; changes: /);
    },
  );
  it("a manifest that is none of one reading is named, and ends with 1", async () => {
    const draft = d.draft(nonce);
    const body = answerBody({ ...draft, shown: { ...draft.shown, manifests: [new Uint8Array([0x7b]), d.manifest] } });
    const printed = await ManifestHistory.run([await bundleOf("broken.tar", "attest", body), "--json"], { root });
    expect(printed.exitCode).toBe(1);
    expect(jsonOf(printed).manifests).toMatchObject([
      { readable: false, valid: false },
      { readable: true, fromPrevious: null },
    ]);
  });
  it("without a manifest, with two answers, and without any", async () => {
    const draft = d.draft(nonce);
    const none = await bundleOf(
      "none.tar",
      "attest",
      answerBody({ ...draft, shown: { ...draft.shown, manifests: [] } }),
    );
    expect((await ManifestHistory.run([none], { root })).exitCode).toBe(1);
    const second: Exchange = {
      request: attestRequest("v1", nonce),
      response: { status: "unavailable", reason: "late" },
    };
    const two = await bundleOf("two.tar", "attest", d.respond(nonce), [second]);
    expect(await refusal(ManifestHistory.run([two], { root }))).toMatchObject({ code: "PM_EVIDENCE_MALFORMED" });
    expect(await refusal(ManifestHistory.run([join(folder, "absent")], { root }))).toMatchObject({ code: "PM_USAGE" });
    expect((await refusal(ManifestHistory.run([write("plain.json", d.manifest)], { root }))).code).toMatch(
      /^PM_(?:USAGE|EVIDENCE_MALFORMED)$/,
    );
  });
});

describe("pm manifest history of a proxy's log", () => {
  let logs = 0;
  function log(lines: readonly string[], files: Readonly<Record<string, Uint8Array>>): string {
    const path = join(folder, `log-${logs++}`, "manifests");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "log.txt"), lines.map((l) => `${l}\n`).join(""));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes);
    return path;
  }
  const [first = new Uint8Array(), second = new Uint8Array()] = updated.manifests;
  const files = { "0.json": first, "1.json": second };
  const lines = [
    "2026-01-01T00:00:00Z manifests/0.json",
    "2026-01-01T02:00:00+01:00 /srv/audit/manifests/0.json",
    "2026-01-02T00:00:00.5Z 1.json",
  ];
  const history = async (path: string) => {
    const printed = await ManifestHistory.run([path, "--json"], { root });
    return { status: printed.exitCode, ...jsonOf(printed) };
  };

  it("lists times, files and digests, and what changed; its parent folder will do", async () => {
    const path = log(lines, files);
    for (const named of [path, join(path, "..")]) {
      const { status, problems, manifests } = await history(named);
      expect([status, problems]).toEqual([0, []]);
      expect(manifests.map((m) => m["file"])).toEqual(["0.json", "0.json", "1.json"]);
      expect(manifests.map((m) => m.fromPrevious?.equal)).toEqual([undefined, true, false]);
      expect(manifests[2]?.["time"]).toBe("2026-01-02T00:00:00.5Z");
    }
  });
  it.each<readonly [string, readonly string[], Readonly<Record<string, Uint8Array>>, string]>([
    ["a missing file", lines, { "0.json": first }, "log.txt line 3: 1.json is missing"],
    ["a file that no line names", lines, { ...files, "2.json": first }, "2.json: no line of log.txt names it"],
    [
      "times out of order",
      [lines[2] ?? "", lines[0] ?? ""],
      files,
      "log.txt line 2: 2026-01-01T00:00:00Z is earlier than",
    ],
    ["a line without a time", ["yesterday 0.json", lines[2] ?? ""], { "1.json": second }, "log.txt line 1: not a time"],
    [
      "a path that is no N.json",
      ["2026-01-01T00:00:00Z /etc/passwd", lines[2] ?? ""],
      { "1.json": second },
      "log.txt line 1: not a time and the path",
    ],
    ["an empty log", [], {}, "the log names no manifest"],
  ])("%s is said, and ends with 1", async (_, text_, there, problem) => {
    const { status, problems } = await history(log(text_, there));
    expect(status).toBe(1);
    expect(problems.join("\n")).toContain(problem);
    expect(problems).toHaveLength(1);
  });
});
