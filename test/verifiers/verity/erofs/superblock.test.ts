import { describe, expect, it, test } from "vitest";
import { changed } from "../../../../fixtures/generator/erofs.ts";
import { otherFirstBlock } from "../../../../src/verifiers/verity/erofs/index.ts";
import { listed, refused, sample } from "./world.ts";

const good = sample.bytes;
const u8 = (at: number, value: number) => changed(good, (v) => v.setUint8(1024 + at, value));
const u16 = (at: number, value: number) => changed(good, (v) => v.setUint16(1024 + at, value, true));
const u32 = (at: number, value: number) => changed(good, (v) => v.setUint32(1024 + at, value, true));
const u64 = (at: number, value: bigint) => changed(good, (v) => v.setBigUint64(1024 + at, value, true));

describe("the EROFS superblock", () => {
  it("is decoded field by field", () => {
    const { superblock: s } = listed(good);
    expect(s.checksum).toBe(s.computedChecksum);
    expect([s.featureCompat, s.featureIncompat, s.blockSize, s.sizeBytes]).toEqual([3, 0, 4096, 128]);
    expect([s.blocks * 4096, s.rootNid, s.inodes]).toEqual([good.length, 36n, 413n]);
  });

  const facts = [
    ["checksum", u32(4, 1), "computedChecksum"],
    ["epoch", u64(24, 5n), "epoch"],
    ["fixed_nsec", u32(32, 5), "fixedNsec"],
    ["xattr_blkaddr", u32(44, 5), "xattrBlkAddr"],
    ["uuid", u8(63, 5), "uuid"],
    ["volume_name", u8(79, 5), "volumeName"],
    ["feature_compat", u32(8, 0x1f), "featureCompat"],
    ["feature_incompat", u32(80, 1), "featureIncompat"],
    ["available_compr_algs", u16(84, 5), "compression"],
    ["extra_devices", u16(86, 5), "extraDevices"],
    ["devt_slotoff", u16(88, 5), "devtSlotOffset"],
    ["xattr_prefix_count", u8(91, 5), "xattrPrefixCount"],
    ["xattr_prefix_start", u32(92, 5), "xattrPrefixStart"],
    ["packed_nid", u64(96, 5n), "packedNid"],
    ["xattr_filter_reserved", u8(104, 5), "xattrFilter"],
    ["reserved, first", u8(105, 5), "reserved"],
    ["build_time", u32(108, 5), "buildTime"],
    ["reserved, last", u8(127, 5), "reserved"],
  ] as const;
  test.each(facts)("%s is shown where it differs", (_name, bytes, field) => {
    const [was, is] = [listed(good).superblock, listed(bytes).superblock];
    // The made-good checksum follows every change, so it is the one field beside.
    if (field === "computedChecksum") expect(is.computedChecksum).toBe(is.checksum);
    else expect(is[field]).not.toEqual(was[field]);
  });
  it("does not take a wrong checksum for the right one", () => {
    const bytes = good.slice();
    bytes[1028] = (bytes[1028] ?? 0) ^ 0x80;
    const { superblock } = listed(bytes);
    expect(superblock.checksum).not.toBe(superblock.computedChecksum);
  });
  it("has a checksum that covers its whole block, from byte 1024 to 4095, and nothing else", () => {
    const computed = (at: number): number => {
      const bytes = good.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return listed(bytes).superblock.computedChecksum;
    };
    const was = listed(good).superblock.computedChecksum;
    for (const at of [0, 1023, 1028, 1031, 4 * 4096 - 1]) expect(computed(at), String(at)).toBe(was);
    for (const at of [1056 + 16, 1024 + 127]) expect(computed(at), String(at)).not.toBe(was);
  });

  const damage: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["magic", u8(0, 0xe3), /^erofs-superblock: .*magic 0xe0f5e1e3 at offset 1024, expected 0xe0f5e1e2/],
    ["feature_compat", u32(8, 0x43), /^unsupported: .*feature_compat has bit 0x40/],
    ["feature_compat ISHARE_XATTRS", u32(8, 0x23), /^unsupported: .*feature_compat has ISHARE_XATTRS;/],
    ["feature_compat, highest bit", u32(8, 0x80000003), /^unsupported: .*feature_compat has bit 0x80000000/],
    ["blkszbits below", u8(12, 8), /^unsupported: .*blkszbits 8/],
    ["blkszbits above", u8(12, 17), /^unsupported: .*blkszbits 17/],
    ["another block size", u8(12, 13), /^erofs-/],
    ["sb_extslots", u8(13, 255), /^erofs-superblock: .*sb_extslots 255/],
    ["sb_extslots over the root inode", u8(13, 1), /^erofs-range: the root directory .*over the superblock/],
    ["root_nid to nothing", u16(14, 0xffff), /^erofs-range: the root directory \(nid 65535\): no such inode/],
    ["root_nid in the superblock", u16(14, 33), /^erofs-range: .*over the superblock, which ends at 1152/],
    ["root_nid before the superblock", u16(14, 0), /^erofs-range: .*over the superblock/],
    ["root_nid to a file", u16(14, sample.place("config.json").nid), /^erofs-tree: root_nid \d+: a file/],
    ["root_nid to another directory", u16(14, sample.place("code").nid), /^erofs-directory: .*"\.\." names 36/],
    ["inos", u64(16, 412n), /^erofs-tree: .*: inode 413, the superblock counts 412/],
    ["inos, none", u64(16, 0n), /^erofs-tree: .*: inode 1, the superblock counts 0/],
    ["blocks_lo, none", u32(36, 0), /^erofs-range:/],
    ["blocks_lo, one too few", u32(36, good.length / 4096 - 1), /^erofs-range: .*beyond the end/],
    ["meta_blkaddr", u32(40, 1), /^erofs-/],
    ["meta_blkaddr to nothing", u32(40, 0xffffffff), /^erofs-range: the root directory .*beyond the end/],
    ["dirblkbits", u8(90, 1), /^unsupported: .*dirblkbits 1/],
    ...(
      [
        [0x2, "COMPR_CFGS or BIG_PCLUSTER"],
        [0x4, "CHUNKED_FILE"],
        [0x8, "DEVICE_TABLE"],
        [0x10, "ZTAILPACKING"],
        [0x20, "FRAGMENTS or DEDUPE"],
        [0x40, "XATTR_PREFIXES"],
        [0x80, "48BIT"],
        [0x100, "METABOX"],
        [0x200, "bit 0x200"],
        [0x80000000, "bit 0x80000000"],
      ] as const
    ).map(
      ([bit, name]) =>
        [
          `feature_incompat ${name}`,
          u32(80, bit),
          new RegExp(`^unsupported: .*feature_incompat has ${name};`),
        ] as const,
    ),
  ];
  test.each(damage)("is refused: %s", (_name, bytes, message) => expect(refused(bytes)).toMatch(message));

  test.each([0, 1, 1023, 1024, 1151, 1152, 4095])("is refused in an image of %i bytes", (length) =>
    expect(refused(good.subarray(0, length))).toMatch(/^erofs-superblock: .*the image has \d+ bytes/),
  );
});

describe("the other layout of mkfs.erofs 1.9", () => {
  const block0 = good.slice(0, 4096);
  it("differs in bit 0 of feature_incompat and in the checksum, and back", () => {
    const other = otherFirstBlock(block0) ?? new Uint8Array();
    expect(other).toEqual(changed(good, (v) => v.setUint32(1104, 1, true)).slice(0, 4096));
    expect([...other.keys()].filter((i) => other[i] !== block0[i])).toEqual([1028, 1029, 1030, 1031, 1104]);
    expect(otherFirstBlock(other)).toEqual(block0);
  });
  it("leaves what it was given as it was", () => {
    const before = block0.slice();
    otherFirstBlock(block0);
    expect(block0).toEqual(before);
  });
  const none = [
    ["a short block", block0.subarray(0, 4095)],
    ["a long block", good.slice(0, 4097)],
    ["zeros", new Uint8Array(4096)],
    ["another magic", u8(0, 0).slice(0, 4096)],
    ["no SB_CHKSUM", u32(8, 2).slice(0, 4096)],
    ["another block size", u8(12, 11).slice(0, 4096)],
    ["another incompatible feature", u32(80, 3).slice(0, 4096)],
    [
      "a wrong checksum",
      u32(4, 0)
        .map((b, i) => (i === 1028 ? b ^ 1 : b))
        .slice(0, 4096),
    ],
  ] as const;
  test.each(none)("is not made of %s", (_name, bytes) => expect(otherFirstBlock(bytes)).toBeUndefined());
});
