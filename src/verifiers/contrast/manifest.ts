/** The Contrast manifest: fields of v1.5 to main, read strictly, with every problem and its place. */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import { type JsonDocument, type JsonNode, readJson } from "../../bytes/json.ts";
import { PmError } from "../../errors.ts";
import { entriesOf, Fields } from "./fields.ts";
import type {
  DecodedManifest,
  GuestPolicy,
  Manifest,
  PlatformInfo,
  PolicyEntry,
  SnpEntry,
  TdxReferenceValue,
} from "./model.ts";
import { type ManifestProblem, Problems } from "./problems.ts";
import type { ManifestRules } from "./rules.ts";
import { usable, validate } from "./validate.ts";

export type * from "./model.ts";

/** A manifest with every policy of a large deployment is some 100 KB. */
const maxManifestBytes = 4 * 1024 * 1024;
const sha256 = (bytes: Uint8Array | string): string => hex(createHash("sha256").update(bytes).digest());

/** Never throws for what is in the bytes: what is wrong with them is in `problems`. */
export function decodeManifest(bytes: Uint8Array, rules: ManifestRules): DecodedManifest {
  const identity = { bytes, sha256: sha256(bytes), rules };
  let document: JsonDocument;
  try {
    document = readJson(bytes, { what: "manifest", reasonCode: "manifest-malformed", maxBytes: maxManifestBytes });
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const line = Number(/ line (\d+)/.exec(error.message)?.[1] ?? 1);
    const problem: ManifestProblem = { severity: "malformed", at: "", line, message: error.message };
    return { ...identity, reserializedSha256: undefined, problems: [problem], manifest: undefined, policyKeys: [] };
  }
  const problems = new Problems(document);
  const manifest = readManifest(document.root, rules, problems);
  validate(manifest, rules, problems, document.root);
  return {
    ...identity,
    reserializedSha256: sha256(JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)))),
    problems: problems.list,
    manifest: problems.has("malformed") || problems.has("ambiguous") ? undefined : manifest,
    policyKeys: manifest.policies.map((p) => p.key.toLowerCase()),
  };
}

function readManifest(root: JsonNode, rules: ManifestRules, problems: Problems): Manifest {
  const top = new Fields(root, "manifest", rules, problems);
  const values = top.get("ReferenceValues");
  const references = values && new Fields(values, "referenceValues", rules, problems);
  const snpEntries = (references?.list("snp") ?? []).map((node, index) => readSnp(node, index, rules, problems));
  return {
    policies: entriesOf(top.get("Policies"), problems).map(({ name, value }) =>
      readPolicy(name, value, rules, problems),
    ),
    snp: snpEntries.filter(usable),
    snpEntries,
    tdx: (references?.list("tdx") ?? []).map((node, index) => readTdx(node, index, rules, problems)),
    workloadOwners: [...top.strings("WorkloadOwnerPubKeys"), ...top.strings("WorkloadOwnerKeyDigests")].map(
      (s) => s.value,
    ),
    seedshareOwners: top.strings("SeedshareOwnerPubKeys").map((s) => s.value),
    minimumApiVersion: top.has("MinimumAPIVersion") ? top.string("MinimumAPIVersion") : undefined,
  };
}

function readPolicy(key: string, node: JsonNode, rules: ManifestRules, problems: Problems): PolicyEntry {
  noNull(node, problems);
  const fields = new Fields(node, "policy", rules, problems);
  return {
    key,
    sans: fields.strings("SANs").map((s) => s.value),
    workloadSecretId: fields.string("WorkloadSecretID"),
    role: fields.string("Role"),
    at: node.at,
    line: problems.line(node),
  };
}

function readSnp(node: JsonNode, index: number, rules: ManifestRules, problems: Problems): SnpEntry {
  noNull(node, problems);
  const fields = new Fields(node, "snp", rules, problems);
  const tcbNode = fields.get("MinimumTCB");
  const tcb = tcbNode && new Fields(tcbNode, "minimumTcb", rules, problems);
  return {
    index,
    platform: fields.string("Platform"),
    productName: fields.string("ProductName"),
    cpus: fields.has("CPUs") ? fields.unsigned("CPUs") : undefined,
    trustedMeasurement: fields.string("TrustedMeasurement").toLowerCase(),
    apeip: fields.has("APEIP") ? fields.string("APEIP").toLowerCase() : undefined,
    minimumTcb: {
      bootloader: tcb?.svn("BootloaderVersion"),
      tee: tcb?.svn("TEEVersion"),
      snp: tcb?.svn("SNPVersion"),
      microcode: tcb?.svn("MicrocodeVersion"),
    },
    guestPolicy: rules.guestPolicy ? readGuestPolicy(fields, rules, problems) : undefined,
    platformInfo: rules.guestPolicy ? readPlatformInfo(fields, rules, problems) : undefined,
    minimumMitigationVector: fields.unsigned("MinimumMitigationVector"),
    allowedChipIds: fields.strings("AllowedChipIDs").map((s) => s.value.toLowerCase()),
    at: node.at,
    line: problems.line(node),
  };
}

/** A member that is left out is false: no GuestPolicy at all means that SMT is not allowed. */
function readGuestPolicy(parent: Fields, rules: ManifestRules, problems: Problems): GuestPolicy {
  const node = parent.get("GuestPolicy");
  const policy = node && new Fields(node, "guestPolicy", rules, problems);
  const bit = (name: string): boolean => policy?.boolean(name) ?? false;
  return {
    abiMinor: Number(policy?.unsigned("ABIMinor", 255n) ?? 0),
    abiMajor: Number(policy?.unsigned("ABIMajor", 255n) ?? 0),
    smt: bit("SMT"),
    migrateMa: bit("MigrateMA"),
    debug: bit("Debug"),
    singleSocket: bit("SingleSocket"),
    cxlAllowed: bit("CXLAllowed"),
    memAes256Xts: bit("MemAES256XTS"),
    raplDis: bit("RAPLDis"),
    cipherTextHidingDram: bit("CipherTextHidingDRAM"),
    pageSwapDisable: bit("PageSwapDisable"),
  };
}
function readPlatformInfo(parent: Fields, rules: ManifestRules, problems: Problems): PlatformInfo {
  const node = parent.get("PlatformInfo");
  const info = node && new Fields(node, "platformInfo", rules, problems);
  const bit = (name: string): boolean => info?.boolean(name) ?? false;
  return {
    smt: bit("SMTEnabled"),
    tsme: bit("TSMEEnabled"),
    ecc: bit("ECCEnabled"),
    raplDisabled: bit("RAPLDisabled"),
    ciphertextHiding: bit("CiphertextHidingDRAMEnabled"),
    aliasCheckComplete: bit("AliasCheckComplete"),
    tio: bit("TIOEnabled"),
  };
}

const retired = ["TdAttributes", "MinimumQeSvn", "MinimumPceSvn", "MinimumTeeTcbSvn"] as const;

function readTdx(node: JsonNode, index: number, rules: ManifestRules, problems: Problems): TdxReferenceValue {
  noNull(node, problems);
  const fields = new Fields(node, "tdx", rules, problems);
  for (const name of retired)
    if (fields.get(name) !== undefined)
      problems.add("unsupported", fields.place(name), "a check of old Contrast versions that pm does not make");
  // Until v1.15 the name was misspelt; where both are known, both together would be two words for one thing.
  const [current, misspelt] = [fields.strings("Rtmrs"), fields.strings("Rtrms")];
  if (current.length > 0 && misspelt.length > 0)
    problems.add("ambiguous", fields.place("Rtrms"), "Rtrms beside Rtmrs: two names of one field");
  const rtmrs = current.length > 0 ? current : misspelt;
  const fifth = rtmrs[4];
  if (fifth !== undefined) problems.add("ambiguous", fifth.node, "a fifth RTMR, which Contrast drops");
  return {
    index,
    platform: fields.string("Platform"),
    minTcbEvaluationDataNumber: fields.integer("MinTCBEvaluationDataNumber"),
    mrTd: fields.string("MrTd").toLowerCase(),
    mrSeam: fields.string("MrSeam").toLowerCase(),
    rtmrs: rtmrs.map((r) => r.value.toLowerCase()),
    xfam: fields.string("Xfam").toLowerCase(),
    allowedPiids: fields.strings("AllowedPIIDs").map((s) => s.value.toLowerCase()),
    memoryIntegrity: fields.boolean("MemoryIntegrity"),
    smtDisabled: fields.boolean("SMTDisabled"),
    staticPlatform: fields.boolean("StaticPlatform"),
    at: node.at,
    line: problems.line(node),
  };
}

/** Go reads a null entry as one with every field at its zero value. */
function noNull(node: JsonNode, problems: Problems): void {
  if (node.kind === "null") problems.add("ambiguous", node, "null: Contrast reads an entry whose fields are all zero");
}
