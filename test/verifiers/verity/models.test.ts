/** models.yaml and the StorageClasses of older releases: read in one way or refused with file and line. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelsYaml, storageClassesYaml } from "../../../fixtures/generator/models.ts";
import { privatemodeDisks } from "../../../fixtures/generator/privatemode.ts";
import { prng } from "../../../fixtures/generator/prng.ts";
import { PmError } from "../../../src/errors.ts";
import { normalizedName } from "../../../src/verifiers/verity/model-name.ts";
import { decodeModels, type ModelsForm } from "../../../src/verifiers/verity/models.ts";

const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));
const random = prng("models");
const disks = privatemodeDisks(random);
const whole = Buffer.from(modelsYaml(random, disks)).toString();
const older = Buffer.from(storageClassesYaml(disks)).toString();

const root = (digit: string): string => digit.repeat(64);
const entry = (more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    model_source: "https://models.example/demo/granite",
    commit_hash: "c".repeat(40),
    excluded_files: "",
    root_hash: root("a"),
    hash_offset: "8192",
    erofs_version: "1.9",
    veritysetup_version: "2.7.5",
    file_hash_sha256: root("f"),
    ...more,
  });
const map = (...values: readonly string[]): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: model-disks }\ndata:\n${values.map((v, i) => `  model-${i}: |\n    ${v}\n`).join("")}`;
const read = (text: string, form: ModelsForm = "models") => decodeModels(utf8(text), "models.yaml", form);
function refusal(text: string, form: ModelsForm = "models"): string {
  try {
    read(text, form);
  } catch (error) {
    if (error instanceof PmError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "read";
}

describe("models.yaml", () => {
  test("is read: each entry with what it says and its line", () => {
    const { entries, unknown } = read(whole);
    expect(unknown).toEqual([]);
    expect(
      entries
        .slice(0, -1)
        .map(({ rootHash, commit, source, hashOffset, excluded }) => [rootHash, commit, source, hashOffset, excluded]),
    ).toEqual(disks.map((d) => [d.root, d.commit, d.source, d.hashOffset, d.excluded]));
    const line = 1 + whole.split("\n").findIndex((l) => l.includes("demo-granite"));
    expect(entries[0]?.where).toBe(`line ${line}, /data/demo-granite-7b-v1`);
  });
  test("among other objects", () => {
    const other = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: other }\ndata: { a: b }\n";
    expect(read(`${other}---\n${map(entry())}`).entries).toHaveLength(1);
  });
  test("with upper-case hex, in any YAML form of a text", () => {
    const said = entry({ root_hash: root("A"), commit_hash: "C".repeat(40) });
    const quoted = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: model-disks }\ndata: { one: '${said}' }\n`;
    expect(read(quoted).entries.map((e) => [e.name, e.rootHash, e.commit])).toEqual([
      ["one", root("a"), "c".repeat(40)],
    ]);
  });
  test("names members that it does not know, with their line", () => {
    const { unknown, entries } = read(map(entry({ signature: "x" })));
    expect(entries).toHaveLength(1);
    expect(unknown).toEqual([{ name: "signature", where: "line 6, /data/model-0" }]);
  });
  test.each<readonly [string, string, string]>([
    ["no data", map().replace("data:\n", ""), "holds no model"],
    ["an empty ConfigMap", map(), "holds no model"],
    ["nothing", "", "no ConfigMap model-disks"],
    ["another ConfigMap", map(entry()).replace("model-disks", "models"), "no ConfigMap model-disks"],
    ["two of them", `${map(entry())}---\n${map(entry({ root_hash: root("b") }))}`, "2 ConfigMaps model-disks"],
    ["binary data", `${map(entry())}binaryData: { x: aGk= }\n`, "binaryData is not read"],
    ["no YAML", "{", "models.yaml: line"],
    [
      "a value that is no text",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: model-disks }\ndata: { a: 1 }\n",
      "line 4, /data/a: needs a text",
    ],
    ["a value that is no JSON", map("{"), "line 5, /data/model-0, JSON text: line 2, column 1"],
    ["a list", map("[]"), "line 5, /data/model-0: not a JSON object"],
    ["a member twice", map(entry().replace("{", '{"root_hash":"x",')), 'member "root_hash" stands there twice'],
    ["a number as hash_offset", map(entry({ hash_offset: 8192 })), "line 6, /data/model-0: hash_offset: needs a text"],
    ["no root hash", map(entry({ root_hash: undefined })), "line 5, /data/model-0: no root_hash"],
    ["no list of excluded files", map(entry({ excluded_files: undefined })), "no excluded_files"],
    ["63 digits", map(entry({ root_hash: "a".repeat(63) })), "line 6, /data/model-0: root_hash: not 64 hex digits"],
    ["65 digits", map(entry({ root_hash: "a".repeat(65) })), "root_hash: not 64 hex digits"],
    ["an empty root hash", map(entry({ root_hash: "" })), "root_hash: not 64 hex digits"],
    ["a short commit", map(entry({ commit_hash: "abcdef0" })), "commit_hash: not 40 or 64 hex digits"],
    ["a branch", map(entry({ commit_hash: "main" })), "commit_hash: not 40 or 64 hex digits"],
    ["no source", map(entry({ model_source: " " })), "model_source: not a model's source"],
    ["an offset in words", map(entry({ hash_offset: "0x2000" })), "hash_offset: not a number of bytes"],
    ["an offset of nothing", map(entry({ hash_offset: "0" })), "hash_offset: not a number of bytes"],
    ["an offset beyond a double", map(entry({ hash_offset: "9".repeat(17) })), "hash_offset: not a number of bytes"],
    ["an offset between blocks", map(entry({ hash_offset: "8193" })), "hash_offset: 8193 is no multiple of 4096"],
    [
      "one root hash twice",
      map(entry(), entry({ commit_hash: "d".repeat(40) })),
      `root_hash ${root("a")} stands at line 5`,
    ],
    ["one root hash in two cases", map(entry(), entry({ root_hash: root("A") })), "stands at line 5"],
  ])("refuses %s", (_, text, message) => {
    expect(refusal(text)).toContain(message);
    expect(refusal(text)).toMatch(/^PM_EVIDENCE_MALFORMED models\.yaml: /);
  });
  test("any bytes give a list or a PmError", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.nat(whole.length - 1), fc.string({ maxLength: 3 }))
        .map(([at, put]) => utf8(whole.slice(0, at) + put + whole.slice(at + 1))),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom<ModelsForm>("models", "storage-classes"), (input, form) => {
        try {
          expect(decodeModels(input, "models.yaml", form).entries.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(PmError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("StorageClasses of older releases", () => {
  const classes = (text: string) => read(text, "storage-classes");
  test("are read, without a hash offset", () => {
    expect(classes(older).entries.map(({ rootHash, commit, hashOffset }) => [rootHash, commit, hashOffset])).toEqual(
      disks.map((d) => [d.root, d.commit, undefined]),
    );
  });
  test("beside classes of other storage, and in a List", () => {
    const plain = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: { name: fast }\nprovisioner: a\n";
    expect(classes(`${plain}---\n${older}`).entries).toHaveLength(disks.length);
    const [first = ""] = older.split("---\n");
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${first.trimEnd().replaceAll("\n", "\n  ")}\n`;
    expect(classes(list).entries).toHaveLength(1);
  });
  test.each<readonly [string, string, string]>([
    ["a class with a root hash alone", older.replace(/ {4}privatemode\S*commit_hash.*\n/, ""), "no commit_hash"],
    ["a root hash that is none", older.replace(/root_hash: "../, 'root_hash: "zz'), "root_hash: not 64 hex digits"],
    ["no class with annotations", older.replaceAll("privatemode.edgeless.systems/", "other/"), "holds no model"],
    ["models.yaml", whole, "holds no model"],
  ])("refuses %s", (_, text, message) => expect(refusal(text, "storage-classes")).toContain(message));
  test("names an annotation that it does not know", () => {
    const { unknown } = classes(older.replace("disk_size_gb", "disk_size"));
    expect(unknown.map((u) => u.name)).toEqual(["privatemode.edgeless.systems/disk_size"]);
  });
  test("are not taken for models.yaml", () => expect(refusal(older)).toContain("no ConfigMap model-disks"));
});

test.each([
  // Measured with the builder's script.
  ["https://HOST/nvidia/Kimi-K2.5-NVFP4", "nvidia-kimi-k2-5-nvfp4"],
  ["https://HOST/a/x.v1/", "a-x-v1-"],
  ["https://HOST/y/A__B.git", "y-a-b"],
  ["git@host:foo/bar.git", "bar"],
  ["https://HOST/a/b.c", "a-b-c"],
  ["https://HOST/a/b-c", "a-b-c"],
  ["https://HOST/a/é", "a-"],
])("the name of %s is %s", (source, name) => expect(normalizedName(source)).toBe(name));
