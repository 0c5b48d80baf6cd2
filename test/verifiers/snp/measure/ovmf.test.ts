/** OVMF images of the generator: the digest by a second writing of the rule, each defect, mutations. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amdSevSections, amdSevSpec, makeOvmf, type OvmfSpec } from "../../../../fixtures/generator/ovmf.ts";
import { prng } from "../../../../fixtures/generator/prng.ts";
import { guidBytes, guidText } from "../../../../src/bytes/guid-table.ts";
import { hex } from "../../../../src/bytes/hex.ts";
import { PmError } from "../../../../src/errors.ts";
import { cpuText, signatureOfModel } from "../../../../src/verifiers/snp/measure/cpu.ts";
import { type Launch, launchDigests } from "../../../../src/verifiers/snp/measure/digest.ts";
import { decodeOvmf } from "../../../../src/verifiers/snp/measure/ovmf.ts";
import { extendByAp } from "../../../../src/verifiers/snp/measure/vmsa.ts";

const image = (change: Partial<OvmfSpec> = {}): Uint8Array => makeOvmf(prng("ovmf"), { ...amdSevSpec, ...change });
const sections = (index: number, change: Partial<(typeof amdSevSections)[number]>) => ({
  sev: amdSevSections.map((s, i) => (i === index ? { ...s, ...change } : s)),
});
const sha = (algorithm: "sha256" | "sha384", ...parts: readonly (Uint8Array | string)[]): Buffer =>
  parts.reduce((h, part) => h.update(part), createHash(algorithm)).digest();
const kernel = sha("sha256", "kernel");
const initrd = sha("sha256", "initrd");
const boot = { kernel: new Uint8Array(kernel), initrd: new Uint8Array(initrd), append: Buffer.from("quiet") };
const launch = (change: Partial<Launch> = {}): Launch => ({
  ovmf: decodeOvmf(image()),
  boot,
  vmm: "qemu",
  cpuSignature: 0xa00f11,
  features: 1n,
  ...change,
});
const last = (l: Launch, vcpus = 1): string => hex(launchDigests(l, vcpus).at(-1) ?? new Uint8Array());

/** The rule once more, with the offsets written out. */
function byHand(bytes: Uint8Array, vcpus: number, withKernel: boolean): string {
  let ld: Buffer = Buffer.alloc(48);
  const extend = (type: number, gpa: bigint, contents: Uint8Array = Buffer.alloc(48)): void => {
    const tail = Buffer.alloc(16);
    tail.writeUInt16LE(0x70);
    tail[2] = type;
    tail.writeBigUInt64LE(gpa, 8);
    ld = sha("sha384", ld, contents, tail);
  };
  for (let at = 0; at < bytes.length; at += 4096)
    extend(1, BigInt(2 ** 32 - bytes.length + at), sha("sha384", bytes.subarray(at, at + 4096)));
  for (const { gpa, size, type } of amdSevSections) {
    if (type === 2) extend(5, BigInt(gpa));
    else if (type === 3) extend(6, BigInt(gpa));
    else if (type === 0x10 && withKernel) {
      const page = Buffer.alloc(4096);
      const entry = (name: string, digest: Uint8Array): Buffer =>
        Buffer.concat([guidBytes(name), Buffer.of(50, 0), digest]);
      Buffer.concat([
        guidBytes("9438d606-4f22-4cc9-b479-a793d411fd21"),
        Buffer.of(168, 0),
        entry("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", sha("sha256", "quiet\0")),
        entry("44baf731-3a2f-4bd7-9af1-41e29169781d", initrd),
        entry("4de79437-abd2-427f-b835-d5b172d2045b", kernel),
      ]).copy(page, 0xc00);
      extend(1, BigInt(gpa), sha("sha384", page));
    } else for (let at = gpa; at < gpa + size; at += 4096) extend(3, BigInt(at));
  }
  for (let i = 0; i < vcpus; i++) {
    const page = Buffer.alloc(4096);
    const [base, rip] = i === 0 ? [0xffff0000n, 0xfff0n] : [0x800000n, 0xb004n];
    const segment = (at: number, selector: number, attrib: number, from = 0n): void => {
      page.writeUInt16LE(selector, at);
      page.writeUInt16LE(attrib, at + 2);
      page.writeUInt32LE(0xffff, at + 4);
      page.writeBigUInt64LE(from, at + 8);
    };
    for (const at of [0, 0x20, 0x30, 0x40, 0x50]) segment(at, 0, 0x93);
    segment(0x10, 0xf000, 0x9b, base);
    for (const at of [0x60, 0x80]) segment(at, 0, 0);
    segment(0x70, 0, 0x82);
    segment(0x90, 0, 0x8b);
    const registers: readonly (readonly [number, bigint])[] = [
      [0xd0, 0x1000n],
      [0x148, 0x40n],
      [0x158, 0x10n],
      [0x160, 0x400n],
      [0x168, 0xffff0ff0n],
      [0x170, 2n],
      [0x178, rip],
      [0x268, 0x7040600070406n],
      [0x310, 0xa00f11n],
      [0x3b0, 1n],
      [0x3e8, 1n],
      [0x408, 0x1f80n],
      [0x410, 0x37fn],
    ];
    for (const [at, value] of registers) page.writeBigUInt64LE(value, at);
    extend(2, 0xfffffffff000n, sha("sha384", page));
  }
  return ld.toString("hex");
}

describe("the launch digest", () => {
  it.each([1, 2, 5])("is what the rule gives, for %i vCPUs", (vcpus) => {
    expect(last(launch(), vcpus)).toBe(byHand(image(), vcpus, true));
    expect(last(launch({ boot: undefined }), vcpus)).toBe(byHand(image(), vcpus, false));
  });
  it("of n + 1 vCPUs is that of n, extended by one", () => {
    const [one = new Uint8Array(), two] = launchDigests(launch({ features: 0x21n }), 2);
    expect(hex(extendByAp(one, 0x0080b004, 0xa00f11, 0x21n))).toBe(hex(two ?? new Uint8Array()));
  });
  it("differs with each input that is measured", () => {
    const digests = [
      last(launch()),
      last(launch(), 2),
      last(launch({ features: 0x21n })),
      last(launch({ cpuSignature: 0xa10f10 })),
      last(launch({ vmm: "ec2" })),
      last(launch({ vmm: "gce" })),
      last(launch({ boot: undefined })),
      last(launch({ boot: { ...boot, kernel: boot.initrd } })),
      last(launch({ boot: { ...boot, initrd: undefined } })),
      last(launch({ boot: { ...boot, append: Buffer.from("quiet ") } })),
      last(launch({ ovmf: decodeOvmf(image({ hashTableGpa: 0x810d00 })) })),
      ...[0, 4096, 3 * 4096 + 100].map((at) =>
        last(launch({ ovmf: decodeOvmf(image().map((b, i) => (i === at ? b ^ 1 : b))) })),
      ),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
  it("is the same for an absent and an empty command line, and for models of one signature", () => {
    expect(last(launch({ boot: { ...boot, append: undefined } }))).toBe(
      last(launch({ boot: { ...boot, append: new Uint8Array() } })),
    );
    expect(signatureOfModel("EPYC-Milan-v2")).toBe(signatureOfModel("EPYC-Milan"));
    expect(cpuText(0xa00f11)).toBe("EPYC-Milan (0x00a00f11)");
  });
  it("does not know names that only look like a model's", () => {
    for (const name of ["epyc-milan", "EPYC-Milan ", "EPYC-Milan-v", "EPYC-v5", "constructor", ""])
      expect(signatureOfModel(name)).toBeUndefined();
  });
});

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof PmError) return `${error.code.replace("PM_EVIDENCE_", "")} ${error.reasonCode}`;
    throw error;
  }
  return "none";
};

describe("an image that cannot be measured", () => {
  const decode = (change: Partial<OvmfSpec>) => () => decodeOvmf(image(change));
  it.each([
    ["no page", () => decodeOvmf(new Uint8Array()), "MALFORMED ovmf-malformed"],
    ["half a page", () => decodeOvmf(image().subarray(2048)), "MALFORMED ovmf-malformed"],
    ["no table", () => decodeOvmf(new Uint8Array(8192)), "MALFORMED ovmf-malformed"],
    ["no metadata", decode({ sev: undefined }), "MALFORMED ovmf-malformed"],
    ["no sections", decode({ sev: [] }), "MALFORMED ovmf-malformed"],
    ["a section of unknown type", decode(sections(3, { type: 5 })), "UNSUPPORTED ovmf-section-unknown"],
    ["a section between pages", decode(sections(0, { gpa: 0x800800 })), "MALFORMED ovmf-malformed"],
    ["a section of half a page", decode(sections(0, { size: 0x800 })), "MALFORMED ovmf-malformed"],
    ["a section of no page", decode(sections(0, { size: 0 })), "MALFORMED ovmf-malformed"],
    ["two pages of kernel hashes", decode(sections(4, { gpa: 0x820000, size: 0x2000 })), "MALFORMED ovmf-malformed"],
    ["two sections of secrets", decode(sections(2, { type: 2 })), "MALFORMED ovmf-malformed"],
    ["sections over each other", decode(sections(0, { size: 0x10000 })), "UNSUPPORTED ovmf-malformed"],
    ["a section over the image", decode(sections(0, { gpa: 0xffff_f000 })), "UNSUPPORTED ovmf-malformed"],
    ["memory without bound", decode(sections(5, { size: 0x7000_0000 })), "UNSUPPORTED ovmf-malformed"],
    [
      "hashes elsewhere than in their section",
      () => last(launch({ ovmf: decodeOvmf(image({ hashTableGpa: 0x811c00 })) })),
      "MALFORMED ovmf-malformed",
    ],
    [
      "hashes over the page's end",
      () => last(launch({ ovmf: decodeOvmf(image({ hashTableGpa: 0x810f80 })) })),
      "MALFORMED ovmf-malformed",
    ],
    [
      "a kernel without a section for its hashes",
      () => last(launch({ ovmf: decodeOvmf(image({ sev: amdSevSections.filter((s) => s.type !== 0x10) })) })),
      "UNSUPPORTED ovmf-hashes-absent",
    ],
    [
      "a kernel where the firmware looks for no hashes",
      () => last(launch({ ovmf: decodeOvmf(image({ hashTableGpa: 0 })) })),
      "UNSUPPORTED ovmf-hashes-absent",
    ],
    [
      "two vCPUs without an entry point",
      () => last(launch({ ovmf: decodeOvmf(image({ apEip: undefined })) }), 2),
      "UNSUPPORTED ovmf-malformed",
    ],
  ] as const)("%s", (_, run, code) => expect(codeOf(run)).toBe(code));

  it("is answered with a value or a typed error, however its end is changed", () => {
    const genuine = image();
    const change = fc.tuple(fc.integer({ min: 1, max: 0x720 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = genuine.slice();
        for (const [fromEnd, value] of changes) bytes[bytes.length - fromEnd] = value;
        try {
          return launchDigests(launch({ ovmf: decodeOvmf(bytes) }), 2).every((ld) => ld.length === 48);
        } catch (error) {
          return error instanceof PmError && error.code !== "PM_BUG";
        }
      }),
      { numRuns: 1500 },
    );
  });
  it("is answered so for arbitrary bytes too", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        const bytes = new Uint8Array(4096);
        bytes.set(tail, 4096 - tail.length);
        return codeOf(() => decodeOvmf(bytes)) === "MALFORMED ovmf-malformed";
      }),
    );
  });
});

describe("GUIDs of firmware tables", () => {
  it("are little-endian in their first three groups", () => {
    const text = "96b582de-1fb2-45f7-baea-a366c55a082d";
    expect(hex(guidBytes(text))).toBe("de82b596b21ff745baeaa366c55a082d");
    expect(guidText(guidBytes(text))).toBe(text);
  });
});
