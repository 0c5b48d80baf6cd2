/** Whatever the bytes: a listing or a PmError; and no byte that a listing rests on changes without the listing changing. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { changed, directory, file, symlink, withChecksum } from "../../../../fixtures/generator/erofs.ts";
import { withByte } from "../../../../fixtures/generator/erofs-damage.ts";
import { prng } from "../../../../fixtures/generator/prng.ts";
import { judgeImage } from "../../../../src/verifiers/verity/image.ts";
import { mutate, uniform } from "../../../mutate.ts";
import { contentOf, imageOf, made, outcome, sample, states } from "./world.ts";

// Without a period: else what lies behind a file may be as good as its own tail.
const content = prng("mutations").bytes("content", 4200);
const small = made(
  directory({
    a: file(content),
    b: file(content.subarray(0, 4096)),
    c: file("in the inode", { extended: true, xattrCount: 2 }),
    d: directory({ one: symlink("../a"), two: file("2") }),
    e: file(""),
    p: { kind: "fifo" },
  }),
);
const names: readonly (readonly [string, string])[] = [
  ...["a", "b", "c", "d", "e", "p", ".", ".."].map((n) => ["", n] as const),
  ...["one", "two", ".", ".."].map((n) => ["d", n] as const),
];
const range = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);

/** Bytes that say something of a file, by the generator's account of where it put them. */
function telling(): number[] {
  const { place, dirent } = small;
  const inode = (path: string): number => place(path).inode;
  return [
    // i_format, i_mode, links and size; of an empty file the layout says nothing.
    ...["", "a", "b", "c", "d", "d/one", "d/two"].flatMap((p) => range(inode(p), 2)),
    ...["", "a", "c", "d", "d/one", "d/two"].flatMap((p) => range(inode(p) + 2, 2)),
    ...["", "a", "b", "c", "d", "d/one", "d/two", "e", "p"].flatMap((p) => range(inode(p) + 4, 8)),
    ...range(inode("c") + 12, 4),
    ...["a", "b"].flatMap((p) => range(inode(p) + 16, 4)),
    ...["", "a", "b", "c", "d", "d/one", "d/two", "e", "p"].flatMap((p) => range(inode(p) + 24, 4)),
    ...range(inode("c") + 28, 4),
    ...range(inode("c") + 44, 4),
    ...names.flatMap(([d, n]) => [...range(dirent(d, n).entry, 11), ...range(dirent(d, n).name, Buffer.byteLength(n))]),
    ...range(place("a").data ?? 0, 4096),
    ...range(place("a").tail ?? 0, 104),
    ...range(place("b").data ?? 0, 4096),
    ...range(place("c").tail ?? 0, 12),
    ...range(place("d/one").tail ?? 0, 4),
    ...range(place("d/two").tail ?? 0, 1),
  ];
}

describe("a changed image", () => {
  const was = contentOf(small.bytes);
  test("lists other content or is refused, whichever bit of a file's bytes is changed", () => {
    const equal: string[] = [];
    for (const at of telling())
      for (let bit = 0; bit < 8; bit++) {
        // A single bit of content is enough; each of an inode or entry has a meaning of its own.
        if (at >= (small.place("a").data ?? 0) && bit !== at % 8) continue;
        if (outcome(withChecksum(withByte(small.bytes, at, (b) => b ^ (1 << bit)))) === was) equal.push(`${at}.${bit}`);
      }
    expect(equal).toEqual([]);
  });
  test("fails its checksum or is refused, whichever bit of the superblock's block is changed", () => {
    const passed: string[] = [];
    for (const at of range(1024, 3072))
      for (let bit = 0; bit < 8; bit++) {
        if (at >= 1152 && bit !== at % 8) continue;
        const { answers } = judgeImage(imageOf(withByte(small.bytes, at, (b) => b ^ (1 << bit))), undefined);
        const [format, sum] = [answers["verity.image.format"].status, answers["verity.image.checksum"].status];
        if (format === "pass" && sum === "pass") passed.push(`${at}.${bit}`);
      }
    expect(passed).toEqual([]);
  });
  it("never ends in anything but a listing or a refusal", () => {
    const random = uniform(6);
    for (let run = 0; run < 1500; run++) {
      const bytes = mutate(small.bytes, sample.bytes, random);
      // Half of them with a checksum that fits: an attacker makes it anew.
      outcome(run % 2 === 0 ? bytes : withChecksum(bytes));
    }
  });
  it("never does so either where only inodes and names were changed", () => {
    const random = uniform(7);
    const places = ["", "a", "b", "c", "d", "d/one", "d/two", "e", "p"].map((p) => small.place(p).inode);
    for (let run = 0; run < 3000; run++) {
      const bytes = small.bytes.slice();
      for (let n = 0; n < 3; n++) {
        const base = random() < 0.7 ? places[Math.floor(random() * places.length)] : 1024;
        bytes[(base ?? 0) + Math.floor(random() * 96)] = Math.floor(random() * 256);
      }
      outcome(bytes);
    }
  });
});

describe("arbitrary bytes", () => {
  test("are listed or refused", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 8192 }), (bytes) => void outcome(bytes)));
  });
  test("behind a superblock are listed or refused", () => {
    const rest = fc.uint8Array({ minLength: 4096, maxLength: 8192, size: "max" });
    fc.assert(
      fc.property(rest, fc.uint8Array({ minLength: 128, maxLength: 128 }), (blocks, noise) => {
        const bytes = Buffer.concat([small.bytes.subarray(0, 1152), noise, blocks]);
        outcome(changed(new Uint8Array(bytes), (v) => v.setUint32(1024 + 36, 3, true)));
      }),
    );
  });
});

describe("a cut image", () => {
  test("is refused at each length at which it lacks something", () => {
    for (let length = 0; length < small.bytes.length; length += 61)
      expect(outcome(small.bytes.subarray(0, length)), String(length)).toMatch(/^refused: /);
  });
  test("is named by the question of its size where only unused blocks are missing", () => {
    const { answers } = judgeImage(imageOf(states.good.subarray(0, -4096)), undefined);
    expect(answers["verity.image.format"].status).toBe("pass");
    expect(answers["verity.image.size"]).toMatchObject({ status: "fail", code: "image-truncated" });
  });
});
