/**
 * Reference values before and after (Contrast v1.20, ReferenceValues). They have no names: what they have in common says
 * which belong together.
 */
import { type JsonNode, readJson } from "../../bytes/json.ts";
import { plain } from "../../bytes/json-value.ts";
import type { Change } from "../../claims/change.ts";
import type { Json } from "../../report/report.ts";
import { type Field, snpFields, tdxFields } from "./diff-fields.ts";
import { type Listed, type ListRule, listChanges, paired } from "./diff-lists.ts";
import type { DecodedManifest, Manifest, SnpEntry, TdxReferenceValue } from "./model.ts";

/** A manifest that every reader reads the same way. */
export interface Side {
  readonly decoded: DecodedManifest;
  readonly manifest: Manifest;
}

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

export function snpChanges(before: Side, after: Side): Change[] {
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

export function tdxChanges(before: Side, after: Side): Change[] {
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
