/**
 * SNP evidence as JSON (notes 1): the sev crate's struct, alone or in trustee's evidence; attestation-rs; the blobs of
 * configfs-tsm; tinfoil's document. Whatever the form, what is judged are the 1184 bytes that it stands for.
 */
import { type JsonNode, type JsonObject, member, readJson } from "../../bytes/json.ts";
import { malformed, unsupported } from "../../errors.ts";
import { gzippedReport } from "./gzip-carrier.ts";
import { base64Of, base64Url, bytesOf, objectOf, only, textOf } from "./json-members.ts";
import { reportOfSevCrate } from "./sev-crate.ts";
import { type CertificateTable, decodeCertificateTable } from "./table.ts";

export type JsonCarrier = "sev-crate" | "trustee" | "attestation-rs" | "configfs-tsm" | "tinfoil-v2";
export interface JsonEvidence extends CertificateTable {
  readonly carrier: JsonCarrier;
  readonly raw: Uint8Array;
  readonly crl?: Uint8Array;
}
type Certificates = Omit<JsonEvidence, "carrier" | "raw">;

const shape = "report-size";
const table = "certtable";
const maxBytes = 2 << 20;
const tinfoilV2 = "https://tinfoil.sh/predicate/sev-snp-guest/v2";

/** White space, then an object. */
export const beginsAsJson = (bytes: Uint8Array): boolean => {
  const at = bytes.findIndex((b) => b !== 0x20 && b !== 0x0a && b !== 0x0d && b !== 0x09);
  return bytes[at] === 0x7b;
};

/**
 * @throws PmError PM_EVIDENCE_MALFORMED report-size, report-reserved, certtable
 * @throws PmError PM_EVIDENCE_UNSUPPORTED report-version for evidence of another platform
 */
export function decodeJsonEvidence(bytes: Uint8Array): JsonEvidence {
  const { root } = readJson(bytes, { what: "SNP evidence", reasonCode: shape, maxBytes, maxDepth: 8 });
  const object = objectOf(root, "SNP evidence");
  if (member(object, "format") !== undefined) return tinfoil(object);
  if (member(object, "outblob") !== undefined) return configfs(object);
  if (member(object, "platform") !== undefined) return attestationRs(object);
  const report = member(object, "attestation_report");
  if (report === undefined) return { carrier: "sev-crate", raw: reportOfSevCrate(object) };
  if (report.kind === "string") return attestationRsEvidence(object);
  only(object, "evidence", ["attestation_report", "cert_chain"]);
  const raw = reportOfSevCrate(objectOf(report, "attestation_report"));
  return { carrier: "trustee", raw, ...typedCertificates(member(object, "cert_chain")) };
}

/** {platform: "snp", evidence: {attestation_report, cert_chain}}. */
function attestationRs(object: JsonObject): JsonEvidence {
  only(object, "evidence", ["platform", "evidence"]);
  const platform = textOf(member(object, "platform"), "platform");
  if (platform !== "snp")
    throw unsupported(`evidence of platform ${JSON.stringify(platform)}, snp wanted`, "report-version");
  return attestationRsEvidence(objectOf(member(object, "evidence"), "evidence"));
}

function attestationRsEvidence(object: JsonObject): JsonEvidence {
  only(object, "evidence", ["attestation_report", "cert_chain"]);
  const raw = base64Of(member(object, "attestation_report"), "attestation_report", shape);
  return { carrier: "attestation-rs", raw, ...namedCertificates(member(object, "cert_chain")) };
}

const certificateNames = ["vcek", "vlek", "ask", "ark"] as const;

/** {vcek, vlek, ask, ark}: base64 of DER each, null or absent where there is none. */
function namedCertificates(node: JsonNode | undefined): Certificates {
  if (node === undefined || node.kind === "null") return {};
  const chain = objectOf(node, "cert_chain");
  only(chain, "cert_chain", certificateNames);
  return Object.fromEntries(
    chain.members
      .filter(({ value }) => value.kind !== "null")
      .map(({ name, value }) => [name, base64Of(value, `cert_chain.${name}`, table)]),
  );
}

/** [{cert_type, data}], as the sev crate writes the certificate table; types that pm does not use are passed over. */
function typedCertificates(node: JsonNode | undefined): Certificates {
  if (node === undefined || node.kind === "null") return {};
  if (node.kind !== "array") throw malformed("cert_chain: not a list", table);
  const found = new Map<string, Uint8Array>();
  node.items.forEach((item, i) => {
    const entry = objectOf(item, `cert_chain[${i}]`);
    only(entry, `cert_chain[${i}]`, ["cert_type", "data"]);
    const type = member(entry, "cert_type");
    // An entry of an unknown GUID is an object there.
    if (type?.kind === "object") return;
    const name = textOf(type, `cert_chain[${i}].cert_type`).toLowerCase();
    if (![...certificateNames, "crl"].includes(name)) return;
    if (found.has(name)) throw malformed(`cert_chain: two entries ${name}`, table);
    found.set(name, bytesOf(member(entry, "data"), `cert_chain[${i}].data`, table));
  });
  return Object.fromEntries(found);
}

/** outblob is the report, auxblob the certificate table; base64url without padding. */
function configfs(object: JsonObject): JsonEvidence {
  only(object, "configfs-tsm evidence", ["provider", "outblob", "auxblob", "generation", "privlevel_floor"]);
  const provider = member(object, "provider");
  if (provider !== undefined && !/^sev_guest\n?$/.test(textOf(provider, "provider")))
    throw unsupported(
      `configfs-tsm evidence of provider ${JSON.stringify(textOf(provider, "provider"))}`,
      "report-version",
    );
  const raw = base64Url(member(object, "outblob"), "outblob", shape);
  const aux = member(object, "auxblob");
  const blob = aux === undefined || aux.kind === "null" ? new Uint8Array() : base64Url(aux, "auxblob", table);
  return { carrier: "configfs-tsm", raw, ...(blob.length === 0 ? {} : decodeCertificateTable(blob)) };
}

/** {format, body}: the body is base64 of the gzipped report. */
function tinfoil(object: JsonObject): JsonEvidence {
  only(object, "tinfoil evidence", ["format", "body"]);
  const format = textOf(member(object, "format"), "format");
  if (format !== tinfoilV2) throw unsupported(`evidence of format ${JSON.stringify(format)}`, "report-version");
  return { carrier: "tinfoil-v2", raw: gzippedReport(base64Of(member(object, "body"), "body", shape)) };
}
