/** `--policy-file` of `pm snp verify`: what the auditor demands beside the identity pins, as one JSON object. */
import { hex } from "../bytes/hex.ts";
import { type JsonNode, type JsonObject, readJson, repeated } from "../bytes/json.ts";
import type { Origin, Sourced } from "../claims/answer.ts";
import { type PmError, usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import type { Input } from "../input.ts";
import type { SnpReferences, TcbParts } from "../verifiers/snp/index.ts";

/** The members of the references that a policy file can give. */
export type SnpPolicy = Partial<
  Pick<
    SnpReferences,
    | "vmpl"
    | "migrateMa"
    | "provisional"
    | "minimumTcb"
    | "allowedChipIds"
    | "requireIdBlock"
    | "minimumMitigationVector"
  >
>;

const limit = 1024 * 1024;
const known = [
  "vmpl",
  "debug",
  "migrateMa",
  "provisional",
  "minimumTcb",
  "allowedChipIds",
  "requireIdBlock",
  "minimumMitigationVector",
] as const;
type Key = (typeof known)[number];
const isKnown = (name: string): name is Key => known.some((key) => key === name);

/**
 * @throws PmError PM_USAGE for anything but one object of known members of the right kind; `debug` is read and has no effect
 */
export function decodeSnpPolicy({ name, bytes, sha256 }: Input): SnpPolicy {
  const object = objectOf(parse(name, bytes), name);
  const origin: Origin = { kind: "pinned", file: name, sha256 };
  const parts = object.members.map(({ name: key, value }) => {
    if (!isKnown(key)) throw usage(`${name}: unknown member "${key}"`, `known: ${known.join(", ")}`);
    return policyMember(key, value, `${name}: ${key}`, origin);
  });
  return Object.assign({}, ...parts);
}

function parse(name: string, bytes: Uint8Array): JsonNode {
  try {
    return readJson(bytes, { what: name, maxBytes: limit }).root;
  } catch (error) {
    throw usage(error instanceof Error ? error.message : `${name}: not JSON`, "a policy file is one JSON object");
  }
}

function policyMember(key: Key, node: JsonNode, what: string, origin: Origin): SnpPolicy {
  const source: Sourced = { value: "", origin, at: key };
  switch (key) {
    case "debug":
      // DEBUG is never allowed; the member is accepted because reference policies of other tools have it.
      booleanOf(node, what);
      return {};
    case "vmpl":
      return { vmpl: { value: integerOf(node, what, 3n), origin, at: key } };
    case "migrateMa":
      return { migrateMa: { allowed: booleanOf(node, what), source } };
    case "provisional":
      return { provisional: booleanOf(node, what) };
    case "requireIdBlock":
      return booleanOf(node, what) ? { requireIdBlock: source } : {};
    case "minimumTcb":
      return { minimumTcb: { ...tcbOf(objectOf(node, what), what), source } };
    case "allowedChipIds":
      return { allowedChipIds: { values: chipIds(node, what), source } };
    case "minimumMitigationVector":
      return { minimumMitigationVector: { value: bitsOf(node, what), source } };
  }
}

const wrong = (what: string, wanted: string): PmError => usage(`${what}: must be ${wanted}`);

function objectOf(node: JsonNode, what: string): JsonObject {
  if (node.kind !== "object") throw wrong(what, "an object");
  const [twice] = repeated(node);
  if (twice !== undefined) throw usage(`${what}: member "${twice.name}" is there twice`);
  return node;
}

function booleanOf(node: JsonNode, what: string): boolean {
  if (node.kind !== "boolean") throw wrong(what, "true or false");
  return node.value;
}

/** Numbers as they are written: 1.0, 1e2 and -0 are not integers here. */
function bigOf(text: string, what: string, most: bigint): bigint {
  if (!/^(0|[1-9]\d{0,19})$/.test(text) || BigInt(text) > most) throw wrong(what, `an integer from 0 to ${most}`);
  return BigInt(text);
}
function integerOf(node: JsonNode, what: string, most: bigint): number {
  if (node.kind !== "number") throw wrong(what, `an integer from 0 to ${most}`);
  return Number(bigOf(node.text, what, most));
}
const bitsOf = (node: JsonNode, what: string): bigint => {
  const most = (1n << 64n) - 1n;
  if (node.kind !== "number" && node.kind !== "string") throw wrong(what, "an integer, or one in a string");
  return bigOf(node.kind === "number" ? node.text : node.value, what, most);
};

const tcbNames = ["fmc", "bootloader", "tee", "snp", "microcode"] as const;
type TcbName = (typeof tcbNames)[number];

function tcbOf(object: JsonObject, what: string): TcbParts {
  const parts: Partial<Record<TcbName, number>> = {};
  for (const { name, value } of object.members) {
    const known = tcbNames.find((n) => n === name);
    if (known === undefined) throw usage(`${what}: unknown member "${name}"`, `known: ${tcbNames.join(", ")}`);
    parts[known] = integerOf(value, `${what}.${name}`, 255n);
  }
  return wholeTcb(parts, what);
}

/** A part that is left out would demand nothing, so all four are needed. */
function wholeTcb(parts: Partial<Record<TcbName, number>>, what: string): TcbParts {
  const { fmc, bootloader, tee, snp, microcode } = parts;
  if (bootloader === undefined || tee === undefined || snp === undefined || microcode === undefined)
    throw usage(`${what}: bootloader, tee, snp and microcode are all needed`, "0 demands nothing of a part");
  return { ...(fmc === undefined ? {} : { fmc }), bootloader, tee, snp, microcode };
}

function chipIds(node: JsonNode, what: string): string[] {
  if (node.kind !== "array") throw wrong(what, "a list of chip ids");
  return node.items.map((item, i) => {
    if (item.kind !== "string") throw wrong(`${what}[${i}]`, "128 hex digits");
    return hex(hexFlag(item.value, 64, `${what}[${i}]`));
  });
}

const flagNames: Readonly<Record<string, TcbName>> = {
  fmc: "fmc",
  bl: "bootloader",
  tee: "tee",
  snp: "snp",
  ucode: "microcode",
};

/** `bl=10,tee=0,snp=28,ucode=88`, on Turin with `fmc=1`. @throws PmError PM_USAGE */
export function parseMinimumTcb(text: string): TcbParts {
  const parts: Partial<Record<TcbName, number>> = {};
  for (const item of text.split(",")) {
    const [, key = "", value = ""] = /^([a-z]+)=(\d+)$/.exec(item) ?? [];
    const name = Object.hasOwn(flagNames, key) ? flagNames[key] : undefined;
    if (name === undefined || parts[name] !== undefined)
      throw usage(`--min-tcb: "${item}" is not one of bl, tee, snp, ucode, fmc once with a number`);
    parts[name] = Number(bigOf(value, `--min-tcb: ${key}`, 255n));
  }
  return wholeTcb(parts, "--min-tcb");
}
