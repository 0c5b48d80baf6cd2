/** The three measuring commands on the generator's images: what they print, how they end, what explains a mismatch. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { amdSevSpec, makeOvmf, tdvfSpec } from "../../fixtures/generator/ovmf.ts";
import { prng } from "../../fixtures/generator/prng.ts";
import { snpIdKey } from "../../src/audit/snp-id-key.ts";
import { hexNumberFlag, type MeasureFlags, measureSnp, vcpuRange } from "../../src/audit/snp-measure.ts";
import { measureTdx } from "../../src/audit/tdx-measure.ts";
import type { Result } from "../../src/command.ts";
import { PmError } from "../../src/errors.ts";
import { measureFile } from "../../src/measure/files.ts";
import { idBlock, idKeyDigest, recoveredIdKey } from "../../src/verifiers/contrast/idkey.ts";

const folder = mkdtempSync(join(tmpdir(), "pm-measure-"));
const file = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const ovmf = file("ovmf.fd", makeOvmf(prng("measure"), amdSevSpec));
const otherOvmf = file("other.fd", makeOvmf(prng("other"), amdSevSpec));
const [kernel, otherKernel] = [file("kernel", "kernel"), file("kernel-2", "another kernel")];
const [initrd, otherInitrd] = [file("initrd", "initrd"), file("initrd-2", "another initrd")];
const base: MeasureFlags = {
  ovmf,
  kernel,
  initrd,
  append: "quiet root=/dev/vda1",
  vcpus: "2",
  "vcpu-type": "EPYC-Milan",
  "guest-features": "0x1",
  vmm: "qemu",
};
interface Document {
  readonly line: string;
  readonly digests: readonly { readonly vcpus: number; readonly digest: string }[];
  readonly expected: readonly {
    readonly match: { readonly vcpus: number } | null;
    readonly explained: { readonly input: string; readonly value: string; readonly vcpus: number } | null;
  }[];
  readonly tried: readonly { readonly input: string; readonly value: string; readonly reason?: string }[];
}
const documentOf = (result: Result): Document => JSON.parse(result.json()) as Document;
const digestOf = async (flags: Partial<MeasureFlags>): Promise<string> =>
  documentOf(await measureSnp({ ...base, ...flags })).digests.at(-1)?.digest ?? "";
const failure = async (run: Promise<unknown>): Promise<PmError> => {
  const error: unknown = await run.catch((e: unknown) => e);
  if (error instanceof PmError) return error;
  throw new Error(`did not fail: ${String(error)}`);
};

describe("pm snp measure", () => {
  it("prints a digest for each count", async () => {
    const result = await measureSnp({ ...base, vcpus: "1..4" });
    const { digests, line } = documentOf(result);
    expect(digests.map((d) => d.vcpus)).toEqual([1, 2, 3, 4]);
    expect([result.exitCode, line]).toEqual([0, "measured 4 launch digests; nothing was compared"]);
    for (const { digest } of digests) expect(result.text({ width: 80, color: false })).toContain(`    ${digest}\n`);
  });
  it("says which count is the expected one", async () => {
    const expected = await digestOf({ vcpus: "3" });
    const result = await measureSnp({ ...base, vcpus: "1..4", expect: ["0".repeat(96), expected] });
    const { expected: found } = documentOf(result);
    expect(result.exitCode).toBe(0);
    expect(found.map((f) => f.match?.vcpus ?? null)).toEqual([null, 3]);
  });

  const varied = [
    ["vcpus", { vcpus: "7" }, {}, "7"],
    ["features", { "guest-features": "21" }, {}, "0x21"],
    ["features", { "guest-features": "0x201" }, {}, "0x201"],
    ["cpu", { "vcpu-type": "EPYC-Genoa" }, {}, "EPYC-Genoa (0x00a10f10)"],
    ["vmm", { vmm: "ec2" }, {}, "ec2"],
    ["vmm", { vmm: "gce" }, {}, "gce"],
    ["kernel", { kernel: undefined, initrd: undefined, append: undefined }, {}, "none"],
    ["kernel", { kernel: otherKernel }, { "try-kernel": [initrd, otherKernel] }, otherKernel],
    ["initrd", { initrd: undefined }, {}, "none"],
    ["initrd", { initrd: otherInitrd }, { "try-initrd": [otherInitrd] }, otherInitrd],
    ["command line", { append: undefined }, {}, "empty"],
    ["command line", { append: "quiet root=/dev/vda1\n" }, {}, "with a line feed at its end"],
    ["command line", { append: "debug" }, { "try-append": ["x", "debug"] }, "debug"],
    ["firmware", { ovmf: otherOvmf }, { "try-ovmf": [otherOvmf] }, otherOvmf],
  ] as const;
  it.each(varied)("names the input %s that differs (%j)", async (input, change, tries, value) => {
    const expected = await digestOf(change);
    const result = await measureSnp({ ...base, ...tries, expect: [expected] });
    const document = documentOf(result);
    expect([result.exitCode, document.line]).toEqual([1, "none of 1 expected digest is the launch's"]);
    expect(document.expected[0]?.match).toBeNull();
    expect(document.expected[0]?.explained).toMatchObject({ input, value });
    // 500 columns: nothing is wrapped.
    expect(result.text({ width: 500, color: false })).toContain(`the input "${input}" differs: ${value} gives it`);
  });
  it("names a command line without its line feed", async () => {
    const expected = await digestOf({});
    const line = file("cmdline", "quiet root=/dev/vda1\n");
    const result = await measureSnp({ ...base, append: undefined, "append-file": line, expect: [expected] });
    const { explained } = documentOf(result).expected[0] ?? {};
    expect(explained).toMatchObject({ input: "command line", value: "without the white space at its end" });
  });
  it.each([
    ["two inputs", { vcpus: "3", "guest-features": "0x21" }, {}],
    ["a file that was not given", { kernel: otherKernel }, {}],
    ["another file than those given", { ovmf: otherOvmf }, { "try-kernel": [otherKernel] }],
  ] as const)("says that nothing it tried explains %s", async (_, change, tries) => {
    const expected = await digestOf(change);
    const result = await measureSnp({ ...base, ...tries, expect: [expected] });
    const document = documentOf(result);
    expect(result.exitCode).toBe(1);
    expect(document.expected).toEqual([{ expected, match: null, explained: null }]);
    expect(new Set(document.tried.map((t) => t.input))).toEqual(
      new Set(["vcpus", "features", "cpu", "vmm", "kernel", "initrd", "command line"]),
    );
  });
  it("measures the clouds without a CPU model, and QEMU not", async () => {
    const cloud = await digestOf({ vmm: "gce", "vcpu-type": undefined });
    expect(cloud).toBe(await digestOf({ vmm: "gce", "vcpu-type": "EPYC-Genoa" }));
    expect((await failure(measureSnp({ ...base, "vcpu-type": undefined }))).code).toBe("PM_USAGE");
  });
  it.each([
    ["an initrd without a kernel", { kernel: undefined }, "PM_USAGE"],
    ["an unknown CPU", { "vcpu-type": "EPYC-Naples" }, "PM_USAGE"],
    ["no vCPU", { vcpus: "0" }, "PM_USAGE"],
    ["a range backwards", { vcpus: "4..2" }, "PM_USAGE"],
    ["features that are no number", { "guest-features": "0x1g" }, "PM_USAGE"],
    ["features of more than 64 bits", { "guest-features": "1".repeat(17) }, "PM_USAGE"],
    ["half a digest", { expect: ["00"] }, "PM_USAGE"],
    ["a file that is not there", { ovmf: join(folder, "absent") }, "PM_USAGE"],
    ["a kernel that is not there", { kernel: join(folder, "absent") }, "PM_USAGE"],
    ["a folder as initrd", { initrd: folder }, "PM_USAGE"],
    ["a kernel as firmware", { ovmf: kernel }, "PM_EVIDENCE_MALFORMED"],
  ] as const)("refuses %s", async (_, change, code) => {
    expect((await failure(measureSnp({ ...base, ...change }))).code).toBe(code);
  });
  it("reads numbers as they are written", () => {
    expect([hexNumberFlag("21", 16, ""), hexNumberFlag("0X1f", 16, "")]).toEqual([0x21n, 0x1fn]);
    expect(vcpuRange("1..4096")).toEqual({ from: 1, to: 4096 });
  });
});

describe("pm snp id-key", () => {
  const measurement = "07".repeat(48);
  it("computes the recovered key's digest from either form of the policy", async () => {
    const [byNumber, byWords] = await Promise.all([
      snpIdKey({ measurement, policy: "0x2030000" }),
      snpIdKey({ measurement, "guest-policy": "smt,page-swap-disable" }),
    ]);
    expect(byNumber.json()).toBe(byWords.json());
    expect(byNumber.exitCode).toBe(0);
    const { contrast } = JSON.parse(byNumber.json()) as { readonly contrast: { readonly idKeyDigest: string } };
    expect((await snpIdKey({ measurement, policy: "2030000", expect: contrast.idKeyDigest })).exitCode).toBe(0);
    expect((await snpIdKey({ measurement, policy: "2020000", expect: contrast.idKeyDigest })).exitCode).toBe(1);
  });
  it("compares an ID block with what it should hold", async () => {
    const recovered = JSON.parse((await snpIdKey({ measurement, policy: "0x30000" })).json()) as {
      readonly contrast: { readonly idBlock: string };
    };
    const block = file("id-block", Buffer.from(recovered.contrast.idBlock, "hex"));
    expect((await snpIdKey({ "id-block": block, measurement, policy: "30000" })).exitCode).toBe(0);
    expect((await snpIdKey({ "id-block": block, measurement: "08".repeat(48), policy: "30000" })).exitCode).toBe(1);
    expect((await snpIdKey({ "id-block": block, policy: "20000" })).exitCode).toBe(1);
  });
  it("checks the signatures of block and page, as bytes and as base64", async () => {
    const ld = new Uint8Array(48).fill(7);
    const block = idBlock(ld, 0x30000n);
    const page = new Uint8Array(4096);
    page[0] = 1;
    page[0x40] = 2; // R
    page[0x40 + 72] = 1; // S
    page.set(recoveredIdKey(block), 0x240);
    const base64 = (bytes: Uint8Array): string => `${Buffer.from(bytes).toString("base64")}\n`;
    const expected = Buffer.from(idKeyDigest(ld, 0x30000n)).toString("hex");
    for (const form of [(bytes: Uint8Array) => bytes, base64]) {
      const flags = { "id-block": file("block", form(block)), "id-auth": file("auth", form(page)), expect: expected };
      expect((await snpIdKey(flags)).exitCode).toBe(0);
      const other = { ...flags, "id-block": file("block-2", form(idBlock(ld, 0x20000n))) };
      const result = await snpIdKey(other);
      expect(result.exitCode).toBe(1);
      expect(result.json()).toContain("does not hold: ID_BLOCK_SIG is the ID key's over the ID block");
    }
  });
  it.each([
    ["nothing", {}],
    ["a measurement alone", { measurement }],
    ["a page alone", { "id-auth": ovmf }],
    ["half a measurement", { measurement: "07", policy: "30000" }],
  ])("refuses %s", async (_, flags) => {
    expect(["PM_USAGE", "PM_EVIDENCE_MALFORMED"]).toContain((await failure(snpIdKey(flags))).code);
  });
});

describe("pm tdx measure", () => {
  const tdvf = file("tdvf.fd", makeOvmf(prng("tdvf"), tdvfSpec));
  interface TdxDocument {
    readonly mrtd: { readonly twoPass: string; readonly singlePass: string };
    readonly rtmr0: { readonly value: null; readonly cfvDigest: string };
    readonly rtmr2: { readonly value: string } | null;
  }
  const of = (result: Result): TdxDocument => JSON.parse(result.json()) as TdxDocument;
  it("prints MRTD in both orders and says what is not confirmed", async () => {
    const result = await measureTdx({ tdvf });
    const { mrtd, rtmr0, rtmr2 } = of(result);
    expect(mrtd.twoPass).not.toBe(mrtd.singlePass);
    expect([rtmr0.value, rtmr2]).toEqual([null, null]);
    expect(result.text({ width: 80, color: false })).toMatch(/not confirmed/);
    expect(result.exitCode).toBe(0);
  });
  it("ends by whether an expected value is one of the two", async () => {
    const { mrtd } = of(await measureTdx({ tdvf }));
    for (const [value, status] of [
      [mrtd.twoPass, 0],
      [mrtd.singlePass, 0],
      ["00".repeat(48), 1],
    ] as const)
      expect((await measureTdx({ tdvf, expect: [value] })).exitCode).toBe(status);
  });
  it("computes RTMR2 from command line and initrd", async () => {
    const sha384 = (...parts: readonly Uint8Array[]) =>
      new Uint8Array(parts.reduce((h, p) => h.update(p), createHash("sha384")).digest());
    const line = sha384(Buffer.from("quiet\0", "utf16le"));
    const rtmr = [line, sha384(Buffer.from("initrd"))].reduce((r, d) => sha384(r, d), new Uint8Array(48));
    const { rtmr2 } = of(await measureTdx({ tdvf, append: "quiet", initrd }));
    expect(rtmr2?.value).toBe(Buffer.from(rtmr).toString("hex"));
  });
  it("refuses an image without TDVF metadata, and an initrd without a command line", async () => {
    expect((await failure(measureTdx({ tdvf: ovmf }))).code).toBe("PM_EVIDENCE_MALFORMED");
    expect((await failure(measureTdx({ tdvf, initrd }))).code).toBe("PM_USAGE");
    expect((await failure(measureTdx({ tdvf, kernel }))).code).toBe("PM_EVIDENCE_MALFORMED");
  });
});

describe("a file that is measured", () => {
  it("is digested whole, in pieces", async () => {
    const content = prng("file").bytes("content", 3 * 1024 * 1024 + 7);
    const measured = await measureFile(file("large", content), "a file");
    expect(measured).toMatchObject({
      size: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      sha384: createHash("sha384").update(content).digest("hex"),
    });
  });
  it("stops when it is told to", async () => {
    const aborted = AbortSignal.abort(new Error("stopped"));
    await expect(measureFile(kernel, "a kernel", aborted)).rejects.toThrow("stopped");
  });
});

/** A second implementation, where Python and the package are installed. */
const python = spawnSync("python3", ["-c", "import sevsnpmeasure"]).status === 0;
if (!python) process.stderr.write("notice: skipped the comparison with sev-snp-measure: no such Python package\n");
describe.skipIf(!python)("against the Python package sev-snp-measure", () => {
  const other = (flags: MeasureFlags): string => {
    const args = [
      "--mode=snp",
      `--vcpus=${flags.vcpus}`,
      `--vcpu-type=${flags["vcpu-type"]}`,
      `--vmm-type=${flags.vmm === "qemu" ? "QEMU" : flags.vmm}`,
      `--ovmf=${flags.ovmf}`,
      `--guest-features=${flags["guest-features"]}`,
      ...(flags.kernel === undefined ? [] : [`--kernel=${flags.kernel}`]),
      ...(flags.initrd === undefined ? [] : [`--initrd=${flags.initrd}`]),
      ...(flags.append === undefined ? [] : [`--append=${flags.append}`]),
    ];
    const run = spawnSync("python3", ["-c", "from sevsnpmeasure.cli import main; main()", ...args], {
      encoding: "utf8",
    });
    return run.stdout.trim();
  };
  const random = prng(process.env["PM_SEED"] ?? "sev-snp-measure");
  test.each(Array.from({ length: 12 }, (_, i) => i))("gives the same digest for random inputs, %i", async (i) => {
    const r = random.child(String(i));
    const withKernel = r.integer("kernel?", 0, 3) > 0;
    const flags: MeasureFlags = {
      ovmf: file(`random-${i}.fd`, makeOvmf(r, { ...amdSevSpec, size: 4096 * r.integer("pages", 1, 8) })),
      kernel: withKernel ? file(`random-${i}.kernel`, r.bytes("kernel", r.integer("length", 0, 5000))) : undefined,
      initrd: withKernel ? file(`random-${i}.initrd`, r.bytes("initrd", 100)) : undefined,
      append: withKernel ? Buffer.from(r.bytes("line", 20)).toString("hex") : undefined,
      vcpus: String(r.integer("vcpus", 1, 6)),
      "vcpu-type": r.pick("cpu", ["EPYC-v4", "EPYC-Rome", "EPYC-Milan", "EPYC-Genoa"]),
      "guest-features": r.pick("features", ["0x1", "0x21"]),
      vmm: r.pick("vmm", ["qemu", "gce"]),
    };
    expect(await digestOf(flags)).toBe(other(flags));
  });
});
