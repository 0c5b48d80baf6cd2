/**
 * What changed between two manifests, each change graded. Compared is what Contrast reads, so a manifest that can be read
 * in two ways is refused; the bytes count too, since a manifest is its bytes.
 */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import { type JsonNode, readJson } from "../../bytes/json.ts";
import { plain } from "../../bytes/json-value.ts";
import type { Change } from "../../claims/change.ts";
import { PmError } from "../../errors.ts";
import type { Json } from "../../report/report.ts";
import { type Field, snpFields, tdxFields } from "./diff-fields.ts";
import { type Listed, type ListRule, listChanges, paired } from "./diff-lists.ts";
import { policyChanges } from "./diff-policies.ts";
import type { DecodedManifest, Manifest, SnpEntry, TdxReferenceValue } from "./model.ts";
import { problemText } from "./problems.ts";

export interface ManifestDiff {
  /** Byte for byte. */
  readonly equal: boolean;
  /** In the manifest's order; not empty when the bytes differ. */
  readonly changes: readonly Change[];
}
interface Side {
  readonly decoded: DecodedManifest;
  readonly manifest: Manifest;
}

/**
 * @param names of the files, for messages
 * @throws PmError PM_EVIDENCE_MALFORMED manifest-malformed, manifest-ambiguous
 */
export function diffManifests(
  a: DecodedManifest,
  b: DecodedManifest,
  names: readonly [string, string] = ["A", "B"],
): ManifestDiff {
  const before: Side = { decoded: a, manifest: readable(a, names[0]) };
  const after: Side = { decoded: b, manifest: readable(b, names[1]) };
  if (a.sha256 === b.sha256 && a.rules.version === b.rules.version) return { equal: true, changes: [] };
  const changes = [
    ...policyChanges(before.manifest.policies, after.manifest.policies),
    ...snpChanges(before, after),
    ...tdxChanges(before, after),
    ...listChanges(`/${ownersMember(b)}`, owners(before), owners(after), ownerRule),
    ...listChanges("/SeedshareOwnerPubKeys", seedshareOwners(before), seedshareOwners(after), seedshareRule),
    ...apiVersion(before.manifest, after.manifest),
  ];
  const equal = a.sha256 === b.sha256;
  return { equal, changes: changes.length > 0 || equal ? changes : [spelling(a, b)] };
}

/** @throws PmError where two readers would compare two different things */
function readable(decoded: DecodedManifest, name: string): Manifest {
  if (decoded.manifest !== undefined) return decoded.manifest;
  const of = (severity: string) => decoded.problems.filter((p) => p.severity === severity);
  const malformed = of("malformed");
  const [problems, reasonCode, what] =
    malformed.length > 0
      ? ([malformed, "manifest-malformed", "cannot be read"] as const)
      : ([of("ambiguous"), "manifest-ambiguous", "can be read in two ways"] as const);
  throw new PmError("PM_EVIDENCE_MALFORMED", `${name}: ${what}: ${problemText(problems)}`, {
    reasonCode,
    hint: "pm manifest check names each place; --contrast-version names the release whose fields it has",
  });
}

const spelling = (a: DecodedManifest, b: DecodedManifest): Change => ({
  at: "",
  grade: "neutral",
  before: a.sha256,
  after: b.sha256,
  meaning: "the bytes differ, and Contrast reads the same out of them; a pin of one is no pin of the other",
});

/** What a field says, compared as it is shown. */
function fieldChanges<T extends { readonly at: string }>(fields: readonly Field<T>[], before: T, after: T): Change[] {
  return fields.flatMap((field): Change[] => {
    const [was, is] = [field.value(before), field.value(after)];
    if (was === is) return [];
    const grade = field.grade(before, after);
    return [{ at: `${after.at}/${field.path}`, grade, before: was, after: is, meaning: field.meaning[grade] }];
  });
}

const chipRule = (noun: string): ListRule => ({
  empty: "everything",
  noun,
  added: `a further ${noun} is let in`,
  removed: `one ${noun} less is let in`,
});
const listed = (at: string, values: readonly string[]): Listed[] =>
  values.map((value, i) => ({ id: value, shown: value, at: `${at}/${i}` }));

/** The most telling members first; what shares none of these is another entry. */
const keysOf = <T>(members: readonly (keyof T)[][], of: (entry: T, member: keyof T) => string) =>
  members.map((names) => (entry: T) => JSON.stringify(names.map((name) => of(entry, name))));
const snpKeys = keysOf<SnpEntry>(
  [
    ["productName", "cpus", "platform", "trustedMeasurement"],
    ["productName", "cpus", "trustedMeasurement"],
    ["cpus", "platform", "trustedMeasurement"],
    ["productName", "platform", "trustedMeasurement"],
    ["productName", "platform", "cpus"],
    ["productName", "trustedMeasurement"],
    ["trustedMeasurement"],
    ["productName", "platform"],
    ["productName", "cpus"],
    ["productName"],
  ],
  (entry, member) => (member === "cpus" ? String(entry.cpus ?? 0n) : String(entry[member])),
);
const tdxKeys = keysOf<TdxReferenceValue>(
  [
    ["platform", "mrTd", "rtmrs"],
    ["mrTd", "rtmrs"],
    ["platform", "mrTd"],
    ["mrTd"],
    ["platform", "rtmrs"],
    ["platform"],
  ],
  (entry, member) => String(entry[member]),
);

/** Everything that an entry says but for its place: two equal ones are the same demand. */
const whole = <T extends object>(entry: T): string =>
  JSON.stringify(entry, (name, value: unknown) =>
    ["at", "line", "index"].includes(name) ? undefined : typeof value === "bigint" ? `${value}` : value,
  );

/** Any one reference value is enough: a further one lets in more, unless it is a copy. */
function entryChanges<T extends { readonly at: string }>(
  [before, after]: readonly [Side, Side],
  [entriesBefore, entriesAfter]: readonly [readonly T[], readonly T[]],
  keys: readonly ((entry: T) => string)[],
  compare: (before: T, after: T) => Change[],
): Change[] {
  const { pairs, removed, added } = paired(entriesBefore, entriesAfter, [whole, ...keys]);
  const [stays, stood] = [new Set(entriesAfter.map(whole)), new Set(entriesBefore.map(whole))];
  const gone = removed.map((entry): Change => {
    const copy = stays.has(whole(entry));
    return {
      at: entry.at,
      grade: copy ? "neutral" : "stronger",
      before: valueAt(before, entry.at),
      after: null,
      meaning: copy ? "a copy of a reference value that stays" : "one reference value less lets evidence in",
    };
  });
  const came = added.map((entry): Change => {
    const copy = stood.has(whole(entry));
    return {
      at: entry.at,
      grade: copy ? "neutral" : "weaker",
      before: null,
      after: valueAt(after, entry.at),
      meaning: copy ? "a copy of a reference value that was there" : "a further reference value lets evidence in",
    };
  });
  return [...pairs.flatMap(([a, b]) => compare(a, b)), ...gone, ...came];
}

function snpChanges(before: Side, after: Side): Change[] {
  const sides = [before, after] as const;
  const lists = [before.manifest.snpEntries, after.manifest.snpEntries] as const;
  return entryChanges(sides, lists, snpKeys, (a, b) => {
    const at = `${b.at}/AllowedChipIDs`;
    // Contrast before v1.8 compared neither object.
    const fields = snpFields.filter(
      ({ path }) =>
        (!path.startsWith("GuestPolicy/") || (a.guestPolicy && b.guestPolicy)) &&
        (!path.startsWith("PlatformInfo/") || (a.platformInfo && b.platformInfo)),
    );
    return [
      ...fieldChanges(fields, a, b),
      ...((a.guestPolicy === undefined) !== (b.guestPolicy === undefined)
        ? (["GuestPolicy", "PlatformInfo"] as const).map(
            (name): Change => ({
              at: `${b.at}/${name}`,
              grade: "unknown",
              before: valueAt(before, `${a.at}/${name}`),
              after: valueAt(after, `${b.at}/${name}`),
              meaning: "one of the two releases of Contrast does not compare it",
            }),
          )
        : []),
      ...listChanges(
        at,
        listed(`${a.at}/AllowedChipIDs`, a.allowedChipIds),
        listed(at, b.allowedChipIds),
        chipRule("chip"),
      ),
    ];
  });
}

/** Read by releases up to v1.15; the decoder keeps no value of them. */
const retired = ["TdAttributes", "MinimumQeSvn", "MinimumPceSvn", "MinimumTeeTcbSvn"] as const;

function tdxChanges(before: Side, after: Side): Change[] {
  const sides = [before, after] as const;
  return entryChanges(sides, [before.manifest.tdx, after.manifest.tdx], tdxKeys, (a, b) => {
    const at = `${b.at}/AllowedPIIDs`;
    const old = retired.flatMap((name): Change[] => {
      const [was, is] = [valueAt(before, `${a.at}/${name}`), valueAt(after, `${b.at}/${name}`)];
      const meaning = "a check of old Contrast versions, which pm does not make";
      return JSON.stringify(was) === JSON.stringify(is)
        ? []
        : [{ at: `${b.at}/${name}`, grade: "unknown", before: was, after: is, meaning }];
    });
    return [
      ...fieldChanges(tdxFields, a, b),
      ...old,
      ...listChanges(
        at,
        listed(`${a.at}/AllowedPIIDs`, a.allowedPiids),
        listed(at, b.allowedPiids),
        chipRule("platform"),
      ),
    ];
  });
}

const ownersMember = ({ rules }: DecodedManifest): string =>
  rules.field("manifest", "WorkloadOwnerPubKeys") === "known" ? "WorkloadOwnerPubKeys" : "WorkloadOwnerKeyDigests";
const ownerRule: ListRule = {
  empty: "nobody",
  noun: "owner",
  added: "a further key can replace the manifest of the running deployment",
  removed: "one key less can replace the manifest of the running deployment",
};
const seedshareRule: ListRule = {
  empty: "nobody",
  noun: "owner",
  added: "whoever holds a further key can recover the secret seed",
  removed: "one key less can recover the secret seed",
};

/** Until v1.19 the SHA-256 of the key stands for the key: both name the same owner. */
const owners = ({ decoded, manifest }: Side): Listed[] =>
  manifest.workloadOwners.map((key, i) => ({
    id: /^[0-9a-fA-F]{64}$/.test(key) ? key.toLowerCase() : keyDigest(key),
    shown: key,
    at: `/${ownersMember(decoded)}/${i}`,
  }));
const keyDigest = (key: string): string =>
  /^(?:[0-9a-fA-F]{2})+$/.test(key) ? hex(createHash("sha256").update(Buffer.from(key, "hex")).digest()) : key;
const seedshareOwners = ({ manifest }: Side): Listed[] =>
  manifest.seedshareOwners.map((key, i) => ({ id: key.toLowerCase(), shown: key, at: `/SeedshareOwnerPubKeys/${i}` }));

function apiVersion(a: Manifest, b: Manifest): Change[] {
  const [before, after] = [a.minimumApiVersion ?? null, b.minimumApiVersion ?? null];
  const meaning = "which clients and workloads may speak with the Coordinator";
  return before === after ? [] : [{ at: "/MinimumAPIVersion", grade: "unknown", before, after, meaning }];
}

/** As written; null where nothing is. Only asked of manifests that were read. */
function valueAt({ decoded }: Side, at: string): Json {
  const found = nodesOf(decoded).get(at);
  return found === undefined ? null : plain(found);
}
const remembered = new WeakMap<DecodedManifest, ReadonlyMap<string, JsonNode>>();
function nodesOf(decoded: DecodedManifest): ReadonlyMap<string, JsonNode> {
  const known = remembered.get(decoded);
  if (known !== undefined) return known;
  const nodes = new Map<string, JsonNode>();
  const walk = (node: JsonNode): void => {
    nodes.set(node.at, node);
    for (const child of node.kind === "array"
      ? node.items
      : node.kind === "object"
        ? node.members.map((m) => m.value)
        : [])
      walk(child);
  };
  walk(readJson(decoded.bytes, { what: "manifest" }).root);
  remembered.set(decoded, nodes);
  return nodes;
}
