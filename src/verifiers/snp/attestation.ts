/**
 * sevsnp.Attestation, the protobuf message of go-sev-guest (proto/sevsnp.proto) that Contrast carries.
 * It does not hold the signed bytes: they are rebuilt here, and everything after that is judged over the rebuilt bytes.
 */
import { malformed } from "../../errors.ts";
import { cpuidOfEax, type ProductLine } from "./product.ts";
import { decodeMessage, type FieldRule, type Message } from "./protobuf.ts";
import { reportSize } from "./report.ts";

const shape = "report-size";
const field = (name: string, kind: FieldRule["kind"] = "bytes"): FieldRule => ({ name, kind });

const attestationFields = { 1: field("report"), 2: field("certificate_chain"), 3: field("product") };
const chainFields = {
  1: field("vcek_cert"),
  2: field("ask_cert"),
  3: field("ark_cert"),
  4: field("firmware_cert"),
  6: field("vlek_cert"),
  7: field("extras", "map"),
};
const extraFields = { 1: field("key"), 2: field("value") };
const productFields = { 1: field("name", "u32"), 2: field("stepping", "u32"), 3: field("machine_stepping") };
const wrapperFields = { 1: field("value", "u32") };

/** Field number, name, offset in the 1184 bytes, and bytes there; `number` fields are little-endian there. */
const layout = [
  { id: 1, name: "version", at: 0x000, size: 4, number: true },
  { id: 2, name: "guest_svn", at: 0x004, size: 4, number: true },
  { id: 3, name: "policy", at: 0x008, size: 8, number: true },
  { id: 4, name: "family_id", at: 0x010, size: 16, number: false },
  { id: 5, name: "image_id", at: 0x020, size: 16, number: false },
  { id: 6, name: "vmpl", at: 0x030, size: 4, number: true },
  { id: 7, name: "signature_algo", at: 0x034, size: 4, number: true },
  { id: 8, name: "current_tcb", at: 0x038, size: 8, number: true },
  { id: 9, name: "platform_info", at: 0x040, size: 8, number: true },
  { id: 10, name: "signer_info", at: 0x048, size: 4, number: true },
  { id: 11, name: "report_data", at: 0x050, size: 64, number: false },
  { id: 12, name: "measurement", at: 0x090, size: 48, number: false },
  { id: 13, name: "host_data", at: 0x0c0, size: 32, number: false },
  { id: 14, name: "id_key_digest", at: 0x0e0, size: 48, number: false },
  { id: 15, name: "author_key_digest", at: 0x110, size: 48, number: false },
  { id: 16, name: "report_id", at: 0x140, size: 32, number: false },
  { id: 17, name: "report_id_ma", at: 0x160, size: 32, number: false },
  { id: 18, name: "reported_tcb", at: 0x180, size: 8, number: true },
  { id: 19, name: "chip_id", at: 0x1a0, size: 64, number: false },
  { id: 20, name: "committed_tcb", at: 0x1e0, size: 8, number: true },
  { id: 21, name: "current_build", at: 0x1e8, size: 1, number: true },
  { id: 22, name: "current_minor", at: 0x1e9, size: 1, number: true },
  { id: 23, name: "current_major", at: 0x1ea, size: 1, number: true },
  { id: 24, name: "committed_build", at: 0x1ec, size: 1, number: true },
  { id: 25, name: "committed_minor", at: 0x1ed, size: 1, number: true },
  { id: 26, name: "committed_major", at: 0x1ee, size: 1, number: true },
  { id: 27, name: "launch_tcb", at: 0x1f0, size: 8, number: true },
  { id: 28, name: "signature", at: 0x2a0, size: 512, number: false },
  { id: 30, name: "launch_mit_vector", at: 0x1f8, size: 8, number: true },
  { id: 31, name: "current_mit_vector", at: 0x200, size: 8, number: true },
] as const;

const reportFields: Readonly<Record<number, FieldRule>> = {
  ...Object.fromEntries(layout.map((f) => [f.id, field(f.name, f.number ? (f.size > 4 ? "u64" : "u32") : "bytes")])),
  29: field("cpuid1eax_fms", "u32"),
};

/** Contrast puts a DER CRL under this key; it is evidence like the rest. */
const crlExtra = "00569ee4-e480-4fba-bbf4-45b629901180";

export interface AttestationMessage {
  /** The 1184 bytes of the report, rebuilt. */
  readonly raw: Uint8Array;
  readonly vcek?: Uint8Array;
  readonly vlek?: Uint8Array;
  readonly ask?: Uint8Array;
  readonly ark?: Uint8Array;
  readonly crl?: Uint8Array;
  /** Unsigned; it may choose what to fetch for a version 2 report, never what to trust. */
  readonly productHint?: ProductLine;
}

/**
 * A missing field is zero (proto3), so a missing byte field has the wrong length.
 * @throws PmError PM_EVIDENCE_MALFORMED report-size, report-reserved, certtable
 */
export function decodeAttestation(bytes: Uint8Array): AttestationMessage {
  const message = decodeMessage(bytes, attestationFields, "Attestation", shape);
  const report = message.blobs.get("report");
  if (report === undefined) throw malformed("Attestation: no report", shape);
  const chain = message.blobs.get("certificate_chain");
  const hint = decodeProduct(message.blobs.get("product"));
  return {
    raw: rebuildReport(decodeMessage(report, reportFields, "Report", shape)),
    ...(chain === undefined ? {} : decodeChain(chain)),
    ...(hint === undefined ? {} : { productHint: hint }),
  };
}

/** Reserved ranges become zero: they were not transported, and a report that had something there fails its signature. */
function rebuildReport({ numbers, blobs }: Message): Uint8Array {
  const raw = new Uint8Array(reportSize);
  for (const f of layout) {
    if (!f.number) {
      const value = blobs.get(f.name);
      if (value?.length !== f.size)
        throw malformed(`Report.${f.name}: needs ${f.size} bytes, ${value?.length ?? 0} given`, shape);
      raw.set(value, f.at);
      continue;
    }
    let value = numbers.get(f.name) ?? 0n;
    if (value >> BigInt(8 * f.size) !== 0n)
      throw malformed(`Report.${f.name}: ${value} needs more than ${f.size} bytes`, shape);
    for (let i = 0; i < f.size; i++, value >>= 8n) raw[f.at + i] = Number(value & 0xffn);
  }
  raw.set(cpuidBytes(numbers.get("version") ?? 0n, Number(numbers.get("cpuid1eax_fms") ?? 0n)), 0x188);
  return raw;
}

/** Family, model and stepping stand in the report since version 3; before, the bytes are reserved. */
function cpuidBytes(version: bigint, eax: number): number[] {
  if (version < 3n) {
    if (eax === 0) return [0, 0, 0];
    throw malformed("Report.cpuid1eax_fms: reserved before version 3, but not zero", "report-reserved");
  }
  const cpuid = cpuidOfEax(eax);
  if (cpuid === undefined)
    throw malformed(`Report.cpuid1eax_fms: 0x${eax.toString(16)} has reserved bits set`, "report-reserved");
  return [cpuid.family, cpuid.model, cpuid.stepping];
}

function decodeChain(bytes: Uint8Array): Omit<AttestationMessage, "raw" | "productHint"> {
  const { blobs, repeated } = decodeMessage(bytes, chainFields, "CertificateChain", "certtable");
  const extras = decodeExtras(repeated.get("extras") ?? []);
  const found = {
    vcek: blobs.get("vcek_cert"),
    vlek: blobs.get("vlek_cert"),
    ask: blobs.get("ask_cert"),
    ark: blobs.get("ark_cert"),
    crl: extras.get(crlExtra),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined && value.length > 0));
}

function decodeExtras(entries: readonly Uint8Array[]): Map<string, Uint8Array> {
  const extras = new Map<string, Uint8Array>();
  for (const entry of entries) {
    const { blobs } = decodeMessage(entry, extraFields, "CertificateChain.extras", "certtable");
    const key = Buffer.from(blobs.get("key") ?? []).toString("latin1");
    if (extras.has(key))
      throw malformed(`CertificateChain.extras: key ${JSON.stringify(key)} occurs twice`, "certtable");
    extras.set(key, blobs.get("value") ?? new Uint8Array());
  }
  return extras;
}

function decodeProduct(bytes: Uint8Array | undefined): ProductLine | undefined {
  if (bytes === undefined) return undefined;
  const { numbers, blobs } = decodeMessage(bytes, productFields, "SevProduct", shape);
  const wrapped = blobs.get("machine_stepping");
  if (wrapped !== undefined) decodeMessage(wrapped, wrapperFields, "SevProduct.machine_stepping", shape);
  const lines: readonly (ProductLine | undefined)[] = [undefined, "Milan", "Genoa", "Turin"];
  return lines[Number(numbers.get("name") ?? 0n)];
}
