/** policy_data before and after, by JSON pointer; containers, mounts and devices are taken together by name, not by place. */
import { type JsonNode, member } from "../../bytes/json.ts";
import { canonical, plain } from "../../bytes/json-value.ts";
import { type Change, token } from "../../claims/change.ts";
import { gradeData } from "./diff-rules.ts";

/** Lists whose order means nothing, and what their items are known by; undefined: by their whole content. */
const unordered: readonly (readonly [path: RegExp, name: (item: JsonNode) => string | undefined])[] = [
  [/^\/containers$/, containerName],
  [/^\/containers\/\*\/OCI\/Mounts$/, (item) => textOf(child(item, "destination"))],
  [/^\/containers\/\*\/storages$/, (item) => textOf(child(item, "mount_point"))],
  [/^\/containers\/\*\/OCI\/Linux\/Devices$/, (item) => textOf(child(item, "Path"))],
  [/^\/containers\/\*\/OCI\/Linux\/(?:MaskedPaths|ReadonlyPaths)$/, canonical],
  [/^\/containers\/\*\/devices$/, (item) => textOf(child(item, "container_path"))],
  [/^\/containers\/\*\/OCI\/Process\/(?:Env|User\/AdditionalGids|Capabilities\/[A-Za-z]+)$/, canonical],
  [/^\/containers\/\*\/exec_commands$/, canonical],
  [/^\/request_defaults\/(?:CopyFileRequest|[A-Za-z]+Request\/[A-Za-z_]+)$/, canonical],
];

/** @param root JSON pointer of policy_data */
export function dataChanges(before: JsonNode, after: JsonNode, root: string): Change[] {
  const changes: Change[] = [];
  compare(before, after, { at: root, path: "" }, changes);
  return changes;
}

interface Place {
  readonly at: string;
  /** Below policy_data, list indexes as `*`. */
  readonly path: string;
}
const below = ({ at, path }: Place, name: string): Place => ({
  at: `${at}/${token(name)}`,
  path: `${path}/${token(name)}`,
});
const inList = ({ at, path }: Place, index: number): Place => ({ at: `${at}/${index}`, path: `${path}/*` });

function compare(before: JsonNode | undefined, after: JsonNode | undefined, place: Place, changes: Change[]): void {
  const listed = unordered.find(([path]) => path.test(place.path));
  if (before?.kind === "object" && after?.kind === "object") {
    const [was, is] = [before, after].map((o) => new Map(o.members.map((m) => [m.name, m.value])));
    for (const name of new Set([...before.members, ...after.members].map((m) => m.name)))
      compare(was?.get(name), is?.get(name), below(place, name), changes);
  } else if (listed !== undefined && isList(before) && isList(after)) {
    const [was, is] = [before?.items ?? [], after?.items ?? []];
    if (!unorderedList(was, is, listed[1], place, changes)) orderedList(was, is, place, changes);
  } else if (before?.kind === "array" && after?.kind === "array" && before.items.length === after.items.length)
    orderedList(before.items, after.items, place, changes);
  else if (before === undefined || after === undefined || canonical(before) !== canonical(after))
    changes.push(changeAt(place, before, after));
}
/** A list that is left out is an empty one. */
const isList = (node: JsonNode | undefined): node is Extract<JsonNode, { kind: "array" }> | undefined =>
  node === undefined || node.kind === "array";

function changeAt({ at, path }: Place, before: JsonNode | undefined, after: JsonNode | undefined): Change {
  const [was, is] = [before && plain(before), after && plain(after)];
  const [grade, meaning] = gradeData(path, was, is);
  return { at, grade, before: was ?? null, after: is ?? null, meaning };
}

/** By place; what is longer on one side came or went. */
function orderedList(before: readonly JsonNode[], after: readonly JsonNode[], place: Place, changes: Change[]): void {
  for (let i = 0; i < Math.max(before.length, after.length); i++)
    compare(before[i], after[i], inList(place, i), changes);
}

/** False where a name stands twice or is missing: then nothing says what belongs together. */
function unorderedList(
  before: readonly JsonNode[],
  after: readonly JsonNode[],
  name: (item: JsonNode) => string | undefined,
  place: Place,
  changes: Change[],
): boolean {
  const [was, is] = [named(before, name), named(after, name)];
  if (was === undefined || is === undefined) return false;
  for (const [key, { item, index }] of was) if (!is.has(key)) compare(item, undefined, inList(place, index), changes);
  for (const [key, { item, index }] of is) compare(was.get(key)?.item, item, inList(place, index), changes);
  const kept = (list: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): string[] =>
    [...list.keys()].filter((key) => other.has(key));
  if (JSON.stringify(kept(was, is)) !== JSON.stringify(kept(is, was)))
    changes.push({
      at: place.at,
      grade: "neutral",
      before: kept(was, is),
      after: kept(is, was),
      meaning: "the same entries in another order, which the rules do not look at",
    });
  return true;
}

function named(
  items: readonly JsonNode[],
  name: (item: JsonNode) => string | undefined,
): Map<string, { readonly item: JsonNode; readonly index: number }> | undefined {
  const found = new Map<string, { readonly item: JsonNode; readonly index: number }>();
  for (const [index, item] of items.entries()) {
    const key = name(item);
    if (key === undefined || found.has(key)) return undefined;
    found.set(key, { item, index });
  }
  return found;
}

function child(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === "object" ? member(node, name) : undefined;
}
const textOf = (node: JsonNode | undefined): string | undefined =>
  node?.kind === "string" && node.value !== "" ? node.value : undefined;

/** The sandbox has no name annotation; a colon is in no container's name. */
function containerName(item: JsonNode): string | undefined {
  const annotations = child(child(item, "OCI"), "Annotations");
  const name = textOf(child(annotations, "io.kubernetes.cri.container-name"));
  const sandbox = textOf(child(annotations, "io.kubernetes.cri.container-type")) === "sandbox";
  return name ?? (sandbox ? ":sandbox" : undefined);
}
