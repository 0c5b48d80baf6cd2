/** MRTD, configuration volume and RTMRs: against the evidence, against a second writing of the rule, and mutated. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeOvmf, type TdvfSectionSpec, tdvfSpec } from "../../../../fixtures/generator/ovmf.ts";
import { prng } from "../../../../fixtures/generator/prng.ts";
import { fromHex, hex } from "../../../../src/bytes/hex.ts";
import { PmError } from "../../../../src/errors.ts";
import {
  authenticodeSha384,
  bootOptionEvents,
  cfvDigest,
  commandLineEvents,
  decodeTdvf,
  kernelEvents,
  mrtd,
  rtmrOf,
  secureBootEvents,
  separator,
} from "../../../../src/verifiers/tdx/measure/index.ts";
import { describeEvidence, evidence, evidenceJson } from "../../../evidence.ts";

const sections = tdvfSpec.tdvf ?? [];
const image = (list: readonly TdvfSectionSpec[] = sections): Uint8Array =>
  makeOvmf(prng("tdvf"), { ...tdvfSpec, tdvf: list });
const changed = (index: number, change: Partial<TdvfSectionSpec>): readonly TdvfSectionSpec[] =>
  sections.map((s, i) => (i === index ? { ...s, ...change } : s));

/** The rule once more, record by record. */
function byHand(bytes: Uint8Array, singlePass: boolean): string {
  const sha384 = createHash("sha384");
  const record = (name: string, gpa: bigint): void => {
    const block = Buffer.alloc(128);
    block.write(name, "latin1");
    block.writeBigUInt64LE(gpa, 16);
    sha384.update(block);
  };
  for (const s of sections) {
    const pages = Number(s.memorySize) / 4096;
    const extend = (page: number): void => {
      for (let chunk = 0; chunk < 16; chunk++) {
        record("MR.EXTEND", s.address + BigInt(page * 4096 + chunk * 256));
        const at = s.dataOffset + page * 4096 + chunk * 256;
        sha384.update(bytes.slice(at, at + 256));
      }
    };
    for (let page = 0; page < pages; page++) {
      record("MEM.PAGE.ADD", s.address + BigInt(page * 4096));
      if (singlePass && s.attributes === 1) extend(page);
    }
    if (!singlePass && s.attributes === 1) for (let page = 0; page < pages; page++) extend(page);
  }
  return sha384.digest("hex");
}

describe("MRTD of a TDVF image", () => {
  it("is what the rule gives, in both orders", () => {
    const tdvf = decodeTdvf(image());
    expect(hex(mrtd(tdvf, "two-pass"))).toBe(byHand(image(), false));
    expect(hex(mrtd(tdvf, "single-pass"))).toBe(byHand(image(), true));
  });
  it("leaves out memory that is added later, and nothing else", () => {
    const later = { dataOffset: 0, rawSize: 0, address: 0x900000n, memorySize: 0x1000n, type: 4, attributes: 2 };
    const of = (list: readonly TdvfSectionSpec[]) => hex(mrtd(decodeTdvf(withoutTail(list)), "two-pass"));
    expect(of([...sections, later])).toBe(of(sections));
    expect(of([...sections, { ...later, attributes: 0 }])).not.toBe(of(sections));
    expect(of(sections.slice(0, 3))).not.toBe(of(sections));
  });
  it.each([
    ["a section behind the file", changed(0, { dataOffset: 0x2000 }), "PM_EVIDENCE_MALFORMED"],
    ["an address that is no page's", changed(2, { address: 0x810001n }), "PM_EVIDENCE_MALFORMED"],
    ["half a page of memory", changed(2, { memorySize: 0x800n }), "PM_EVIDENCE_MALFORMED"],
    ["more data than memory", changed(1, { rawSize: 0x1001 }), "PM_EVIDENCE_MALFORMED"],
    ["sections over each other", changed(2, { address: 0x808000n }), "PM_EVIDENCE_MALFORMED"],
    ["content that is added later", changed(0, { attributes: 3 }), "PM_EVIDENCE_MALFORMED"],
    ["no measured firmware volume", changed(0, { attributes: 0 }), "PM_EVIDENCE_MALFORMED"],
    ["measured memory without data", changed(0, { rawSize: 0x4000 }), "PM_EVIDENCE_UNSUPPORTED"],
    ["an unknown type", changed(3, { type: 7 }), "PM_EVIDENCE_UNSUPPORTED"],
    ["an unknown attribute", changed(3, { attributes: 4 }), "PM_EVIDENCE_UNSUPPORTED"],
    ["memory without bound", changed(3, { address: 1n << 40n, memorySize: 1n << 44n }), "PM_EVIDENCE_UNSUPPORTED"],
    ["no sections", [], "PM_EVIDENCE_MALFORMED"],
  ] as const)("refuses %s", (_, list, code) => {
    expect(() => decodeTdvf(image(list))).toThrow(expect.objectContaining({ code }));
  });
  it("answers mutated images with a value or a typed error", () => {
    const genuine = image();
    const tail = 4096;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: tail }), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        (changes) => {
          const bytes = genuine.slice();
          for (const [fromEnd, value] of changes) bytes[bytes.length - fromEnd] = value;
          try {
            const tdvf = decodeTdvf(bytes);
            return mrtd(tdvf, "two-pass").length === 48 && (cfvDigest(tdvf)?.length ?? 48) === 48;
          } catch (error) {
            return error instanceof PmError && error.code !== "PM_BUG";
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** Without the page that holds the table: the same content whatever the table says. */
const withoutTail = (list: readonly TdvfSectionSpec[]): Uint8Array =>
  image(list.map((s) => (s.type === 0 ? { ...s, rawSize: 0x4000, memorySize: 0x4000n } : s)));

describe("events of OVMF", () => {
  it.each([
    [
      "SecureBoot, empty",
      "9dc3a1f80bcec915391dcda5ffbb15e7419f77eab462bbf72b42166fb70d50325e37b36f93537a863769bcf9bedae6fb",
    ],
    ["PK, empty", "6f2e3cbc14f9def86980f5f66fd85e99d63e69a73014ed8a5633ce56eca5b64b692108c56110e22acadcef58c3250f1b"],
    ["KEK, empty", "d607c0efb41c0d757d69bca0615c3a9ac0b1db06c557d992e906c6b7dee40e0e031640c7bfd7bcd35844ef9edeadc6f9"],
    ["db, empty", "08a74f8963b337acb6c93682f934496373679dd26af1089cb4eaf0c30cf260a12e814856385ab8843e56a9acea19e127"],
    ["dbx, empty", "18cc6e01f0c6ea99aa23f8a280423e94ad81d96d0aeb5180504fc0f7a40cb3619dd39bd6a95ec1680a86ed6ab0f9828d"],
    ["separator", "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9effc60e1ad9f1289f0"],
    [
      "BootOrder, 0000",
      "1dd6f7b457ad880d840d41c961283bab688e94e4b59359ea45686581e90feccea3c624b1226113f824f315eb60ae0a7c",
    ],
    [
      "Boot0000, UiApp",
      "23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28eacf7047ae6e967c58fd2a98bfa74c298",
    ],
    [
      "Calling EFI Application from Boot Option",
      "77a0dab2312b4e1e57a84d865a21e5b2ee8d677a21012ada819d0a98988078d3d740f6346bfe0abaa938ca20439a8d71",
    ],
    [
      "Exit Boot Services Invocation",
      "214b0bef1379756011344877743fdc2a5382bac6e70362d624ccf3f654407c1b4badf7d8f9295dd3dabdef65b27677e0",
    ],
    [
      "Exit Boot Services Returned with Success",
      "0a2e01c85deae718a530ad8c6d20a84009babe6c8989269e950d8cf440c6e997695e64d455c4174a652cd080f6230b74",
    ],
  ])("has the digest of %s", (event, digest) => {
    const all = [...secureBootEvents(), separator, ...bootOptionEvents(), ...kernelEvents(new Uint8Array(48))];
    expect(hex(all.find((e) => e.event === event)?.digest ?? new Uint8Array())).toBe(digest);
  });
  it("ends a command line with one NUL and knows none inside it", () => {
    const [event] = commandLineEvents("quiet", undefined);
    const expected = createHash("sha384").update(Buffer.from("quiet\0", "utf16le")).digest("hex");
    expect(hex(event?.digest ?? new Uint8Array())).toBe(expected);
    expect(() => commandLineEvents("a\0b", undefined)).toThrow(PmError);
  });
});

describe("the Authenticode digest", () => {
  const pe = (certificate: number): Buffer => {
    const bytes = Buffer.from(prng("pe").bytes("image", 0x600 + 5 + certificate));
    bytes.fill(0, 0, 0x200);
    bytes.write("MZ");
    bytes.writeUInt32LE(0x40, 0x3c);
    bytes.write("PE\0\0", 0x40, "latin1");
    bytes.writeUInt16LE(2, 0x46); // sections
    bytes.writeUInt16LE(0xf0, 0x54); // optional header
    bytes.writeUInt16LE(0x20b, 0x58);
    bytes.writeUInt32LE(0x200, 0x58 + 60);
    bytes.writeUInt32LE(16, 0x58 + 108);
    bytes.writeUInt32LE(0x605, 0x58 + 112 + 32);
    bytes.writeUInt32LE(certificate, 0x58 + 112 + 36);
    const table = 0x58 + 0xf0;
    // Not in file order: the digest sorts them.
    bytes.writeUInt32LE(0x100, table + 16);
    bytes.writeUInt32LE(0x500, table + 20);
    bytes.writeUInt32LE(0x300, table + 40 + 16);
    bytes.writeUInt32LE(0x200, table + 40 + 20);
    return bytes;
  };
  const digestOf = (bytes: Uint8Array): string => hex(authenticodeSha384(bytes));
  it("covers all but checksum, certificate entry and certificates, padded to 8 bytes", () => {
    const bytes = pe(64);
    const [checksum, entryAt] = [0x58 + 64, 0x58 + 112 + 32];
    const expected = createHash("sha384")
      .update(bytes.subarray(0, checksum))
      .update(bytes.subarray(checksum + 4, entryAt))
      .update(bytes.subarray(entryAt + 8, 0x605))
      .update(Buffer.alloc(7)) // 0x605 less 12 bytes, to the next multiple of 8
      .digest("hex");
    expect(digestOf(bytes)).toBe(expected);
  });
  it("does not change with what it leaves out, and with everything else", () => {
    const bytes = pe(64);
    const flip = (at: number): string => digestOf(bytes.map((b, i) => (i === at ? b ^ 1 : b)));
    for (const at of [0x58 + 64, 0x605, 0x605 + 63]) expect(flip(at)).toBe(digestOf(bytes));
    for (const at of [0x20, 0x200, 0x4ff, 0x500, 0x5ff, 0x600, 0x604]) expect(flip(at)).not.toBe(digestOf(bytes));
  });
  it("answers mutations with a value or a typed error", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0x1ff), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(0x640),
        (changes, length) => {
          const bytes = new Uint8Array(pe(64));
          for (const [at, value] of changes) bytes[at] = value;
          try {
            return authenticodeSha384(bytes.subarray(0, Math.max(1, length))).length === 48;
          } catch (error) {
            return error instanceof PmError && error.code !== "PM_BUG";
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describeEvidence("TDX launch measurements of the evidence", () => {
  it("gives MRTD in both orders and the digest of the configuration volume", () => {
    const expected = evidenceJson<{
      readonly "synthetic-tdvf.bin": {
        readonly mrtdTwoPass: string;
        readonly mrtdSinglePass: string;
        readonly cfvSha384: string;
      };
    }>("tdx/mrtd/expected.json")["synthetic-tdvf.bin"];
    const tdvf = decodeTdvf(evidence("tdx/mrtd/synthetic-tdvf.bin"));
    expect(hex(mrtd(tdvf, "two-pass"))).toBe(expected.mrtdTwoPass);
    expect(hex(mrtd(tdvf, "single-pass"))).toBe(expected.mrtdSinglePass);
    expect(hex(cfvDigest(tdvf) ?? new Uint8Array())).toBe(expected.cfvSha384);
  });
  it("replays RTMR1 and RTMR2 of a real direct boot from its kernel, command line and initrd digests", () => {
    const { event_log: log } = evidenceJson<{ readonly event_log: string }>(
      "tdx/eventlogs/dstack-0.5/quote-report.json",
    );
    const events = (typeof log === "string" ? JSON.parse(log) : log) as readonly {
      readonly imr: number;
      readonly digest: string;
    }[];
    const { rtmrs } = evidenceJson<{ readonly rtmrs: readonly string[] }>("tdx/eventlogs/dstack-0.5/expected.json");
    const of = (imr: number) => events.filter((e) => e.imr === imr).map((e) => fromHex(e.digest, 48, "digest"));
    const [kernel = new Uint8Array()] = of(1);
    expect(hex(rtmrOf(kernelEvents(kernel)))).toBe(rtmrs[1]);
    expect(of(2)).toHaveLength(2);
    expect(hex(rtmrOf(of(2).map((digest) => ({ event: "", digest }))))).toBe(rtmrs[2]);
    const known = [...secureBootEvents(), separator, ...bootOptionEvents()].map((e) => hex(e.digest));
    expect(of(0).map(hex)).toEqual(expect.arrayContaining(known));
  });
});
