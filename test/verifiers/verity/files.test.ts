/** A disk's files against a commit: each with exactly one thing wrong. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changed, directory, type ErofsNode, file, makeErofs, symlink } from "../../../fixtures/generator/erofs.ts";
import type { Origin } from "../../../src/claims/answer.ts";
import { cannot } from "../../../src/claims/answer.ts";
import { listErofs } from "../../../src/verifiers/verity/erofs/index.ts";
import { decodeExpect } from "../../../src/verifiers/verity/expect.ts";
import { filesBlocked, judgeFiles, type RootQuestion } from "../../../src/verifiers/verity/files.ts";
import {
  blobId,
  type ExpectOptions,
  edited,
  expectText,
  imageOf,
  type Model,
  model,
  nodesOf,
  pointerTo,
  sha256,
  treeOf,
  weights,
} from "../../disk-world.ts";

const source: Origin = { kind: "pinned", file: "expect.json", sha256: "00".repeat(32) };

interface Question {
  readonly of?: Model;
  readonly options?: ExpectOptions;
  readonly root?: RootQuestion;
}
function judge(image: Uint8Array, { of = model, options = {}, root }: Question = {}) {
  const read = (offset: number, length: number): Uint8Array => image.slice(offset, offset + length);
  const tree = listErofs({ name: "disk.img", sizeBytes: image.length, read });
  const digests = new Map(
    tree.entries
      .filter((e) => e.kind === "file")
      .map((e) => {
        const bytes = Buffer.concat(e.extents.map((x) => read(x.offset ?? 0, x.length)));
        return [e.path, { sha256: sha256(bytes), gitSha1: blobId(bytes) }] as const;
      }),
  );
  const expected = decodeExpect(Buffer.from(expectText(of, options)), "expect.json");
  return judgeFiles({ image: "disk.img", tree, digests, expected, source, root });
}
const equalOf = (image: Uint8Array, question: Question = {}) => judge(image, question).answers["verity.files.equal"];

test("the disk of the commit holds its files, and nothing else", () => {
  const { answers, differences } = judge(imageOf());
  expect(differences).toEqual([]);
  expect(answers["verity.files.equal"]).toMatchObject({ status: "pass", expected: { origin: source } });
  expect(answers["verity.files.root"].status).toBe("skip");
  for (const id of ["metadata", "excluded", "code"] as const) expect(answers[`verity.files.${id}`].status).toBe("pass");
});

const others = Buffer.from(weights);
others[9_999] = (others[9_999] ?? 0) ^ 1;
test.each<[string, Record<string, ErofsNode | undefined>, string, string]>([
  ["a missing file", { "README.md": undefined }, "file-missing", "README.md"],
  ["a missing empty file", { empty: undefined }, "file-missing", "empty"],
  ["a missing link", { latest: undefined }, "file-missing", "latest"],
  ["a further file", { "extra.json": file("") }, "file-surplus", "extra.json"],
  ["a further hidden file", { ".extra": file("x") }, "file-surplus", ".extra"],
  ["a further link", { "weights/x": symlink("/etc/passwd") }, "file-surplus", "weights/x"],
  ["a further empty folder", { extra: directory({}) }, "file-surplus", "extra"],
  ["a further folder in a known one", { "weights/extra": directory({}) }, "file-surplus", "weights/extra"],
  ["a further device", { sda: { kind: "block" } }, "file-surplus", "sda"],
  ["a further pipe", { pipe: { kind: "fifo" } }, "file-surplus", "pipe"],
  ["a name in another case", { "readme.md": file("# A model\n") }, "file-surplus", "readme.md"],
  ["one byte changed in a small file", { "config.json": file("{ }") }, "file-differs", "config.json"],
  ["a byte more", { "README.md": file("# A model\n\n") }, "file-differs", "README.md"],
  ["content in an empty file", { empty: file("x") }, "file-differs", "empty"],
  [
    "one bit in the last byte of the weights",
    { "weights/model.safetensors": file(others) },
    "file-differs",
    "weights/model.safetensors",
  ],
  [
    "weights cut short",
    { "weights/model.safetensors": file(weights.slice(0, -1)) },
    "file-differs",
    "weights/model.safetensors",
  ],
  ["empty weights", { "weights/model.safetensors": file("") }, "file-differs", "weights/model.safetensors"],
  [
    "the pointer in place of the weights",
    { "weights/model.safetensors": file(pointerTo(weights)) },
    "lfs-pointer",
    "weights/model.safetensors",
  ],
  [
    "another pointer in place of the weights",
    { "weights/model.safetensors": file(pointerTo(others)) },
    "file-differs",
    "weights/model.safetensors",
  ],
  ["a link with another target", { latest: symlink("weights/model.safetensor5") }, "file-differs", "latest"],
  ["a file with a link's target as content", { latest: file("weights/model.safetensors") }, "file-kind", "latest"],
  ["a link to a file of the same content", { "README.md": symlink("# A model\n") }, "file-kind", "README.md"],
  ["a folder in place of a file", { empty: directory({}) }, "file-kind", "empty"],
  ["a device in place of a file", { empty: { kind: "character" } }, "file-kind", "empty"],
])("%s is found", (_, edits, code, path) => {
  const { answers, differences } = judge(edited(edits));
  expect(answers["verity.files.equal"]).toMatchObject({ status: "fail", code });
  expect(answers["verity.files.equal"].reason).toContain(path);
  expect(differences).toEqual([expect.objectContaining({ code, path })]);
  expect(answers["verity.files.equal"].expected?.value).not.toBe(answers["verity.files.equal"].actual?.value);
});

test("an empty disk lacks every file", () => {
  const { answers, differences } = judge(makeErofs(directory({})).bytes);
  expect(answers["verity.files.equal"]).toMatchObject({ status: "fail", code: "file-missing" });
  expect(differences).toHaveLength(Object.keys(model).length);
});

test("a name cannot pose as two", () => {
  const name = `a" blob ${blobId("")}, 0 bytes\n"b`;
  const image = edited({ [name]: file("") });
  expect(equalOf(image)).toMatchObject({ status: "fail", code: "file-surplus" });
});

test("two files with swapped content are two differences", () => {
  const image = edited({ "README.md": file("{}\n"), "config.json": file("# A model\n") });
  expect(judge(image).differences.map((d) => d.path)).toEqual(["README.md", "config.json"]);
});

test("a file without digests is a bug, not an equal file", () => {
  const image = imageOf();
  const read = (offset: number, length: number): Uint8Array => image.slice(offset, offset + length);
  const tree = listErofs({ name: "disk.img", sizeBytes: image.length, read });
  const expected = decodeExpect(Buffer.from(expectText()), "expect.json");
  const input = { image: "disk.img", tree, digests: new Map(), expected, source, root: undefined };
  expect(() => judgeFiles(input)).toThrow(expect.objectContaining({ code: "PM_BUG" }));
});

test("a repository with SHA-256 ids is not compared, and does not pass", () => {
  const text = expectText({}, {})
    .replace('"sha1"', '"sha256"')
    .replace(/"commit": ".*"/, `"commit": "${"c".repeat(64)}"`);
  const one = { path: "a", mode: "100644", blob: "1".repeat(64), sizeBytes: 0 };
  const expected = decodeExpect(Buffer.from(text.replace('"files": []', `"files": [${JSON.stringify(one)}]`)), "e");
  const image = makeErofs(directory({ a: file("") })).bytes;
  const read = (offset: number, length: number): Uint8Array => image.slice(offset, offset + length);
  const tree = listErofs({ name: "disk.img", sizeBytes: image.length, read });
  const input = { image: "disk.img", tree, digests: new Map(), expected, source, root: undefined };
  expect(judgeFiles(input).answers["verity.files.equal"].status).toBe("error");
});

describe("submodules", () => {
  const options = { submodules: ["third/party"] };
  test("are empty folders", () => {
    expect(equalOf(edited({ "third/party": directory({}) }), { options }).status).toBe("pass");
  });
  test.each<[string, Record<string, ErofsNode>, string]>([
    ["without their folder", {}, "file-missing"],
    ["with a file in it", { "third/party/a": file("") }, "file-surplus"],
    ["as a file", { "third/party": file("") }, "file-kind"],
  ])("are not equal %s", (_, edits, code) => {
    expect(equalOf(edited(edits), { options })).toMatchObject({ status: "fail", code });
  });
  test("may be taken away by the exclusion list, and need not", () => {
    const more = { ...options, excluded: ["third"] };
    expect(equalOf(imageOf(), { options: more }).status).toBe("pass");
    expect(equalOf(edited({ "third/party": directory({}) }), { options: more }).status).toBe("pass");
  });
});

describe("the exclusion list", () => {
  const excludedFiles: Model = {
    "original/a": { blob: "a", mode: "100644" },
    "original/b.bin": { blob: "b", mode: "100644" },
  };
  const options: ExpectOptions = { excluded: ["original/*"], excludedFiles };
  test("names every file that it leaves out, as a finding", () => {
    const { answers } = judge(imageOf(), { options });
    expect(answers["verity.files.equal"].status).toBe("pass");
    expect(answers["verity.files.excluded"]).toMatchObject({
      status: "fail",
      code: "files-excluded",
      grade: "unknown",
      actual: { value: "all but original/a, original/b.bin" },
      reason: "2 of 8 files, by the list original/*",
    });
  });
  test("may leave an empty folder behind, and nothing in it", () => {
    expect(equalOf(edited({ original: directory({}) }), { options }).status).toBe("pass");
    expect(equalOf(edited({ original: file("") }), { options })).toMatchObject({ code: "file-surplus" });
    expect(equalOf(edited({ "original/.x": file("") }), { options })).toMatchObject({ code: "file-surplus" });
  });
  test("a file on it that is on the disk all the same is surplus", () => {
    const { answers } = judge(edited({ "original/a": file("a") }), { options });
    expect(answers["verity.files.equal"]).toMatchObject({ status: "fail", code: "file-surplus" });
    expect(answers["verity.files.equal"].reason).toContain("the exclusion list names it");
    expect(answers["verity.files.excluded"].actual?.value).toBe("all but original/b.bin");
  });
});

describe("metadata", () => {
  const made = makeErofs(treeOf(nodesOf()));
  const owned = (field: number) =>
    changed(made.bytes, (view) => view.setUint16(made.place("config.json").inode + field, 1000, true));
  const other = file("{}\n");
  test.each<[string, Uint8Array, string]>([
    ["another user", owned(24), "file-owner"],
    ["another group", owned(26), "file-owner"],
    ["a file for its owner alone", edited({ "README.md": file("# A model\n", { mode: 0o600 }) }), "file-mode"],
    ["a file that became executable", edited({ empty: file("", { mode: 0o755 }) }), "file-mode"],
    ["an executable that no longer is", edited({ "tools/convert": file("#!/bin/true\n") }), "file-mode"],
    ["a set-user-ID bit", edited({ "tools/convert": file("#!/bin/true\n", { mode: 0o4755 }) }), "file-mode"],
    ["a folder that others write to", makeErofs({ ...treeOf(nodesOf()), mode: 0o777 }).bytes, "file-mode"],
    ["a link of another mode", edited({ latest: symlink("weights/model.safetensors", { mode: 0o755 }) }), "file-mode"],
  ])("%s is a finding, and no other content", (_, image, code) => {
    const { answers } = judge(image);
    expect(answers["verity.files.metadata"]).toMatchObject({ status: "fail", code, grade: "unknown" });
    expect(answers["verity.files.equal"].status).toBe("pass");
  });
  test("two names of one file are a finding, too", () => {
    const of: Model = { ...model, copy: { blob: "{}\n", mode: "100644" } };
    const { answers } = judge(edited({ "config.json": other, copy: other }), { of });
    expect(answers["verity.files.metadata"]).toMatchObject({ status: "fail", code: "file-links" });
    expect(answers["verity.files.equal"].status).toBe("pass");
  });
});

describe("code", () => {
  test.each([
    ["modeling_x.py", "code-on-disk"],
    ["a/B.PY", "code-on-disk"],
    ["run.sh", "code-on-disk"],
    ["x.ipynb", "code-on-disk"],
    ["lib.so", "code-on-disk"],
    ["lib.so.1.2", "code-on-disk"],
    ["pytorch_model.bin", "pickle-on-disk"],
    ["x.pt", "pickle-on-disk"],
    ["x.pth", "pickle-on-disk"],
    ["x.pkl", "pickle-on-disk"],
    ["x.ckpt", "pickle-on-disk"],
  ])("%s is named: %s", (path, code) => {
    const of: Model = { ...model, [path]: { blob: "x", mode: "100644" } };
    const { answers } = judge(edited({ [path]: file("x") }), { of });
    expect(answers["verity.files.code"]).toMatchObject({ status: "fail", code, grade: "weaker" });
    expect(answers["verity.files.code"].reason).toContain(path);
    expect(answers["verity.files.equal"].status).toBe("pass");
  });
  test("a folder named so is none", () => {
    const of: Model = { ...model, "x.py/a": { blob: "x", mode: "100644" } };
    expect(judge(edited({ "x.py/a": file("x") }), { of }).answers["verity.files.code"].status).toBe("pass");
  });
});

describe("the root", () => {
  const [a, b, c] = ["a", "b", "c"].map((d) => d.repeat(64)) as [string, string, string];
  const rootOf = (value: string, roots: RootQuestion["roots"]) =>
    judge(imageOf(), { root: { expected: { value, origin: { kind: "flag", name: "--root" } }, roots } }).answers[
      "verity.files.root"
    ];
  test("of these bytes is what must be equal", () => {
    expect(rootOf(a, { ofImage: a, ofOtherLayout: b })).toMatchObject({ status: "pass", actual: { value: a } });
  });
  test("in the other layout alone is no pass, and says what it is", () => {
    const answer = rootOf(b, { ofImage: a, ofOtherLayout: b });
    expect(answer).toMatchObject({ status: "fail", code: "root-other-layout", actual: { value: a } });
    expect(answer.reason).toContain("image not reproduced");
  });
  test("of neither is another image", () => {
    expect(rootOf(c, { ofImage: a, ofOtherLayout: b })).toMatchObject({ status: "fail", code: "root-mismatch" });
    expect(rootOf(c, { ofImage: a, ofOtherLayout: undefined })).toMatchObject({ code: "root-mismatch" });
  });
  test("that could not be computed is an error, and an empty expectation, too", () => {
    expect(rootOf(a, { reason: "no whole blocks" }).status).toBe("error");
    expect(rootOf("", { ofImage: a, ofOtherLayout: undefined }).status).toBe("error");
  });
});

test("an image that could not be read answers nothing about its files", () => {
  const answers = filesBlocked(cannot("the image could not be read as EROFS"));
  expect(Object.values(answers).map((a) => a.status)).toEqual(["error", "error", "error", "error", "error"]);
});

test("no byte of a file can be changed without another answer", () => {
  const made = makeErofs(treeOf(nodesOf()));
  const { data } = made.place("weights/model.safetensors");
  fc.assert(
    fc.property(fc.nat(8191), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const image = made.bytes.slice();
      image[(data ?? 0) + at] = (image[(data ?? 0) + at] ?? 0) ^ flip;
      expect(equalOf(image)).toMatchObject({ status: "fail", code: "file-differs" });
    }),
    { numRuns: 30 },
  );
});
