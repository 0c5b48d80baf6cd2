/** The content rules of a manifest: Contrast's own (v1.20, manifest validation), and ours where those let too much through. */
import type { JsonNode } from "../../bytes/json.ts";
import { decodeWhole } from "../../crypto/der.ts";
import { importKey } from "../../crypto/key.ts";
import { malformed, PmError } from "../../errors.ts";
import type { GuestPolicy, Manifest, SnpEntry, SnpReferenceValue, TdxReferenceValue } from "./model.ts";
import type { Problems } from "./problems.ts";
import type { ManifestRules } from "./rules.ts";

/** Says what is wrong at a pointer; the line is found from the nearest node that is known. */
type Complain = (at: string, message: string) => void;

export function validate(manifest: Manifest, rules: ManifestRules, problems: Problems, root: JsonNode): void {
  const nodes = new Map<string, JsonNode>();
  index(root, nodes);
  const nodeAt = (at: string): JsonNode =>
    nodes.get(at) ?? (at === "" ? root : nodeAt(at.slice(0, at.lastIndexOf("/"))));
  const complain: Complain = (at, message) => problems.add("invalid", { at, offset: nodeAt(at).offset }, message);

  policiesValid(manifest, rules, complain);
  if (manifest.snpEntries.length + manifest.tdx.length === 0) complain("/ReferenceValues", "no reference value");
  for (const value of manifest.snpEntries) snpValid(value, rules, complain);
  for (const value of manifest.tdx) tdxValid(value, rules, complain);
  ownersValid(manifest, nodes, complain);
  if (manifest.minimumApiVersion !== undefined && manifest.minimumApiVersion !== "v1")
    problems.add("unsupported", nodeAt("/MinimumAPIVersion"), `API version ${manifest.minimumApiVersion}; known: v1`);
}

function index(node: JsonNode, nodes: Map<string, JsonNode>): void {
  nodes.set(node.at, node);
  if (node.kind === "array") for (const item of node.items) index(item, nodes);
  if (node.kind === "object") for (const { value } of node.members) index(value, nodes);
}

function policiesValid({ policies }: Manifest, rules: ManifestRules, complain: Complain): void {
  const seen = new Set<string>();
  for (const { key, role, at } of policies) {
    if (!/^[0-9a-fA-F]{64}$/.test(key)) complain(at, `policy key of ${key.length} characters, needs 64 hex digits`);
    else if (key !== key.toLowerCase())
      complain(at, "policy key in upper case, which never matches a workload's HOST_DATA");
    if (seen.has(key.toLowerCase())) complain(at, "the same policy key in two cases");
    seen.add(key.toLowerCase());
    if (role !== "" && role !== "coordinator") complain(at, `unknown role ${JSON.stringify(role)}`);
  }
  const coordinators = policies.filter((p) => p.role === "coordinator").length;
  if (
    rules.coordinators === "exactly one"
      ? coordinators !== 1
      : rules.coordinators === "at least one" && coordinators < 1
  )
    complain("/Policies", `${coordinators} policies with the role coordinator, needs ${rules.coordinators}`);
}

const isHex = (text: string, bytes: number): boolean => text.length === bytes * 2 && /^[0-9a-f]*$/.test(text);
function hexValid(text: string, bytes: number, at: string, complain: Complain): void {
  if (!isHex(text, bytes))
    complain(
      at,
      text === "" ? "missing" : `needs ${bytes * 2} hex digits (${bytes} bytes), got ${text.length} characters`,
    );
}

function snpValid(value: SnpEntry, rules: ManifestRules, complain: Complain): void {
  const { at, productName, guestPolicy } = value;
  if (productName !== "Milan" && productName !== "Genoa")
    complain(`${at}/ProductName`, `unknown product ${JSON.stringify(productName)}; known: Milan, Genoa`);
  hexValid(value.trustedMeasurement, 48, `${at}/TrustedMeasurement`, complain);
  if (value.apeip !== undefined) hexValid(value.apeip, 4, `${at}/APEIP`, complain);
  for (const [name, svn] of [
    ["BootloaderVersion", value.minimumTcb.bootloader],
    ["TEEVersion", value.minimumTcb.tee],
    ["SNPVersion", value.minimumTcb.snp],
    ["MicrocodeVersion", value.minimumTcb.microcode],
  ] as const)
    if (svn === undefined) complain(`${at}/MinimumTCB/${name}`, "missing");
  value.allowedChipIds.forEach((id, i) => {
    hexValid(id, 64, `${at}/AllowedChipIDs/${i}`, complain);
  });
  if (guestPolicy !== undefined) guestPolicyValid(guestPolicy, `${at}/GuestPolicy`, rules, complain);
  platformValid(value.platform, at, rules, complain);
}

/** Contrast v1.20 checks nothing here: a manifest that allows Debug lets the host read the guest's memory. */
function guestPolicyValid(policy: GuestPolicy, at: string, rules: ManifestRules, complain: Complain): void {
  if (policy.debug) complain(`${at}/Debug`, "allows debugging: the host could read and write the guest's memory");
  if (policy.migrateMa) complain(`${at}/MigrateMA`, "allows a migration agent, which nothing here judges");
  if (!rules.guestPolicyFixed) return;
  if (policy.abiMajor !== 0 || (policy.abiMinor !== 0 && policy.abiMinor !== 31))
    complain(at, `ABI ${policy.abiMajor}.${policy.abiMinor}; Contrast ${rules.version} has 0.0 or 0.31`);
  if (!policy.smt) complain(`${at}/SMT`, `Contrast ${rules.version} needs true`);
  for (const [name, bit] of [
    ["SingleSocket", policy.singleSocket],
    ["CXLAllowed", policy.cxlAllowed],
    ["MemAES256XTS", policy.memAes256Xts],
    ["RAPLDis", policy.raplDis],
    ["CipherTextHidingDRAM", policy.cipherTextHidingDram],
  ] as const)
    if (bit) complain(`${at}/${name}`, `Contrast ${rules.version} needs false`);
}

function platformValid(platform: string, at: string, rules: ManifestRules, complain: Complain): void {
  if (rules.insecurePlatforms && /insecure/i.test(platform))
    complain(`${at}/Platform`, `insecure platform ${JSON.stringify(platform)}`);
}

function tdxValid(value: TdxReferenceValue, rules: ManifestRules, complain: Complain): void {
  const { at } = value;
  hexValid(value.mrTd, 48, `${at}/MrTd`, complain);
  hexValid(value.mrSeam, 48, `${at}/MrSeam`, complain);
  for (let i = 0; i < 4; i++) hexValid(value.rtmrs[i] ?? "", 48, `${at}/Rtmrs/${i}`, complain);
  hexValid(value.xfam, 8, `${at}/Xfam`, complain);
  // Contrast takes any length, and 15 bytes then match no platform.
  value.allowedPiids.forEach((id, i) => {
    hexValid(id, 16, `${at}/AllowedPIIDs/${i}`, complain);
  });
  if (value.minTcbEvaluationDataNumber < 0n)
    complain(`${at}/MinTCBEvaluationDataNumber`, "negative, which Contrast takes for unset");
  platformValid(value.platform, at, rules, complain);
}

/** Keys are parsed, and must be the whole of their DER: re-encoding gives the same bytes. */
function ownersValid(manifest: Manifest, nodes: ReadonlyMap<string, JsonNode>, complain: Complain): void {
  const digests = nodes.has("/WorkloadOwnerKeyDigests") && !nodes.has("/WorkloadOwnerPubKeys");
  manifest.workloadOwners.forEach((text, i) => {
    if (digests) hexValid(text.toLowerCase(), 32, `/WorkloadOwnerKeyDigests/${i}`, complain);
    else if (!isEcKey(text)) complain(`/WorkloadOwnerPubKeys/${i}`, "not the hex of an ECDSA public key (PKIX DER)");
  });
  manifest.seedshareOwners.forEach((text, i) => {
    if (!isRsaKey(text)) complain(`/SeedshareOwnerPubKeys/${i}`, "not the hex of an RSA public key (PKCS#1 DER)");
  });
}

const maxKeyDigits = 8192;
const derOf = (text: string): Uint8Array | undefined =>
  text.length <= maxKeyDigits && /^(?:[0-9a-fA-F]{2})+$/.test(text)
    ? new Uint8Array(Buffer.from(text, "hex"))
    : undefined;

/** PKIX: a SubjectPublicKeyInfo with a point on a named curve, and nothing after it. */
const isEcKey = (text: string): boolean =>
  decodes(text, (der) => {
    if (importKey(der).asymmetricKeyType !== "ec") throw malformed("not an EC key");
  });
/** RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017 A.1.1), both positive. */
const isRsaKey = (text: string): boolean =>
  decodes(text, (der) =>
    decodeWhole(der, "RSAPublicKey", (whole) => {
      const key = whole.sequence("RSAPublicKey");
      const modulus = key.integer("modulus");
      if (key.smallInteger("publicExponent", 2 ** 31 - 1) === 0) throw malformed("publicExponent: zero");
      key.end("RSAPublicKey");
      if ((modulus[0] ?? 0) >= 0x80 || modulus.every((octet) => octet === 0)) throw malformed("modulus: not positive");
    }),
  );

function decodes(text: string, decode: (der: Uint8Array) => void): boolean {
  const der = derOf(text);
  if (der === undefined) return false;
  try {
    decode(der);
    return true;
  } catch (error) {
    if (error instanceof PmError) return false;
    throw error;
  }
}

/** Whether an entry can serve as a reference value; before v1.8 there was no GuestPolicy, and so no ID key to compare. */
export const usable = (entry: SnpEntry): entry is SnpReferenceValue =>
  isHex(entry.trustedMeasurement, 48) &&
  Object.values(entry.minimumTcb).every((svn) => svn !== undefined) &&
  (entry.productName === "Milan" || entry.productName === "Genoa") &&
  entry.allowedChipIds.every((id) => isHex(id, 64)) &&
  entry.guestPolicy !== undefined &&
  entry.platformInfo !== undefined &&
  (entry.apeip === undefined || isHex(entry.apeip, 4));
