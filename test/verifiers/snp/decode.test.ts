import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCertificates } from "../../../src/crypto/certificate.ts";
import { PmError } from "../../../src/errors.ts";
import { decodeEvidence } from "../../../src/verifiers/snp/evidence.ts";
import { cpuidOfEax, eaxOfCpuid, lineOfCpuid, lineOfProductName } from "../../../src/verifiers/snp/product.ts";
import { decodeReport } from "../../../src/verifiers/snp/report.ts";
import { vcekRequest } from "../../../src/verifiers/snp/requests.ts";
import { decodeCertificateTable } from "../../../src/verifiers/snp/table.ts";
import { decodeTcb, tcbAtLeast, tcbText } from "../../../src/verifiers/snp/tcb.ts";
import { decodeVek } from "../../../src/verifiers/snp/vek.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";
import { attestation, bytes, certificateTable, guids, number, reportMessage } from "./encode.ts";

function codeOf(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof PmError) return error.reasonCode ?? error.code;
    throw error;
  }
  return "none";
}
/** A version 2 report of zeros is well-formed. */
function blank(version = 2): Uint8Array {
  const b = new Uint8Array(1184);
  b[0] = version;
  b[0x34] = 1;
  return b;
}
const withByte = (b: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = b.slice();
  copy[at] = value;
  return copy;
};
const append = (a: Uint8Array, b: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([a, b]));

describe("decodeReport", () => {
  it.each([2, 3, 4, 5])("knows version %i", (version) => expect(decodeReport(blank(version)).version).toBe(version));
  it.each([0, 1, 6, 255])("refuses version %i as unsupported", (version) =>
    expect(codeOf(() => decodeReport(blank(version)))).toBe("report-version"),
  );
  it.each([
    [2, 0x188],
    [2, 0x18a],
    [3, 0x18b],
    [3, 0x1f8],
    [4, 0x1f8],
    [4, 0x207],
    [5, 0x208],
    [5, 0x29f],
    [2, 0x4c],
    [2, 0x49],
    [2, 0x1eb],
    [2, 0x1ef],
    [2, 0x330],
    [5, 0x49f],
  ])("refuses version %i with a reserved byte at %i", (version, at) =>
    expect(codeOf(() => decodeReport(withByte(blank(version), at, 0x80)))).toBe("report-reserved"),
  );
  it("reads mitigation vectors in version 5 only", () => {
    expect(decodeReport(withByte(blank(5), 0x1f8, 0x0b)).launchMitVector).toBe(0x0bn);
    expect(decodeReport(withByte(blank(5), 0x207, 0x80)).currentMitVector).toBe(1n << 63n);
  });
  it("refuses another signature algorithm as malformed", () =>
    expect(codeOf(() => decodeReport(withByte(blank(), 0x34, 2)))).toBe("signature-algo"));
  it("keeps nothing of the caller's memory", () => {
    const input = Buffer.from(blank(3));
    const report = decodeReport(input);
    input.fill(0xff);
    expect([report.signed[0], report.measurement[0]]).toEqual([3, 0]);
  });
});

describe("carriers", () => {
  const raw = blank(3);
  it("reads raw bytes, hex and base64 text with one line end", () => {
    const text = (s: string) => new TextEncoder().encode(s);
    const hex = Buffer.from(raw).toString("hex");
    const forms = [raw, text(hex), text(`${hex.toUpperCase()}\n`), text(`${Buffer.from(raw).toString("base64")}\r\n`)];
    for (const form of forms) expect(decodeEvidence(form)).toMatchObject({ carrier: "raw", raw });
    expect(codeOf(() => decodeEvidence(text(` ${hex}`)))).toBe("report-size");
    expect(codeOf(() => decodeEvidence(text(`${hex}\n\n`)))).toBe("report-size");
    expect(codeOf(() => decodeEvidence(text(hex.slice(2))))).toBe("report-size");
    expect(codeOf(() => decodeEvidence(text(hex.slice(1))))).toBe("report-size");
  });
  it("reads an extended report with its table", () => {
    const vcek = Uint8Array.of(1, 2, 3);
    const table = certificateTable([
      [guids.vcek, vcek],
      ["00000000-0000-0000-0000-000000000001", Uint8Array.of(9)],
    ]);
    expect(decodeEvidence(append(raw, table))).toMatchObject({ carrier: "extended", vcek });
    expect(decodeEvidence(append(raw, new Uint8Array(24))).vcek).toBeUndefined();
  });
  it.each([1, 16, 20, 23])("a tail of %i bytes is no table", (n) =>
    expect(codeOf(() => decodeEvidence(append(raw, new Uint8Array(n))))).toBe("report-size"),
  );
  it("a tail that begins like a table must be whole", () => {
    const table = certificateTable([[guids.vcek, Uint8Array.of(1, 2, 3)]]);
    for (let n = 24; n < table.length; n++)
      expect(codeOf(() => decodeEvidence(append(raw, table.subarray(0, n))))).toBe("certtable");
  });
  it.each([
    ["offset inside the header", 16, 24],
    ["length beyond the table", 20, 200],
  ])("refuses a table with %s", (_, at, value) => {
    const table = certificateTable([[guids.vcek, Uint8Array.of(1, 2, 3)]]);
    expect(codeOf(() => decodeCertificateTable(withByte(table, at, value)))).toBe("certtable");
  });
  it("refuses an offset and a length whose sum wraps 32 bits", () => {
    const table = Buffer.from(certificateTable([[guids.vcek, Uint8Array.of(1, 2, 3)]]));
    table.writeUInt32LE(0xffffffff, 20);
    expect(codeOf(() => decodeCertificateTable(table))).toBe("certtable");
  });
  it("refuses a known entry twice and bytes that no entry covers", () => {
    const one = Uint8Array.of(1);
    expect(
      codeOf(() =>
        decodeCertificateTable(
          certificateTable([
            [guids.ask, one],
            [guids.ask, one],
          ]),
        ),
      ),
    ).toBe("certtable");
    expect(codeOf(() => decodeCertificateTable(append(certificateTable([[guids.ask, one]]), one)))).toBe("certtable");
    expect(codeOf(() => decodeCertificateTable(append(certificateTable([[guids.ask, one]]), new Uint8Array(9))))).toBe(
      "none",
    );
  });
});

describe("go-sev-guest protobuf", () => {
  const raw = withByte(withByte(withByte(blank(3), 0x188, 0x19), 0x189, 0xa0), 0x18a, 2);
  const report = reportMessage(raw);
  it("rebuilds the signed bytes", () => {
    const chain = [...bytes(1, [1, 2]), ...bytes(2, [3]), ...bytes(6, [4])];
    const decoded = decodeEvidence(attestation(report, chain));
    expect(decoded).toMatchObject({ carrier: "protobuf", raw, productHint: "Genoa" });
    expect([decoded.vcek, decoded.ask, decoded.vlek]).toEqual([[1, 2], [3], [4]].map((b) => Uint8Array.from(b)));
  });
  it("takes the revocation list out of the extras", () => {
    const entry = [...bytes(1, new TextEncoder().encode("00569ee4-e480-4fba-bbf4-45b629901180")), ...bytes(2, [7])];
    expect(decodeEvidence(attestation(report, bytes(7, entry))).crl).toEqual(Uint8Array.of(7));
    expect(codeOf(() => decodeEvidence(attestation(report, [...bytes(7, entry), ...bytes(7, entry)])))).toBe(
      "certtable",
    );
  });
  it.each([
    ["an unknown field", [...report, ...number(40, 1)], "report-size"],
    ["a field twice", [...report, ...number(6, 1), ...number(6, 1)], "report-size"],
    ["a wrong wire type", [...report, ...bytes(6, [1])], "report-size"],
    ["a number beyond its field", [...report, ...number(6, 1n << 32n)], "report-size"],
    ["a version byte beyond a byte", [...report, ...number(21, 256)], "report-size"],
    ["a varint that is not the shortest", [...report, 0x30, 0x80, 0x00], "report-size"],
    ["a varint that is cut off", [...report, 0x30, 0x80], "report-size"],
    ["a measurement of 47 bytes", report.length === 0 ? [] : shortened(report), "report-size"],
    ["CPUID bits that are reserved", [...report.slice(0, -6), ...number(29, 0xf0aa0f02)], "report-reserved"],
  ])("refuses %s", (_, message, code) => expect(codeOf(() => decodeEvidence(attestation(message)))).toBe(code));
  it("refuses a message without a report", () =>
    expect(codeOf(() => decodeEvidence(Uint8Array.from(bytes(2, [])).subarray(0)))).not.toBe("none"));

  function shortened(message: readonly number[]): number[] {
    const at = message.findIndex((b, i) => b === ((12 << 3) | 2) && message[i + 1] === 48);
    return [...message.slice(0, at + 1), 47, ...message.slice(at + 3)];
  }
});

describe("CPUID, TCB and KDS paths", () => {
  it.each([
    [0x00a00f11, 0x19, 0x01, "Milan"],
    [0x00a10f11, 0x19, 0x11, "Genoa"],
    [0x00aa0f02, 0x19, 0xa0, "Genoa"],
    [0x00b00f21, 0x1a, 0x02, "Turin"],
    [0x00830f10, 0x17, 0x31, undefined],
    [0x00b50f00, 0x1a, 0x50, undefined],
  ])("EAX %i", (eax, family, model, line) => {
    const cpuid = cpuidOfEax(eax);
    expect(cpuid).toMatchObject({ family, model });
    expect(cpuid && lineOfCpuid(cpuid)).toBe(line);
    expect(cpuid && eaxOfCpuid(cpuid)).toBe(eax);
  });
  it("compares the line of a product name, never its stepping", () => {
    expect(["Milan-B0", "Genoa", "Turin-X-Y", "Venice", "milan", ""].map(lineOfProductName)).toEqual([
      "Milan",
      "Genoa",
      "Turin",
      undefined,
      undefined,
      undefined,
    ]);
  });
  it("reads a TCB by the line", () => {
    const b = Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0x51);
    expect(tcbText(decodeTcb(b, "Turin"))).toBe("fmc=1,bl=2,tee=3,snp=4,ucode=81");
    expect(tcbText(decodeTcb(b, "Genoa"))).toBe("bl=1,tee=2,snp=0,ucode=81,reserved=3.4.0.0");
  });
  it("compares each part", () => {
    const low = { bootloader: 10, tee: 0, snp: 23, microcode: 84 };
    expect(tcbAtLeast(low, low)).toBe(true);
    expect(tcbAtLeast({ ...low, microcode: 255 }, { ...low, tee: 1 })).toBe(false);
    expect(tcbAtLeast(low, { ...low, fmc: 0 })).toBe(false);
  });
});

interface Index {
  readonly file: string;
  readonly measurement: string;
  readonly product: string | null;
  readonly kdsVcekPath?: string | null;
}
describeEvidence("genuine reports", () => {
  const index = evidenceJson<Index[]>("snp/real/index.json");
  it.each(index)("decodes $file", ({ file, measurement, product, kdsVcekPath }) => {
    const raw = evidence(`snp/real/${file}`).subarray(0, 1184);
    const { report } = decodeEvidence(raw);
    expect(Buffer.from(report.measurement).toString("hex")).toBe(measurement);
    const line = report.cpuid && lineOfCpuid(report.cpuid);
    if (line !== undefined) expect(line).toBe(product);
    if (line !== undefined && kdsVcekPath) expect(vcekRequest(report, line).path).toBe(kdsVcekPath);
    expect(decodeEvidence(attestation(reportMessage(raw))).raw).toEqual(new Uint8Array(raw));
  });
  it("decodes the certificate table that a host wrote", () => {
    const { carrier, vcek, ask, ark } = decodeEvidence(evidence("snp/real/genoa-v3-exttable.extended.bin"));
    expect([carrier, vcek, ask, ark].every(Boolean)).toBe(true);
    const own = decodeCertificates(vcek ?? new Uint8Array());
    expect(own[0]?.raw).toEqual(new Uint8Array(evidence("snp/real/genoa-v3-exttable.vcek.der")));
  });
});

describe("decoders are total", () => {
  const survives = (decode: (b: Uint8Array) => unknown) => (input: Uint8Array) => {
    codeOf(() => decode(input));
  };
  it("decodeEvidence on arbitrary bytes", () =>
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), survives(decodeEvidence)), { numRuns: 2000 }));
  it("decodeCertificateTable on arbitrary bytes", () =>
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), survives(decodeCertificateTable)), { numRuns: 2000 }));
  it("decodeEvidence on mutated protobuf", () => {
    const good = attestation(reportMessage(blank(3)), bytes(7, [...bytes(1, [65]), ...bytes(2, [7])]));
    const mutation = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const property = fc.property(mutation, fc.nat(good.length), (changes, cut) => {
      const b = changes.reduce((acc, [at, value]) => withByte(acc, at, value), good).slice(0, cut || good.length);
      survives(decodeEvidence)(b);
    });
    fc.assert(property, { numRuns: 5000 });
  });
});

describeEvidence("VEK extensions", () => {
  it("lists problems of any certificate without throwing", () => {
    const names = ["certs/invalid-milan-vcek-hwid-octetstring.der", "synthetic/vcek-dup.der", "roots/milan-ark.der"];
    const problems = names.map((n) => {
      const [c] = decodeCertificates(evidence(`snp/${n}`));
      return c && decodeVek(c, "VCEK").problems.map((p) => p.code);
    });
    expect(problems[0]).toEqual([]);
    expect(problems[1]).toEqual(["vek-ext-duplicate"]);
    expect(new Set(problems[2])).toEqual(new Set(["vek-ext-missing"]));
  });
});
