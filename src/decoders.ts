/**
 * The one registry of everything that pm can decode, most specific first. `pm inspect` and the test that mutates genuine
 * inputs walk it, so a decoder that is added here is shown and tested. Decoders are loaded when they are needed.
 */
import type { Json } from "./report/report.ts";

export interface Decoder {
  readonly id: string;
  /** What the bytes are, in words. */
  readonly media: string;
  /** Cheap and generous: a look at the first bytes or names. Whether they are what they look like, decode says. */
  readonly recognises: (bytes: Uint8Array) => boolean;
  /** The decoder: bytes to facts; throws nothing but PmError. */
  readonly load: () => Promise<(bytes: Uint8Array) => Json>;
}

/** Enough to see what a text is; a long one has its telling names in here too. */
const shownText = 1024 * 1024;
const latin = (bytes: Uint8Array, length: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, length)).toString("latin1");
const startsWith = (bytes: Uint8Array, ...first: readonly number[]): boolean => first.every((b, i) => bytes[i] === b);

/** A JSON object with a member of one of these names, in any letters: how it is spelled is the decoder's to judge. */
const jsonWith =
  (...names: readonly string[]) =>
  (bytes: Uint8Array): boolean => {
    const text = latin(bytes, shownText);
    return /^\s*\{/.test(text) && new RegExp(`"(?:${names.join("|")})"\\s*:`, "i").test(text);
  };

/** A report begins with its version, a small 32-bit number. */
const beginsAsReport = (bytes: Uint8Array): boolean =>
  (bytes[0] ?? 0) > 0 && (bytes[0] ?? 0) < 16 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0;
/** The sev crate's struct, and what other programs put around a report; a broken one must not be read as something else. */
function recognisesSnpJson(bytes: Uint8Array): boolean {
  const text = latin(bytes, shownText);
  return (
    (jsonWith("attestation_report", "author_key_digest", "outblob")(bytes) && !text.includes("tdx_guest")) ||
    (jsonWith("format")(bytes) && text.includes("sev-snp-guest/v2"))
  );
}
function recognisesSnp(bytes: Uint8Array): boolean {
  if (recognisesSnpJson(bytes) || latin(bytes, 4) === "HCLA") return true;
  if (beginsAsReport(bytes)) return bytes.length >= 64;
  // Attestation.report comes first, is longer than 127 bytes and begins with its version.
  if (startsWith(bytes, 0x0a) && (bytes[1] ?? 0) >= 0x80) return bytes[3] === 0x08 || bytes[4] === 0x08;
  const head = latin(bytes, 8);
  if (bytes.length < 1024 || bytes.length > 4096) return false;
  return (
    (/^[0-9a-fA-F]{8}$/.test(head) && beginsAsReport(Buffer.from(head, "hex"))) ||
    (/^[0-9A-Za-z+/]{8}$/.test(head) && beginsAsReport(Buffer.from(head, "base64")))
  );
}

const pem = (label: string) => (bytes: Uint8Array) =>
  latin(bytes, 256).trimStart().startsWith(`-----BEGIN ${label}-----`);
/** Offset behind the header of a SEQUENCE at `at`; undefined where there is none. */
function inSequence(bytes: Uint8Array, at: number): number | undefined {
  const length = bytes[at + 1];
  if (bytes[at] !== tag.sequence || length === undefined) return undefined;
  return at + 2 + (length < 0x80 ? 0 : length & 0x0f);
}
const tag = { integer: 0x02, sequence: 0x30, version: 0xa0 } as const;
/** What follows the headers of two nested SEQUENCEs, as certificates and revocation lists begin; empty for anything else. */
function insideDer(bytes: Uint8Array): readonly number[] {
  const outer = inSequence(bytes, 0);
  const inner = outer === undefined ? undefined : inSequence(bytes, outer);
  return inner === undefined ? [] : [...bytes.subarray(inner, inner + 4)];
}
/** A list begins with its algorithm, or with version v2 and then its algorithm. */
const isCrl = ([first, length, value, next]: readonly number[]): boolean =>
  first === tag.sequence || (first === tag.integer && length === 1 && value === 1 && next === tag.sequence);
const isCertificate = ([first]: readonly number[]): boolean => first === tag.version || first === tag.integer;

/** Version 3 to 5 and an attestation key type, both 16 bits; an SNP report has zeros where the key type is. */
const beginsAsQuote = (bytes: Uint8Array): boolean =>
  (bytes[0] ?? 0) >= 3 && (bytes[0] ?? 0) <= 5 && bytes[1] === 0 && (bytes[2] ?? 0) !== 0 && bytes[3] === 0;
function recognisesQuote(bytes: Uint8Array): boolean {
  if (bytes.length < 48) return false;
  if (beginsAsQuote(bytes)) return true;
  // QuoteV4.header comes first, is shorter than 128 bytes and begins with its version.
  if (startsWith(bytes, 0x0a)) return (bytes[1] ?? 0) < 0x80 && bytes[2] === 0x08;
  const head = latin(bytes, 8);
  return (
    (/^[0-9a-fA-F]{8}$/.test(head) && beginsAsQuote(Buffer.from(head, "hex"))) ||
    (/^[0-9A-Za-z+/]{8}$/.test(head) && beginsAsQuote(Buffer.from(head, "base64")))
  );
}

/** The crypto-agile header 32 bytes in, or dstack's JSON: a list of events, or an object that has one. */
const recognisesEventLog = (bytes: Uint8Array): boolean =>
  latin(bytes, 48).slice(32) === "Spec ID Event03\0" ||
  jsonWith("event_log")(bytes) ||
  /^\s*\[\s*\{[^{}]{0,8192}"(?:imr|event_type)"/.test(latin(bytes, 16_384));

/** A manifest has no version of its own, an answer that is broken may have nothing but that and one member. */
const recognisesResponse = (bytes: Uint8Array): boolean =>
  jsonWith("raw_attestation_doc", "manifests", "root_ca", "mesh_ca")(bytes) ||
  (jsonWith("version")(bytes) && jsonWith("policies")(bytes));

export const decoders: readonly Decoder[] = [
  {
    id: "snp-evidence",
    media:
      "AMD SEV-SNP report: raw, hex, base64, extended with certificates, protobuf, JSON of the sev crate, trustee, " +
      "attestation-rs, configfs-tsm or tinfoil, or Azure's HCL blob",
    recognises: recognisesSnp,
    load: async () => {
      const { decodeEvidence } = await import("./verifiers/snp/evidence.ts");
      const { snpFacts } = await import("./facts/snp.ts");
      return (bytes) => snpFacts(decodeEvidence(bytes));
    },
  },
  {
    id: "intel-quote",
    media: "Intel SGX or TDX quote: raw, hex, base64, or go-tdx-guest's protobuf",
    recognises: recognisesQuote,
    load: async () => {
      const { decodeEvidence, recogniseQuote } = await import("./dcap/carrier.ts");
      const { inspectQuote } = await import("./facts/quote.ts");
      return (bytes) => {
        const evidence = recogniseQuote(bytes);
        return inspectQuote(decodeEvidence(evidence), evidence.carrier);
      };
    },
  },
  {
    id: "tcb-info",
    media: "TCB info of Intel's certification service",
    recognises: jsonWith("tcbInfo"),
    load: async () => (await import("./facts/tcb.ts")).tcbInfoToFacts,
  },
  {
    id: "qe-identity",
    media: "identity of a quoting enclave of Intel's certification service",
    recognises: jsonWith("enclaveIdentity"),
    load: async () => (await import("./facts/tcb.ts")).qeIdentityToFacts,
  },
  {
    id: "event-log",
    media: "event log of a TD: CCEL data, or dstack's JSON",
    recognises: recognisesEventLog,
    load: async () => {
      const { decodeEventLog } = await import("./verifiers/tdx/eventlog/decode.ts");
      const { eventLogFacts } = await import("./verifiers/tdx/eventlog/facts.ts");
      return (bytes) => eventLogFacts(decodeEventLog(bytes));
    },
  },
  {
    id: "ccel-table",
    media: "ACPI table CCEL, which says where a TD's event log lies",
    recognises: (bytes) => latin(bytes, 4) === "CCEL",
    load: async () => {
      const { decodeCcelTable } = await import("./verifiers/tdx/eventlog/ccel.ts");
      return (bytes) => {
        const { type, subType, areaLength, areaAddress } = decodeCcelTable(bytes);
        return { type, subType, areaLength: String(areaLength), areaAddress: `0x${areaAddress.toString(16)}` };
      };
    },
  },
  {
    id: "verity-superblock",
    media: "dm-verity superblock, as a hash area begins with it",
    recognises: (bytes) => latin(bytes, 8) === "verity\0\0",
    load: async () => {
      const { verityFacts } = await import("./verifiers/verity/facts.ts");
      return (bytes) => verityFacts(bytes.subarray(0, 512));
    },
  },
  {
    id: "erofs-image",
    media: "EROFS image, as model disks are",
    recognises: (bytes) => startsWith(bytes.subarray(1024, 1028), 0xe2, 0xe1, 0xf5, 0xe0),
    load: async () => {
      const { imageFacts } = await import("./verifiers/verity/erofs/facts.ts");
      return imageFacts;
    },
  },
  {
    id: "crl",
    media: "X.509 revocation list, DER or PEM",
    recognises: (bytes) => pem("X509 CRL")(bytes) || isCrl(insideDer(bytes)),
    load: async () => (await import("./facts/certificate.ts")).crlToFacts,
  },
  {
    id: "certificates",
    media: "X.509 certificate, DER, or one or more as PEM",
    recognises: (bytes) => pem("CERTIFICATE")(bytes) || isCertificate(insideDer(bytes)),
    load: async () => (await import("./facts/certificate.ts")).certificatesToFacts,
  },
  {
    id: "bundle",
    media: "evidence bundle of pm, tar",
    recognises: (bytes) => latin(bytes, 512).slice(257, 262) === "ustar",
    load: async () => {
      const { decodeBundle } = await import("./sources/bundle-read.ts");
      const { bundleFacts } = await import("./facts/bundle.ts");
      return (bytes) => bundleFacts(decodeBundle(bytes));
    },
  },
  {
    id: "bundle-index",
    media: "index.json of an evidence bundle of pm",
    recognises: (bytes) => jsonWith("format")(bytes) && latin(bytes, shownText).includes('"pm-bundle"'),
    load: async () => {
      const { decodeIndex } = await import("./sources/bundle-index.ts");
      const { indexFacts } = await import("./facts/bundle.ts");
      return (bytes) => indexFacts(decodeIndex(bytes));
    },
  },
  {
    id: "privatemode-response",
    media: "answer of Privatemode's attestation API",
    recognises: jsonWith("AttestationDoc"),
    load: async () => {
      const { decodeState } = await import("./verifiers/contrast/response.ts");
      const { stateFacts } = await import("./facts/contrast.ts");
      return (bytes) => stateFacts(decodeState(bytes, "privatemode"));
    },
  },
  {
    id: "coordinator-response",
    media: "answer of a Contrast Coordinator",
    recognises: recognisesResponse,
    load: async () => {
      const { decodeState } = await import("./verifiers/contrast/response.ts");
      const { stateFacts } = await import("./facts/contrast.ts");
      return (bytes) => stateFacts(decodeState(bytes, "attest"));
    },
  },
  {
    id: "manifest",
    media: "Contrast manifest",
    // An answer has "policies" too, and a broken one must not be read as something else.
    recognises: (bytes) => jsonWith("Policies", "ReferenceValues")(bytes) && !recognisesResponse(bytes),
    load: async () => {
      const { decodeManifest } = await import("./verifiers/contrast/manifest.ts");
      const { manifestRules } = await import("./verifiers/contrast/rules.ts");
      const { manifestFacts } = await import("./facts/contrast.ts");
      return (bytes) => manifestFacts(decodeManifest(bytes, manifestRules()));
    },
  },
  {
    id: "attest-request",
    media: "request to a Coordinator",
    recognises: (bytes) => bytes.length < 4096 && jsonWith("nonce")(bytes),
    load: async () => {
      const { decodeAttestRequest } = await import("./verifiers/contrast/requests.ts");
      return (bytes) => ({ nonce: Buffer.from(decodeAttestRequest(bytes).nonce).toString("hex") });
    },
  },
  {
    id: "policy",
    media:
      "policy: initdata document, annotation text, gzip, block device image, or the bare Rego text of older releases",
    recognises: recognisesPolicy,
    load: async () => {
      const { decodeCarried } = await import("./verifiers/kata/body.ts");
      const { carriedFacts } = await import("./facts/policy.ts");
      return (bytes) => carriedFacts(decodeCarried(bytes));
    },
  },
  {
    id: "snp-gzip",
    media: "AMD SEV-SNP report, gzipped, as base64",
    // A policy's annotation begins so too; this comes behind it, so that a broken one is told as what it is.
    recognises: (bytes) => bytes.length <= 4096 && latin(bytes, 4) === "H4sI",
    load: async () => {
      const { decodeEvidence } = await import("./verifiers/snp/evidence.ts");
      const { snpFacts } = await import("./facts/snp.ts");
      return (bytes) => snpFacts(decodeEvidence(bytes));
    },
  },
  {
    id: "profile",
    media: "profile of pm, YAML",
    // Behind comments the file begins with a key of its top level.
    recognises: (bytes) =>
      bytes.length <= shownText && /^(?:\s*(?:#.*)?\n)*(?:version|service)[ \t]*:/.test(latin(bytes, shownText)),
    load: async () => {
      const { decodeProfile } = await import("./profile/load.ts");
      // Undefined members are left out, as JSON has none.
      return (bytes): Json => JSON.parse(JSON.stringify(decodeProfile({ name: "profile", bytes })));
    },
  },
];

function recognisesPolicy(bytes: Uint8Array): boolean {
  if (startsWith(bytes, 0x1f, 0x8b)) return true;
  const start = latin(bytes, 4096);
  return (
    start.startsWith("initdata") ||
    // Base64 of the gzip magic, or of Rego text.
    /^(?:H4sI|cGFja2FnZ)/.test(start) ||
    /^\s*(?:"|')?(?:version|algorithm|data)(?:"|')?\s*[=.]/m.test(start) ||
    /^\[\s*(?:"|')?data(?:"|')?\s*\]/m.test(start) ||
    /^package[ \t]+agent_policy/m.test(start)
  );
}
