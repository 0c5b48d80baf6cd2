/**
 * ATTESTATION_REPORT as the sev crate's struct in serde's JSON: snake case, bytes as lists of numbers, TCBs in parts. Older
 * releases have reserved fields and flat versions, newer ones options and nested versions; the 1184 bytes are rebuilt
 * from either. The parts of a TCB lie by product: with `fmc` as on Turin, else as on Milan and Genoa.
 */
import { type JsonNode, type JsonObject, member } from "../../bytes/json.ts";
import { malformed } from "../../errors.ts";
import { bytesOf, objectOf } from "./json-members.ts";
import { reportSize } from "./report.ts";

const shape = "report-size";

/** Name, offset and bytes; little-endian. `optional`: null or absent counts as zero. */
const numbers = [
  { name: "version", at: 0x000, size: 4 },
  { name: "guest_svn", at: 0x004, size: 4 },
  { name: "policy", at: 0x008, size: 8 },
  { name: "vmpl", at: 0x030, size: 4 },
  { name: "sig_algo", at: 0x034, size: 4 },
  { name: "plat_info", at: 0x040, size: 8 },
  { name: "cpuid_fam_id", at: 0x188, size: 1, optional: true },
  { name: "cpuid_mod_id", at: 0x189, size: 1, optional: true },
  { name: "cpuid_step", at: 0x18a, size: 1, optional: true },
  { name: "launch_mit_vector", at: 0x1f8, size: 8, optional: true },
  { name: "current_mit_vector", at: 0x200, size: 8, optional: true },
] as const;
/** The flags at 0x48 under their newer and their older name. */
const flagNames = ["key_info", "_author_key_en"] as const;
const blobs = [
  { name: "family_id", at: 0x010, size: 16 },
  { name: "image_id", at: 0x020, size: 16 },
  { name: "report_data", at: 0x050, size: 64 },
  { name: "measurement", at: 0x090, size: 48 },
  { name: "host_data", at: 0x0c0, size: 32 },
  { name: "id_key_digest", at: 0x0e0, size: 48 },
  { name: "author_key_digest", at: 0x110, size: 48 },
  { name: "report_id", at: 0x140, size: 32 },
  { name: "report_id_ma", at: 0x160, size: 32 },
  { name: "chip_id", at: 0x1a0, size: 64 },
] as const;
const tcbs = [
  { name: "current_tcb", at: 0x038 },
  { name: "reported_tcb", at: 0x180 },
  { name: "committed_tcb", at: 0x1e0 },
  { name: "launch_tcb", at: 0x1f0 },
] as const;
/** Build, minor, major, in this order. */
const versions = [
  { name: "current", at: 0x1e8 },
  { name: "committed", at: 0x1ec },
] as const;
const versionParts = ["build", "minor", "major"] as const;

/** Every member that is not reserved, in either form. */
const known: ReadonlySet<string> = new Set([
  ...[...numbers, ...blobs, ...tcbs, ...versions].map((f) => f.name),
  ...versions.flatMap(({ name }) => versionParts.map((part) => `${name}_${part}`)),
  ...flagNames,
  "signature",
]);

/**
 * The 1184 bytes.
 * @throws PmError PM_EVIDENCE_MALFORMED report-size for a member that is missing, unknown or of the wrong size;
 * report-reserved for a reserved one that is not zero
 */
export function reportOfSevCrate(report: JsonObject): Uint8Array {
  checkNames(report, known, "report");
  const raw = new Uint8Array(reportSize);
  const put = (at: number, size: number, value: bigint): void => {
    for (let i = 0, rest = value; i < size; i++, rest >>= 8n) raw[at + i] = Number(rest & 0xffn);
  };
  for (const f of numbers) put(f.at, f.size, numberOf(member(report, f.name), f.name, f.size, "optional" in f));
  put(0x48, 4, numberOf(oneOf(report, flagNames), flagNames[0], 4));
  for (const { name, at, size } of blobs) raw.set(fixed(member(report, name), name, size), at);
  for (const { name, at } of tcbs) raw.set(tcbBytes(objectOf(member(report, name), name), name), at);
  for (const { name, at } of versions)
    for (const [i, part] of versionParts.entries()) put(at + i, 1, versionPart(report, name, part));
  const signature = objectOf(member(report, "signature"), "signature");
  checkNames(signature, new Set(["r", "s"]), "signature");
  raw.set(fixed(member(signature, "r"), "signature.r", 72), 0x2a0);
  raw.set(fixed(member(signature, "s"), "signature.s", 72), 0x2e8);
  return raw;
}

/** Reserved members are all zero, so that leaving them out loses nothing. */
function checkNames(object: JsonObject, names: ReadonlySet<string>, what: string): void {
  for (const { name, value } of object.members) {
    if (names.has(name)) continue;
    if (!/^_?reserved(_\d)?$/.test(name)) throw malformed(`${what}: unknown member ${JSON.stringify(name)}`, shape);
    const zero =
      value.kind === "number" ? value.text === "0" : bytesOf(value, `${what}.${name}`).every((byte) => byte === 0);
    if (!zero) throw malformed(`${what}.${name}: reserved, but not zero`, "report-reserved");
  }
}

/** The member under one of its names; under two it could say two things. */
function oneOf(object: JsonObject, names: readonly string[]): JsonNode | undefined {
  const found = names.flatMap((name) => member(object, name) ?? []);
  if (found.length > 1) throw malformed(`report: ${names.join(" and ")} at once`, shape);
  return found[0];
}

function numberOf(node: JsonNode | undefined, what: string, size: number, optional = false): bigint {
  if (optional && (node === undefined || node.kind === "null")) return 0n;
  if (node?.kind !== "number" || !/^\d{1,20}$/.test(node.text)) throw malformed(`${what}: not a whole number`, shape);
  const value = BigInt(node.text);
  if (value >> BigInt(8 * size) !== 0n) throw malformed(`${what}: ${value} needs more than ${size} bytes`, shape);
  return value;
}

function fixed(node: JsonNode | undefined, what: string, size: number): Uint8Array {
  const bytes = bytesOf(node, what);
  if (bytes.length !== size) throw malformed(`${what}: needs ${size} bytes, ${bytes.length} given`, shape);
  return bytes;
}

const tcbNames: ReadonlySet<string> = new Set(["fmc", "bootloader", "tee", "snp", "microcode"]);
function tcbBytes(tcb: JsonObject, what: string): Uint8Array {
  checkNames(tcb, tcbNames, what);
  const part = (name: string): number => Number(numberOf(member(tcb, name), `${what}.${name}`, 1));
  const fmc = member(tcb, "fmc");
  const [bootloader, tee, snp, microcode] = [part("bootloader"), part("tee"), part("snp"), part("microcode")];
  return fmc === undefined || fmc.kind === "null"
    ? Uint8Array.of(bootloader, tee, 0, 0, 0, 0, snp, microcode)
    : Uint8Array.of(part("fmc"), bootloader, tee, snp, 0, 0, 0, microcode);
}

/** Flat in older releases, nested in newer ones. */
function versionPart(report: JsonObject, name: string, part: (typeof versionParts)[number]): bigint {
  const nested = member(report, name);
  const flat = member(report, `${name}_${part}`);
  if (nested !== undefined && flat !== undefined) throw malformed(`report: ${name} is there in two forms`, shape);
  if (nested === undefined) return numberOf(flat, `${name}_${part}`, 1);
  const version = objectOf(nested, name);
  checkNames(version, new Set(versionParts), name);
  return numberOf(member(version, part), `${name}.${part}`, 1);
}
