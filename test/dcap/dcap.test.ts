/** Primitives of Intel DCAP: the pinned root, quote forms, signed JSON, statuses, and totality on any bytes. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeEvidence, recogniseQuote } from "../../src/dcap/carrier.ts";
import { decodeIntelCrl } from "../../src/dcap/crl.ts";
import { decodeQeIdentity, decodeTcbInfo } from "../../src/dcap/documents.ts";
import { decodeQuote, teeOfHeader } from "../../src/dcap/quote.ts";
import { intelRoot, intelRootSha256, intelTestRoot } from "../../src/dcap/root.ts";
import { cutSigned } from "../../src/dcap/signed-json.ts";
import { acceptable, converge, tcbStatuses } from "../../src/dcap/tcb-status.ts";
import { PmError } from "../../src/errors.ts";
import { describeEvidence, evidence, evidenceJson } from "../evidence.ts";

const text = (s: string): Uint8Array => new Uint8Array(Buffer.from(s));
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof PmError) return error.reasonCode ?? error.code;
    throw error;
  }
};

describeEvidence("evidence/tdx", () => {
  it("has the root that is pinned", () => {
    expect(Buffer.compare(intelRoot().certificate.raw, evidence("tdx/roots/intel-sgx-root-ca.der"))).toBe(0);
    expect(intelRoot().sha256).toBe(intelRootSha256);
  });
  it("reads the raw responses of Intel's service, and their lists in each encoding", () => {
    const info = decodeTcbInfo(evidence("tdx/pcs-raw/tcb_info_00a06d080000.json"));
    expect([info.id, info.fmspc, info.modules?.length, info.levels.length > 0]).toEqual([
      "TDX",
      "00a06d080000",
      2,
      true,
    ]);
    expect(decodeQeIdentity(evidence("tdx/pcs-raw/qe_identity.json")).isvProdId).toBe(2);
    const { pck_crl: hexList } = evidenceJson<{ pck_crl: string }>("tdx/sets/v4-uptodate-b0c0/collateral.json");
    const der = new Uint8Array(Buffer.from(hexList, "hex"));
    const pem = `-----BEGIN X509 CRL-----\n${Buffer.from(der).toString("base64").replace(/.{64}/g, "$&\n")}\n-----END X509 CRL-----\n`;
    const [a, b, c] = [der, text(`${hexList}\n\0`), text(pem)].map(
      (bytes) => decodeIntelCrl(bytes, "CRL").revoked.size,
    );
    expect([b, c]).toEqual([a, a]);
  });
  it("reads a quote of each form as the same signed bytes", () => {
    const raw = evidence("contrast/tdx-full/quote.bin");
    const { raw_attestation_doc: doc } = evidenceJson<{ raw_attestation_doc: string }>("contrast/tdx-full/attest.json");
    const forms = [
      raw,
      text(Buffer.from(raw).toString("hex")),
      text(`${Buffer.from(raw).toString("base64")}\n`),
      Buffer.from(doc, "base64"),
    ];
    const quotes = forms.map((bytes) => decodeEvidence(recogniseQuote(bytes)));
    for (const quote of quotes) expect(Buffer.compare(quote.signed, quotes[0]?.signed ?? new Uint8Array())).toBe(0);
  });
  it("decodes every shorter quote to a typed error, never to a value", () => {
    const quote = evidence("tdx/sets/v5-uptodate-90c0/quote.bin");
    for (let length = 0; length < quote.length; length += 7)
      expect(
        codeOf(() => decodeQuote(quote.slice(0, length))),
        `${length}`,
      ).toBe("QUOTE_MALFORMED");
  });
});

it("cuts the raw member with its strings, escapes and white space as they stand", () => {
  const inner = '{ "a" : "}\\"{" , "b":[1,{"c":"]"}] }';
  const { raw } = cutSigned(text(`\n{"signature":"${"ab".repeat(64)}", "tcbInfo" : ${inner} }`), "tcbInfo", "x");
  expect(Buffer.from(raw).toString()).toBe(inner);
});

it.each([
  ["another member", `{"tcbInfo":{},"signature":"${"00".repeat(64)}","more":{}}`],
  ["the member twice", `{"tcbInfo":{},"tcbInfo":{},"signature":"${"00".repeat(64)}"}`],
  ["no signature", '{"tcbInfo":{}}'],
  ["a short signature", '{"tcbInfo":{},"signature":"00"}'],
  ["something behind it", `{"tcbInfo":{},"signature":"${"00".repeat(64)}"} {}`],
  ["a list in its place", `{"tcbInfo":[],"signature":"${"00".repeat(64)}"}`],
  ["no end", '{"tcbInfo":{"a":1'],
  ["nothing", ""],
])("refuses a response with %s", (_, response) => {
  expect(codeOf(() => cutSigned(text(response), "tcbInfo", "x"))).toBe("COLLATERAL_MALFORMED");
});

it("converges to the worse status, and never back to a better one", () => {
  const rank = (s: (typeof tcbStatuses)[number]): boolean => acceptable.includes(s);
  for (const platform of tcbStatuses)
    for (const component of tcbStatuses) {
      const status = converge(platform, component);
      if (status === "UpToDate") expect([platform, component]).toEqual(["UpToDate", "UpToDate"]);
      if (!rank(platform) || !rank(component)) expect(rank(status)).toBe(false);
    }
  expect(converge("ConfigurationNeeded", "OutOfDate")).toBe("OutOfDateConfigurationNeeded");
  expect(converge("SWHardeningNeeded", "OutOfDate")).toBe("OutOfDate");
});

it("takes one certificate of the right name as a test root, and nothing else", () => {
  expect(codeOf(() => intelTestRoot(text("no certificate"), "x"))).toBe("PM_USAGE");
  expect(intelTestRoot(intelRoot().certificate.raw, "x").origin.kind).toBe("flag");
});

it("answers any bytes with a value or a typed error", () => {
  const heads = [[3, 0, 2, 0], [4, 0, 2, 0, 0x81, 0, 0, 0], [5, 0, 2, 0, 0x81, 0, 0, 0], [0x0a, 0x37], [0x7b]];
  const bytes = fc.tuple(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 1500 }));
  fc.assert(
    fc.property(bytes, ([head, rest]) => {
      const input = new Uint8Array([...head, ...rest]);
      teeOfHeader(input);
      for (const run of [
        () => decodeEvidence(recogniseQuote(input)),
        () => decodeTcbInfo(input),
        () => decodeQeIdentity(input),
        () => decodeIntelCrl(input, "CRL"),
      ])
        codeOf(run);
    }),
  );
});
