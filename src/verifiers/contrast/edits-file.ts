/**
 * The auditor's values for the edits of a manifest, as YAML or JSON: what rots, and so is in no built-in profile.
 * Names are those of pm's profile where it has them; members of GuestPolicy and PlatformInfo are Contrast's.
 */
import type { JsonNode, JsonObject, Place } from "../../bytes/json.ts";
import { readYaml } from "../../bytes/yaml.ts";
import { malformed } from "../../errors.ts";
import type { EditValues, SnpField, TdxField } from "./edits.ts";
import { namesOf } from "./rules.ts";

type Fail = (node: Pick<JsonNode, "offset">, problem: string) => Error;
type Reader = (node: JsonNode, fail: Fail) => JsonNode;

const maxEditsBytes = 1024 * 1024;
const tcbParts: Readonly<Record<string, string>> = {
  bootloader: "BootloaderVersion",
  tee: "TEEVersion",
  snp: "SNPVersion",
  microcode: "MicrocodeVersion",
};

/** Canonical decimal alone: 0x0f and 1_000 are numbers to some readers of YAML. */
const number =
  (least: bigint, most: bigint): Reader =>
  (node, fail) => {
    const value = node.kind === "number" && /^(0|[1-9][0-9]{0,19})$/.test(node.text) ? BigInt(node.text) : undefined;
    if (value === undefined || value < least || value > most)
      throw fail(node, `not a whole number ${least} to ${most}`);
    return node;
  };
const svn = number(0n, 255n);
const flag: Reader = (node, fail) => {
  if (node.kind !== "boolean") throw fail(node, "neither true nor false");
  return node;
};
/** Upper or lower case as written: it stands so in the manifest. */
const hexText =
  (bytes: number): Reader =>
  (node, fail) => {
    if (node.kind !== "string" || !new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`).test(node.value))
      throw fail(node, `not ${bytes * 2} hex digits; digits alone need quotes`);
    return node;
  };
/** An empty list would let in every chip. */
const listOf =
  (item: Reader): Reader =>
  (node, fail) => {
    if (node.kind !== "array" || node.items.length === 0) throw fail(node, "not a list with at least one entry");
    return { ...node, items: node.items.map((i) => item(i, fail)) };
  };

const tcb: Reader = (node, fail) => {
  const object = objectOf(node, fail);
  const missing = Object.keys(tcbParts).filter((part) => !object.members.some((m) => m.name === part));
  if (missing.length > 0) throw fail(node, `without ${missing.join(", ")}`);
  return {
    ...object,
    members: object.members.map((m) => {
      const name = Object.hasOwn(tcbParts, m.name) ? tcbParts[m.name] : undefined;
      if (name === undefined) throw fail(m, `unknown member ${m.name}; known: ${Object.keys(tcbParts).join(", ")}`);
      return { ...m, name, value: svn(m.value, fail) };
    }),
  };
};

const bits =
  (scope: "guestPolicy" | "platformInfo"): Reader =>
  (node, fail) => {
    const object = objectOf(node, fail);
    if (object.members.length === 0) throw fail(node, "without any member");
    return {
      ...object,
      members: object.members.map((m) => {
        if (!namesOf(scope).includes(m.name))
          throw fail(m, `unknown member ${m.name}; known: ${namesOf(scope).join(", ")}`);
        return { ...m, value: (m.name.startsWith("ABI") ? svn : flag)(m.value, fail) };
      }),
    };
  };

const snpMembers: Readonly<Record<string, readonly [SnpField, Reader]>> = {
  minimumTcb: ["MinimumTCB", tcb],
  guestPolicy: ["GuestPolicy", bits("guestPolicy")],
  platformInfo: ["PlatformInfo", bits("platformInfo")],
  minimumMitigationVector: ["MinimumMitigationVector", number(0n, 2n ** 64n - 1n)],
  chipIds: ["AllowedChipIDs", listOf(hexText(64))],
};
const tdxMembers: Readonly<Record<string, readonly [TdxField, Reader]>> = {
  mrSeam: ["MrSeam", hexText(48)],
  piids: ["AllowedPIIDs", listOf(hexText(16))],
  minTcbEvaluationDataNumber: ["MinTCBEvaluationDataNumber", number(1n, 2n ** 31n - 1n)],
};
const editMembers: readonly string[] = [...Object.keys(snpMembers), ...Object.keys(tdxMembers)];

function objectOf(node: JsonNode, fail: Fail): JsonObject {
  if (node.kind !== "object") throw fail(node, "no mapping");
  return node;
}

/**
 * @param name of the file, for messages
 * @throws PmError PM_EVIDENCE_MALFORMED with line and column, also for a member that is not known
 */
export function readEdits(bytes: Uint8Array, name: string): EditValues {
  const { documents, place } = readYaml(bytes, { what: name, maxBytes: maxEditsBytes });
  const [document, ...more] = documents;
  if (document === undefined || more.length > 0) throw malformed(`${name}: not one document with the values of edits`);
  const fail: Fail = (node, problem) => malformed(`${name}: ${shown(place(node.offset))}: ${problem}`);
  const snp = new Map<SnpField, JsonNode>();
  const tdx = new Map<TdxField, JsonNode>();
  for (const m of objectOf(document.root, fail).members) {
    const inSnp = Object.hasOwn(snpMembers, m.name) ? snpMembers[m.name] : undefined;
    const inTdx = Object.hasOwn(tdxMembers, m.name) ? tdxMembers[m.name] : undefined;
    if (inSnp !== undefined) snp.set(inSnp[0], inSnp[1](m.value, fail));
    else if (inTdx !== undefined) tdx.set(inTdx[0], inTdx[1](m.value, fail));
    else throw fail(m, `unknown member ${m.name}; known: ${editMembers.join(", ")}`);
  }
  return { snp, tdx };
}
const shown = ({ line, column }: Place): string => `line ${line}, column ${column}`;
