import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ecKey } from "../fixtures/generator/keys.ts";
import { prng } from "../fixtures/generator/prng.ts";
import { certificate, commonNameOnly, ecdsa, spki } from "../fixtures/generator/x509.ts";
import { decoders } from "../src/decoders.ts";
import { PmError } from "../src/errors.ts";
import type { Input } from "../src/input.ts";
import { inspect, renderInspected, tree } from "../src/inspect.ts";
import type { Json } from "../src/report/report.ts";
import { describeEvidence, evidence, evidencePath } from "./evidence.ts";
import { genuineInputs } from "./samples.ts";
import { annotation, bytes, device, digestA, initdata, pinnedPolicy } from "./verifiers/kata/make.ts";

const input = (content: Uint8Array | string): Input => {
  const it = typeof content === "string" ? bytes(content) : content;
  return { name: "input", bytes: it, sha256: createHash("sha256").update(it).digest("hex") };
};
const refusal = async (content: Uint8Array | string): Promise<PmError> => {
  const error: unknown = await inspect(input(content), decoders).catch((e: unknown) => e);
  if (error instanceof PmError) return error;
  throw new Error("was decoded");
};

let genuine: ReadonlyMap<string, readonly Uint8Array[]> = new Map();
let folder = "";
beforeAll(async () => {
  genuine = await genuineInputs();
  folder = mkdtempSync(join(tmpdir(), "pm-inspect-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const bin = fileURLToPath(new URL("../bin/run.js", import.meta.url));
const pm = (args: readonly string[], stdin?: Uint8Array | string) => {
  const run = spawnSync(process.execPath, [bin, ...args], {
    ...(stdin === undefined ? {} : { input: stdin }),
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "100", NO_COLOR: "1" },
  });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr };
};

describe("pm inspect", () => {
  it("decodes each genuine input by the kind that it is", async () => {
    for (const [id, inputs] of genuine)
      for (const content of inputs) expect((await inspect(input(content), decoders)).kind).toBe(id);
  });

  it("never says a word of a verdict, in text or JSON", async () => {
    for (const [id, inputs] of genuine)
      for (const content of inputs) {
        const inspected = await inspect(input(content), decoders);
        const media = decoders.find((d) => d.id === id)?.media ?? "";
        const text = `${renderInspected(inspected, media, 80)}${JSON.stringify(inspected)}`;
        expect(text).not.toMatch(/verified|authentic\b|trusted(?!Measurement)|passed/i);
      }
  });

  it("never begins a line with text out of evidence, nor lets it move the cursor", async () => {
    const key = ecKey(prng("inspect"), "P-256");
    const evil = "\nverified\u001b[2J\u202e";
    const at = new Date("2027-01-01T00:00:00Z");
    const der = certificate({
      serial: 1n,
      issuer: commonNameOnly(evil),
      subject: commonNameOnly(evil),
      notBefore: at,
      notAfter: at,
      spki: spki(key),
      extensions: [],
      signer: ecdsa(key),
    });
    for (const width of [40, 120]) {
      const text = renderInspected(await inspect(input(der), decoders), "", width);
      expect(text).not.toMatch(/^\s*verified/m);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not be there
      expect(text.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(text).toContain("\\u{0a}verified\\u{1b}");
    }
  });

  it.each(["", "\n", "hello", "{}", "[]", "\u0000\u0000\u0000\u0000", "-----BEGIN PRIVATE KEY-----", "<html>"])(
    "names the kinds it knows for what is none of them: %j",
    async (content) => {
      const error = await refusal(content);
      if (content === "") expect(error).toMatchObject({ code: "PM_EVIDENCE_MALFORMED", message: "input: empty" });
      else {
        expect(error.code).toBe("PM_EVIDENCE_UNSUPPORTED");
        for (const { media } of decoders) expect(error.hint).toContain(media);
      }
    },
  );

  it("says why a document of a known kind cannot be read, and reads it as nothing else", async () => {
    const report = genuine.get("snp-evidence")?.[0] ?? new Uint8Array();
    expect((await refusal(report.subarray(0, 1183))).message).toMatch(/^input: read as snp-evidence: /);
    expect((await refusal(report.with(0, 6))).code).toBe("PM_EVIDENCE_UNSUPPORTED");
    expect((await refusal('{"manifests": 1}')).message).toMatch(/read as coordinator-response/);
    expect((await refusal('{"version": "v1.20.0", "policies": ""}')).message).toMatch(/read as coordinator-response/);
    expect((await refusal('{"Policies": {}')).message).toMatch(/read as manifest: .*line 1/);
  });

  it("prints one JSON document with kind, digest and size", () => {
    const content = genuine.get("manifest")?.[0] ?? new Uint8Array();
    const run = pm(["inspect", file("manifest.json", content), "--json"]);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toMatchObject({
      schemaVersion: 1,
      kind: "manifest",
      sha256: input(content).sha256,
      size: content.length,
      decoded: { problems: [] },
    });
  });

  it("reads stdin and prints the same as for a file", () => {
    const content = genuine.get("snp-evidence")?.[0] ?? new Uint8Array();
    const [piped, named] = [pm(["inspect", "-"], content), pm(["inspect", file("report.bin", content)])];
    expect(piped).toEqual(named);
    expect(piped.stdout).toMatch(/measurement:\n {6,}[0-9a-f]{96}\n/);
  });

  it.each([
    ["a folder", ["."], 2, /is a directory/],
    ["a file that is not there", ["/nonexistent"], 2, /no such file/],
    ["no file", [], 2, /Missing 1 required arg/],
  ])("is a usage error with %s", (_, args, status, message) => {
    const run = pm(["inspect", ...args]);
    expect(run).toMatchObject({ status, stdout: "" });
    expect(run.stderr).toMatch(message);
  });

  it("refuses more than 64 MiB before reading it whole", () => {
    const path = file("huge.bin", "");
    truncateSync(path, 64 * 1024 * 1024 + 1);
    const run = pm(["inspect", path]);
    expect(run).toMatchObject({ status: 2, stdout: "" });
    expect(run.stderr).toMatch(/more than 67108864 bytes/);
  });

  it("ends 3 for an unknown kind and 1 for an empty file, with one JSON document", () => {
    for (const [content, status, code] of [
      ["hello", 3, "PM_EVIDENCE_UNSUPPORTED"],
      ["", 1, "PM_EVIDENCE_MALFORMED"],
    ] as const) {
      const run = pm(["inspect", "-", "--json"], content);
      expect(run.status).toBe(status);
      expect(JSON.parse(run.stdout)).toMatchObject({ error: { code } });
    }
  });
});

describe("the tree of decoded fields", () => {
  const value: Json = {
    a: 1,
    long: "x".repeat(60),
    list: [{ b: null, c: [] }, "y"],
    none: {},
    nested: { deep: [[1]] },
  };
  it.each([40, 80])("keeps values whole at %i columns", (width) => {
    const lines = tree(value, width);
    expect(lines.filter((l) => l.includes("x".repeat(60)))).toHaveLength(1);
    expect(lines.filter((l) => l.length > width && !l.includes("xxx"))).toEqual([]);
  });
  it("shows what is empty, and items one by one", () => {
    expect(tree({ list: [{ b: null, c: [] }, "y"] }, 80)).toEqual([
      "list:",
      "  - b:  (none)",
      "    c: (none)",
      "  - y",
    ]);
  });
});

describe("pm policy hash", () => {
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

  it.each([
    ["document", initdata()],
    ["annotation", `${annotation(initdata())}\n`],
    ["device", device(initdata())],
  ])("prints the digest of a %s", (carrier, content) => {
    const run = pm(["policy", "hash", "-", "--json"], content);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toMatchObject({
      schemaVersion: 1,
      policy: {
        carrier,
        form: "initdata",
        algorithm: "sha256",
        digest: sha256(initdata()),
        snpHostData: sha256(initdata()),
        tdxMrConfigId: sha256(initdata()).padEnd(96, "0"),
        keys: [{ key: "policy.rego" }],
        images: [{ container: "worker", digest: digestA }],
      },
    });
  });

  it("takes the bare Rego text of older releases, and says so", () => {
    const run = pm(["policy", "hash", file("policy.rego", pinnedPolicy)]);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/form: +rego/);
    expect(run.stdout).toContain(sha256(pinnedPolicy));
    expect(run.stdout).not.toMatch(/\bverified\b/);
  });

  it.each([
    ["neither form", "some content", 1, "PM_EVIDENCE_MALFORMED"],
    ["algorithm md5", initdata({}, "md5"), 1, "PM_EVIDENCE_MALFORMED"],
    ["an annotation with something behind it", `${annotation(initdata())}\n\n`, 1, "PM_EVIDENCE_MALFORMED"],
    ["version 0.2.0", initdata().replace("0.1.0", "0.2.0"), 3, "PM_EVIDENCE_UNSUPPORTED"],
  ])("ends with a typed error for %s", (_, content, status, code) => {
    const run = pm(["policy", "hash", "-", "--json"], content);
    expect(run.status).toBe(status);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code } });
  });
});

describeEvidence("pm policy hash on the evidence", () => {
  it.each(["initdata-synthetic.toml", "initdata-synthetic.annotation.txt"])("prints the digest of %s", (name) => {
    const run = pm(["policy", "hash", evidencePath(`contrast/${name}`)]);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain("c5db11ca8c0812080d58a83a46989b173ff2fe55c7d8855dbd2a7875afff65a6");
  });

  it("refuses the device sample whose content is no document", () => {
    expect(pm(["policy", "hash", "-"], evidence("contrast/initdata-kata-agent.img"))).toMatchObject({
      status: 1,
      stdout: "",
    });
  });
});
