import { describe, expect, it } from "vitest";
import { type DerReader, decodeWhole } from "../../src/crypto/der.ts";
import { PmError } from "../../src/errors.ts";
import { ascii, bytes, fromHex, integer, sequence } from "./make.ts";

const read = <T>(der: Uint8Array, how: (reader: DerReader) => T): T | string => {
  try {
    return decodeWhole(der, "value", how);
  } catch (error) {
    if (error instanceof PmError && error.code === "PM_EVIDENCE_MALFORMED") return `refused: ${error.message}`;
    throw error;
  }
};
const refuses = (hexText: string, how: (reader: DerReader) => unknown): void => {
  expect(read(fromHex(hexText), how), hexText).toMatch(/^refused: .*offset \d+/);
};

describe("lengths", () => {
  const any = (r: DerReader) => r.element("value").content.length;
  it("are read in their shortest form", () => {
    expect(read(fromHex("0400"), any)).toBe(0);
    expect(read(fromHex(`047f${"00".repeat(127)}`), any)).toBe(127);
    expect(read(fromHex(`048180${"00".repeat(128)}`), any)).toBe(128);
    expect(read(fromHex(`04820100${"00".repeat(256)}`), any)).toBe(256);
  });
  it.each([
    ["indefinite", "30800000"],
    ["padded to two octets", "04810100"],
    ["127 in the long form", `04817f${"00".repeat(127)}`],
    ["leading zero octet", `04820080${"00".repeat(128)}`],
    ["five octets", "04850000000001ff"],
    ["reserved form", "04ff00"],
    ["more than there is", "0402ff"],
    ["4 GiB", "0484ffffffff00"],
    ["header cut off", "04"],
    ["long form cut off", "0482ff"],
    ["nothing", ""],
    ["multi-byte tag", "1f810100"],
    ["a byte left over", "040000"],
  ])("refuses %s", (_, der) => {
    refuses(der, any);
  });
  it("of an inner value end at the outer one", () => {
    refuses("3003040500", (r) => r.sequence("outer").octetString("inner"));
  });
});

describe("types", () => {
  it("INTEGER: shortest form only", () => {
    const int = (r: DerReader) => Buffer.from(r.integer("n")).toString("hex");
    expect(read(fromHex("020100"), int)).toBe("00");
    expect(read(fromHex("02020080"), int)).toBe("0080");
    expect(read(fromHex("0201ff"), int)).toBe("ff");
    for (const der of ["0200", "0202007f", "02020000", "0202ffff", "0202ff80", "030100"]) refuses(der, int);
  });
  it("small INTEGER: within its bounds", () => {
    const small = (r: DerReader) => r.smallInteger("n", 255);
    expect(read(integer(255), small)).toBe(255);
    for (const n of [256n, -1n, 2n ** 31n, 2n ** 64n]) expect(read(integer(n), small)).toMatch(/^refused/);
  });
  it("BOOLEAN: 00 and FF", () => {
    const bool = (r: DerReader) => r.boolean("b");
    expect(read(fromHex("0101ff"), bool)).toBe(true);
    expect(read(fromHex("010100"), bool)).toBe(false);
    for (const der of ["010101", "0100", "0102ffff"]) refuses(der, bool);
  });
  it("OBJECT IDENTIFIER: every arc in its shortest form", () => {
    const id = (r: DerReader) => r.oid("id");
    expect(read(fromHex("0603550406"), id)).toBe("2.5.4.6");
    expect(read(fromHex("060a2b060104019c78010301"), id)).toBe("1.3.6.1.4.1.3704.1.3.1");
    expect(read(fromHex("06028837"), id)).toBe("2.999");
    expect(read(fromHex(`0613${"69"}${"ff".repeat(17)}7f`), id)).toMatch(/^2\.25\.\d{38}$/);
    for (const der of ["0600", "060180", "06028001", "06022b80", `0641${"01".repeat(65)}`]) refuses(der, id);
  });
  it("BIT STRING: whole octets, or named bits without set unused bits", () => {
    const octets = (r: DerReader) => r.octetsOfBitString("s").length;
    expect(read(fromHex("030200ff"), octets)).toBe(1);
    for (const der of ["0300", "030201fe", "030208ff"]) refuses(der, octets);
    const bits = (r: DerReader) => [...r.namedBits("s")];
    expect(read(fromHex("03020106"), bits)).toEqual([5, 6]);
    expect(read(fromHex("0303078000"), bits)).toEqual([0]);
    expect(read(fromHex("03020004"), bits)).toEqual([5]); // AMD's ASK
    expect(read(fromHex("030100"), bits)).toEqual([]);
    for (const der of ["0300", "030107", "03020803", "03020107"]) refuses(der, bits);
  });
  it("nesting: at most 24 deep", () => {
    const deep = (depth: number) => (r: DerReader) => {
      let reader = r;
      for (let i = 0; i < depth; i++) reader = reader.sequence("level");
      return depth;
    };
    let der = sequence();
    for (let i = 1; i < 30; i++) der = sequence(der);
    expect(read(der, deep(24))).toBe(24);
    expect(read(der, deep(25))).toMatch(/refused: level: nested deeper/);
  });
});

describe("times", () => {
  const time = (tag: number, text: string) => {
    const value = read(ascii(tag, text), (r) => r.time("t"));
    return value instanceof Date ? value.toISOString() : "refused";
  };
  it.each([
    [0x17, "260601120000Z", "2026-06-01T12:00:00.000Z"],
    [0x17, "491231235959Z", "2049-12-31T23:59:59.000Z"],
    [0x17, "500101000000Z", "1950-01-01T00:00:00.000Z"],
    [0x17, "240229000000Z", "2024-02-29T00:00:00.000Z"],
    [0x18, "20500101000000Z", "2050-01-01T00:00:00.000Z"],
    [0x18, "99991231235959Z", "9999-12-31T23:59:59.000Z"],
    [0x17, "2606011200Z", "refused"],
    [0x17, "260601120000", "refused"],
    [0x17, "260601120000+0000", "refused"],
    [0x17, "260601120000z", "refused"],
    [0x17, "250229000000Z", "refused"],
    [0x17, "260431000000Z", "refused"],
    [0x17, "260001000000Z", "refused"],
    [0x17, "261301000000Z", "refused"],
    [0x17, "260600000000Z", "refused"],
    [0x17, "260601240000Z", "refused"],
    [0x17, "260601006000Z", "refused"],
    [0x17, "260601000060Z", "refused"],
    [0x17, "26060112000 Z", "refused"],
    [0x17, "-10601120000Z", "refused"],
    [0x18, "20491231235959Z", "refused"],
    [0x18, "00000101000000Z", "refused"],
    [0x18, "20500101000000.5Z", "refused"],
    [0x18, "205001010000Z", "refused"],
    [0x16, "260601120000Z", "refused"],
  ])("tag %i %s: %s", (tag, text, expected) => {
    expect(time(tag, text)).toBe(expected);
  });
});

describe("errors", () => {
  it("name the field, the offset in the outermost bytes, what was needed and what is there", () => {
    expect(
      read(fromHex("30050201010403"), (r) => {
        const inner = r.sequence("outer");
        inner.integer("first");
        inner.octetString("second");
      }),
    ).toBe("refused: second: needs 3 bytes at offset 7, 0 left");
    expect(read(bytes(4, 0), (r) => r.integer("serial"))).toBe("refused: serial: needs tag 0x02 at offset 0, got 0x04");
  });
});
