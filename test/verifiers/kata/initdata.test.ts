import { createHash } from "node:crypto";
import { deflateRawSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PmError } from "../../../src/errors.ts";
import { decodeCarried, decodePolicyBody } from "../../../src/verifiers/kata/body.ts";
import { decodeAnnotation, decodeInitdataDevice } from "../../../src/verifiers/kata/carrier.ts";
import { decodeInitdata } from "../../../src/verifiers/kata/initdata.ts";
import { annotation, bytes, device, initdata } from "./make.ts";

/** The error of a decoder, or the value that it wrongly returned. */
function refusal(decode: () => unknown): PmError {
  try {
    decode();
  } catch (error) {
    if (error instanceof PmError) return error;
    throw error;
  }
  throw new Error("was decoded");
}
const refuses = (document: string | Uint8Array, message: RegExp): void => {
  const error = refusal(() => decodeInitdata(typeof document === "string" ? bytes(document) : document));
  expect(error.message).toMatch(message);
  expect(error).toMatchObject({ code: "PM_EVIDENCE_MALFORMED", reasonCode: "initdata-malformed" });
};
const head = "version = '0.1.0'\nalgorithm = 'sha256'\n";

describe("an initdata document", () => {
  it("keeps the raw bytes and takes the digest over them", () => {
    const raw = bytes(initdata());
    const document = decodeInitdata(raw);
    expect(document.raw).toEqual(raw);
    expect(Buffer.from(document.digest).toString("hex")).toBe(createHash("sha256").update(raw).digest("hex"));
    expect([...document.data.keys()]).toEqual(["policy.rego"]);
  });

  it.each([
    ["sha256", "sha256", 32],
    ["sha-256", "sha256", 32],
    ["sha384", "sha384", 48],
    ["sha-384", "sha384", 48],
    ["sha512", "sha512", 64],
    ["sha-512", "sha512", 64],
  ])("reads algorithm %s as %s", (name, algorithm, length) => {
    const document = decodeInitdata(bytes(initdata({}, name)));
    expect(document.algorithm).toBe(algorithm);
    expect(document.digest).toHaveLength(length);
  });

  it.each(["md5", "SHA256", "sha1", "sha--256", "", "sha3-256", "constructor"])("refuses algorithm %j", (name) => {
    refuses(`version = '0.1.0'\nalgorithm = '${name}'\n`, /algorithm/);
  });

  it("has another digest with another encoding of the same content", () => {
    const a = decodeInitdata(bytes(`${head}[data]\n'policy.rego' = 'x'\n`));
    const b = decodeInitdata(bytes(`${head}[data]\n"policy.rego" = "x"\n`));
    expect(a.data).toEqual(b.data);
    expect(a.digest).not.toEqual(b.digest);
  });

  it("has another digest with CRLF line ends", () => {
    const crlf = decodeInitdata(bytes(initdata().replaceAll("\n", "\r\n")));
    expect(crlf.digest).not.toEqual(decodeInitdata(bytes(initdata())).digest);
  });

  it("takes a missing table of data for an empty one", () => {
    expect(decodeInitdata(bytes(head)).data.size).toBe(0);
  });

  it("keeps keys that name something of JavaScript", () => {
    const document = decodeInitdata(bytes(`${head}[data]\n'__proto__' = 'x'\nconstructor = 'y'\n`));
    expect([...document.data]).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  it("calls another version unsupported and no forgery", () => {
    const error = refusal(() => decodeInitdata(bytes(head.replace("0.1.0", "0.2.0"))));
    expect(error).toMatchObject({ code: "PM_EVIDENCE_UNSUPPORTED" });
    expect(error.message).toContain("0.2.0");
  });

  it("refuses what is not an initdata document", () => {
    refuses("", /version/);
    refuses("algorithm = 'sha256'\n", /version/);
    refuses("version = 1\nalgorithm = 'sha256'\n", /version is no string/);
    refuses("version = '0.1.0'\n", /algorithm/);
    refuses(`${head}extra = 'x'\n`, /unknown top-level key "extra"/);
    refuses(`${head}[data.nested]\na = 'x'\n`, /"nested" is no string/);
    refuses(`${head}data = 1979-05-27T07:32:00Z\n`, /data is no table/);
    refuses(`${head}data = []\n`, /data is no table/);
    refuses(`${head}data = 'x'\n`, /data is no table/);
    refuses(`${head}[[data]]\na = 'x'\n`, /data is no table/);
    refuses(`${head}[data]\na = 1\n`, /"a" is no string/);
    refuses(`${head}[data]\na = 'x'\n[data]\nb = 'y'\n`, /line 5/);
    refuses(`${head}[data]\na = 'x'\na = 'y'\n`, /line 5, column 1/);
    refuses(`${head}[data]\na = 'x\0'\n`, /line 4/);
    refuses(`${head}[data]\na = '''x`, /line 4/);
  });

  it("refuses a byte order mark, bytes that are no UTF-8, and too long a document", () => {
    refuses(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes(head)]), /byte order mark/);
    refuses(new Uint8Array([...bytes(head), 0x23, 0xff]), /not UTF-8/);
    refuses(new Uint8Array([...bytes(head), 0x23, 0xed, 0xa0, 0x80]), /not UTF-8/);
    refuses(new Uint8Array(4 * 1024 * 1024 + 1).fill(0x0a), /at most 4194304/);
  });

  it("never prints control characters of a document", () => {
    const error = refusal(() => decodeInitdata(bytes(`${head}"\\u001b[2J\\u202e" = 'x'\n`)));
    expect(error.message).toMatch(/^[\x20-\x7e]*$/);
  });

  it.each([
    ["dotted keys", `${"a.".repeat(1e6)}a = 1`],
    ["dotted keys behind a string that ends in a quote", `a = [{x='''y'''', ${"b.".repeat(1e6)}b = 1}]`],
    ["keys", Array.from({ length: 300_000 }, (_, i) => `k${i}=''`).join("\n")],
    ["arrays", `a = ${"[".repeat(1e6)}`],
    ["comments", "#\n".repeat(2e6)],
    ["blank lines", "\n".repeat(4e6)],
    ["escapes", `a = "${"\\n".repeat(2e6)}"`],
    ["quotes", "'".repeat(4e6)],
    ["long strings", `a = ['''${"x''''','''".repeat(4e5)}''']`],
  ])("answers a document of many %s", (_, text) => {
    expect(refusal(() => decodePolicyBody(bytes(text))).reasonCode).toBe("initdata-malformed");
  });
});

describe("the annotation", () => {
  const document = bytes(initdata());
  const refusesText = (text: string, message: RegExp): void => {
    expect(refusal(() => decodeAnnotation(text)).message).toMatch(message);
  };

  it("decodes to the document", () => {
    expect(decodeAnnotation(annotation(document))).toEqual(document);
  });

  it.each([
    ["a file name", { flags: 8, field: Buffer.from("name\0") }],
    ["a comment", { flags: 16, field: Buffer.from("text\0") }],
    ["an extra field", { flags: 4, field: Buffer.from([3, 0, 1, 2, 3]) }],
  ])("may carry %s in its gzip header", (_, { flags, field }) => {
    const member = gzipSync(document);
    member[3] = flags;
    const named = Buffer.concat([member.subarray(0, 10), field, member.subarray(10)]);
    expect(decodeAnnotation(named.toString("base64"))).toEqual(document);
  });

  it("refuses what is not canonical base64", () => {
    const text = annotation(document);
    refusesText("", /base64/);
    refusesText(`${text}\n`, /base64/);
    refusesText(text.replace(/.$/, "!"), /base64/);
    refusesText(`${text.slice(0, 40)}\n${text.slice(40)}`, /base64/);
  });

  it("refuses what is not one whole gzip member", () => {
    const member = gzipSync(document);
    const broken = (at: number): string => {
      const copy = Buffer.from(member);
      copy[at] = (copy.at(at) ?? 0) ^ 1;
      return copy.toString("base64");
    };
    refusesText(Buffer.from(document).toString("base64"), /not gzip/);
    refusesText(Buffer.concat([member, Buffer.from("x")]).toString("base64"), /1 bytes more/);
    refusesText(Buffer.concat([member, Buffer.alloc(4)]).toString("base64"), /4 bytes more/);
    refusesText(Buffer.concat([member, member]).toString("base64"), /bytes more/);
    refusesText(broken(member.length - 5), /CRC32/);
    refusesText(broken(member.length - 1), /ISIZE/);
    refusesText(broken(2), /compression method/);
    for (let end = 0; end < member.length; end++)
      expect(refusal(() => decodeAnnotation(member.subarray(0, end).toString("base64"))).code).toBe(
        "PM_EVIDENCE_MALFORMED",
      );
  });

  it("stops a gzip bomb at the size limit", () => {
    const bomb = gzipSync(Buffer.alloc(96 * 1024 * 1024));
    const before = process.memoryUsage().arrayBuffers;
    refusesText(bomb.toString("base64"), /inflates to more than 4194304 bytes/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
  });
});

describe("the block device", () => {
  it("decodes to the document", () => {
    expect(decodeInitdataDevice(device(initdata()))).toEqual(bytes(initdata()));
  });

  it("refuses another magic, a length beyond the end, padding that is not zero, a further block", () => {
    const image = device(initdata());
    const changed = (at: number, value: number): Uint8Array => image.with(at, value);
    const refusesImage = (it: Uint8Array, message: RegExp): void => {
      expect(refusal(() => decodeInitdataDevice(it)).message).toMatch(message);
    };
    refusesImage(changed(0, 0x49), /does not begin/);
    refusesImage(changed(15, 0x80), /length 92233720368547/);
    refusesImage(changed(image.length - 1, 1), /not zero/);
    refusesImage(new Uint8Array([...image, ...new Uint8Array(512)]), /512 bytes more/);
    refusesImage(image.subarray(0, image.length - 1), /device padding: needs/);
    refusesImage(image.subarray(0, 12), /device length/);
  });
});

describe("a policy body", () => {
  const rego = "# by hand\n\npackage agent_policy\n\ndefault AllowRequestsFailingPolicy := false\n";

  it("is the older form when its first word is the package of the agent policy", () => {
    const body = decodePolicyBody(bytes(rego));
    expect(body.kind).toBe("rego");
    expect(Buffer.from(body.digest).toString("hex")).toBe(createHash("sha256").update(rego).digest("hex"));
    expect(body.data.get("policy.rego")).toBe(rego);
  });

  it.each([
    "package other\n",
    "package agent_policy.sub\n",
    'package agent_policy["x"]\n',
    "package agent_policy_x\n",
    "x := 1\npackage agent_policy\n",
    "some content",
    "{}",
  ])("is neither form: %j", (text) => {
    expect(refusal(() => decodePolicyBody(bytes(text))).reasonCode).toBe("initdata-malformed");
  });

  it("stays initdata when a comment or a string speaks of the package", () => {
    const text = `# package agent_policy\n${initdata({ "policy.rego": "package agent_policy\n" })}`;
    expect(decodePolicyBody(bytes(text)).kind).toBe("initdata");
  });

  it.each([
    ["document", bytes(initdata())],
    ["document", bytes(rego)],
    ["annotation", bytes(annotation(initdata()))],
    ["annotation", bytes(`${annotation(initdata())}\n`)],
    ["annotation", bytes(Buffer.from(rego).toString("base64"))],
    ["device", device(initdata())],
    ["gzip", new Uint8Array(gzipSync(initdata()))],
  ])("is found in a %s", (carrier, input) => {
    expect(decodeCarried(input).carrier).toBe(carrier);
  });

  it("is a value or a typed error for any bytes", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 600 }),
          fc.string({ maxLength: 200 }).map((s) => bytes(head + s)),
          fc.uint8Array({ maxLength: 200 }).map((b) => bytes(annotation(b))),
          fc.uint8Array({ maxLength: 200 }).map((b) => device(b)),
          fc.uint8Array({ maxLength: 100 }).map((b) => new Uint8Array([0x1f, 0x8b, 8, ...b, ...deflateRawSync(b)])),
        ),
        (input) => {
          try {
            return decodeCarried(input).body.digest.length >= 32;
          } catch (error) {
            return error instanceof PmError;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
