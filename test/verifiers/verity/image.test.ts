import { describe, expect, it, test } from "vitest";
import { changed } from "../../../fixtures/generator/erofs.ts";
import type { ErofsStates } from "../../../fixtures/generator/erofs-damage.ts";
import type { Origin } from "../../../src/claims/answer.ts";
import { usage } from "../../../src/errors.ts";
import { type ImageAnswers, judgeImage } from "../../../src/verifiers/verity/image.ts";
import { imageOf, states } from "./erofs/world.ts";

const flag: Origin = { kind: "flag", name: "--data-size" };
const said = (sizeBytes: number) => ({ sizeBytes, origin: flag });
const { good } = states;
const words = (answers: ImageAnswers): Record<string, string> =>
  Object.fromEntries(Object.entries(answers).map(([id, a]) => [id.split(".")[2], a.code ?? a.status]));
const judged = (bytes: Uint8Array, size: number | undefined = bytes.length) =>
  words(judgeImage(imageOf(bytes), said(size)).answers);
const passed = { format: "pass", checksum: "pass", size: "pass", fields: "pass" };
const unread = { checksum: "error", size: "error", fields: "error" };

describe("a disk image by itself", () => {
  it("passes every question, each with two values", () => {
    const { answers } = judgeImage(imageOf(good), said(good.length));
    expect(words(answers)).toEqual(passed);
    for (const a of Object.values(answers)) expect([a.expected?.value, a.actual?.value]).not.toContain(undefined);
  });
  const expected: Readonly<Record<keyof ErofsStates, Record<string, string>>> = {
    good: passed,
    "erofs-superblock": { format: "erofs-superblock", ...unread },
    "erofs-inode": { format: "erofs-inode", ...unread },
    "erofs-directory": { format: "erofs-directory", ...unread },
    "erofs-range": { format: "erofs-range", ...unread },
    "erofs-tree": { format: "erofs-tree", ...unread },
    "image-checksum": { ...passed, checksum: "image-checksum" },
    "image-checksum-missing": { ...passed, checksum: "image-checksum-missing", fields: "image-fields" },
    "image-size": { ...passed, size: "image-size" },
    "image-truncated": { ...passed, size: "image-truncated" },
    "image-fields": { ...passed, fields: "image-fields" },
    unsupported: { format: "error", ...unread },
  };
  test.each(Object.keys(states) as (keyof ErofsStates)[])("is answered as its state says: %s", (name) =>
    expect(judged(states[name], good.length)).toEqual(expected[name]),
  );
  it("hands the tree over, or what the questions about files are answered with", () => {
    expect(judgeImage(imageOf(good), undefined)).toHaveProperty("tree.entries.length", 414);
    const bad = judgeImage(imageOf(states["erofs-inode"]), undefined);
    expect(bad).not.toHaveProperty("tree");
    expect("blocked" in bad ? bad.blocked.status : "").toBe("error");
  });
});

describe("the size of a disk image", () => {
  const status = (bytes: Uint8Array, size: number | undefined): string => {
    const data = size === undefined ? undefined : said(size);
    const a = judgeImage(imageOf(bytes), data).answers["verity.image.size"];
    return a.code ?? a.status;
  };
  const longer = new Uint8Array([...good, ...new Uint8Array(8192)]);
  it("is exactly the auditor's where he says one, whatever lies behind", () => {
    expect(status(longer, good.length)).toBe("pass");
    for (const other of [good.length - 4096, good.length - 1, good.length + 1, good.length + 4096])
      expect(status(longer, other), String(other)).toBe("image-size");
    expect(status(longer, 0)).toBe("image-size");
  });
  it("is at most the image's where he says nothing", () => {
    expect([status(good, undefined), status(longer, undefined)]).toEqual(["pass", "pass"]);
    expect(status(states["image-truncated"], undefined)).toBe("image-truncated");
  });
  it("is not met by an image that is shorter than both say", () => {
    expect(status(good.subarray(0, -1), good.length)).toBe("image-truncated");
    expect(status(states["image-truncated"], good.length + 4096)).toBe("image-truncated");
  });
  it("is compared with what the auditor says in his words", () => {
    const { "verity.image.size": size } = judgeImage(imageOf(good), { ...said(good.length), at: "line 3" }).answers;
    expect(size.expected).toEqual({ value: `${good.length} bytes`, origin: flag, at: "line 3" });
  });
});

describe("the fields of a superblock", () => {
  const u32 = (at: number, value: number) => changed(good, (v) => v.setUint32(1024 + at, value, true));
  const cases = [
    [
      "feature_compat",
      u32(8, 7),
      "0x00000007 (SB_CHKSUM, MTIME, XATTR_FILTER), expected 0x00000003 (SB_CHKSUM, MTIME)",
    ],
    ["inos", u32(16, 414), "414, expected 413"],
    ["epoch", u32(24, 1_700_000_000), "1700000000, expected 0"],
    ["fixed_nsec", u32(32, 1), "1, expected 0"],
    ["uuid", u32(60, 1), "00000000-0000-0000-0000-000001000000, expected 00000000-0000-0000-0000-000000000000"],
    ["volume_name", u32(64, 0x41), '"A", expected empty'],
    ["xattr_blkaddr", u32(44, 1), "1, expected 0"],
    ["available_compr_algs", u32(84, 1), "1, expected 0"],
    ["extra_devices", u32(84, 1 << 16), "1, expected 0"],
    ["devt_slotoff", u32(88, 1), "1, expected 0"],
    ["xattr_prefix_count", u32(88, 1 << 24), "1, expected 0"],
    ["xattr_prefix_start", u32(92, 1), "1, expected 0"],
    ["packed_nid", u32(100, 1), "4294967296, expected 0"],
    ["xattr_filter_reserved", u32(104, 1), "1, expected 0"],
    ["reserved", u32(104, 1 << 8), `01${"0".repeat(36)}, expected ${"0".repeat(38)}`],
    ["build_time", u32(108, 1), "1, expected 0"],
  ] as const;
  test.each(cases)("name %s, and it alone, where it differs", (name, bytes, text) => {
    const { answers } = judgeImage(imageOf(bytes), undefined);
    const fields = answers["verity.image.fields"];
    expect([fields.status, fields.grade, fields.reason]).toEqual(["fail", "unknown", `${name}: ${text}`]);
    expect(words(answers)).toEqual({ ...passed, fields: "image-fields" });
  });
  it("name every one that differs", () => {
    const bytes = changed(u32(24, 9), (v) => v.setUint32(1024 + 108, 8, true));
    expect(judgeImage(imageOf(bytes), undefined).answers["verity.image.fields"].reason).toBe(
      "epoch: 9, expected 0; build_time: 8, expected 0",
    );
  });
  it("may be those of mkfs.erofs 1.9, which sets LZ4_0PADDING", () =>
    expect(words(judgeImage(imageOf(u32(80, 1)), undefined).answers)).toEqual(passed));
});

describe("a disk that cannot be read", () => {
  it("is no answer of the image's", () => {
    const gone = {
      ...imageOf(good),
      read: () => {
        throw usage("disk.img: at byte 1024: input/output error");
      },
    };
    expect(() => judgeImage(gone, undefined)).toThrow("input/output error");
  });
});
