/**
 * What a service changes in a manifest after `contrast generate` wrote it. Which fields are set is the service's own
 * habit, and built in with its source; the values rot (TCB minima, chip ids), so the auditor names them.
 * Members keep their order and numbers their text: a manifest is its bytes.
 */
import {
  firstRepeated,
  type JsonArray,
  type JsonMember,
  type JsonNode,
  type JsonObject,
  member,
  readJson,
} from "../../bytes/json.ts";
import { jsonText } from "../../bytes/json-text.ts";
import { malformed, type PmError } from "../../errors.ts";
import { sameList } from "./folding.ts";

export type SnpField = "MinimumTCB" | "GuestPolicy" | "PlatformInfo" | "MinimumMitigationVector" | "AllowedChipIDs";
export type TdxField = "MrSeam" | "AllowedPIIDs" | "MinTCBEvaluationDataNumber";

/** Values by field. An object is laid over the CLI's, member by member; anything else takes its place. */
export interface EditValues {
  readonly snp: ReadonlyMap<SnpField, JsonNode>;
  readonly tdx: ReadonlyMap<TdxField, JsonNode>;
}
export interface EditShape {
  /** Document and section that say so. */
  readonly source: readonly [document: string, section: string];
  /** Top-level members that are taken out. */
  readonly removed: readonly string[];
  /** The only number of vCPUs whose SNP reference values stay; undefined: all stay. */
  readonly cpus: string | undefined;
  readonly removedProducts: readonly string[];
  /** Set in each reference value; each needs a value. */
  readonly snp: readonly SnpField[];
  readonly tdx: readonly TdxField[];
}
/** A workload as its WorkloadSecretID names it. */
export interface Named {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}
/** Changes of the names in mesh certificates. */
export interface SanEdits {
  /** As the CLI writes them, and as the service does. */
  readonly before: (workload: Named) => readonly string[];
  readonly after: (workload: Named) => readonly string[];
}
export interface Edited {
  /** Of the manifest; undefined where an edit is missing. */
  readonly bytes: Uint8Array | undefined;
  /** Names of the edits that this manifest needs, in order, and of those that were made. */
  readonly owed: readonly string[];
  readonly made: readonly string[];
  /** Fields that the service sets and that nobody gave a value for. */
  readonly withoutValue: readonly string[];
  /** Why an edit could not be made. */
  readonly problems: readonly string[];
}

const maxManifestBytes = 4 * 1024 * 1024;
const references = "ReferenceValues";

/**
 * Without any edit the bytes stay as they are; otherwise they are written with two spaces and a final newline, as the
 * CLI does. That the service's own tool (yq) writes the same bytes is not confirmed.
 * @throws PmError PM_EVIDENCE_MALFORMED generated-malformed when the manifest is not one JSON object to every reader
 */
export function editManifest(bytes: Uint8Array, shape: EditShape, values: EditValues, sans?: SanEdits): Edited {
  const root = readManifest(bytes);
  const log = new Log();
  const policies = sans === undefined ? root : withSans(root, sans, log);
  const removed = shape.removed.reduce((node, name) => without(node, name, log), policies);
  const edited = withReferences(removed, shape, values, log);
  const { owed, made, withoutValue, problems } = log;
  const complete = problems.length === 0 && withoutValue.length === 0 && made.length === owed.length;
  const text = owed.length === 0 ? bytes : new Uint8Array(Buffer.from(jsonText(edited), "utf8"));
  return { bytes: complete ? text : undefined, owed, made, withoutValue, problems };
}

/** What was to be done and what was done. */
class Log {
  readonly owed: string[] = [];
  readonly made: string[] = [];
  readonly withoutValue: string[] = [];
  readonly problems: string[] = [];

  /** @param problem undefined: the edit was made */
  edit(name: string, problem?: string): void {
    this.owed.push(name);
    if (problem === undefined) this.made.push(name);
    else this.problems.push(`${name}: ${problem}`);
  }
  lacksValue(name: string): void {
    this.owed.push(name);
    this.withoutValue.push(name);
  }
}

const what = { what: "generated manifest", reasonCode: "generated-malformed", maxBytes: maxManifestBytes } as const;

function readManifest(bytes: Uint8Array): JsonObject {
  const { root } = readJson(bytes, what);
  if (root.kind !== "object") throw notManifest("not an object");
  // An edit of one of them would be no edit to some readers.
  const twice = firstRepeated(root);
  if (twice !== undefined) throw notManifest(`${twice} stands there twice`);
  return root;
}
const notManifest = (problem: string): PmError => malformed(`${what.what}: ${problem}`, what.reasonCode);

const replaced = (object: JsonObject, name: string, value: JsonNode): JsonObject => ({
  ...object,
  members: object.members.map((m) => (m.name === name ? { ...m, value } : m)),
});
const appended = (object: JsonObject, name: string, value: JsonNode): JsonObject => ({
  ...object,
  members: [...object.members, { name, offset: object.offset, value }],
});
const set = (object: JsonObject, name: string, value: JsonNode): JsonObject =>
  member(object, name) === undefined ? appended(object, name, value) : replaced(object, name, value);

/** A member that the CLI did not write is not missing: it is gone either way. */
function without(root: JsonObject, name: string, log: Log): JsonObject {
  log.edit(`${name} removed`);
  return { ...root, members: root.members.filter((m) => m.name !== name) };
}

function withSans(root: JsonObject, sans: SanEdits, log: Log): JsonObject {
  const policies = member(root, "Policies");
  if (policies?.kind !== "object") {
    log.edit("SANs", "the manifest has no Policies");
    return root;
  }
  const before = log.made.length;
  const members = policies.members.map((m): JsonMember => ({ ...m, value: withSan(m.value, sans, log) }));
  if (log.made.length === before && log.problems.length === 0)
    log.edit("SANs", "no policy belongs to a workload of the service");
  return replaced(root, "Policies", { ...policies, members });
}

function withSan(entry: JsonNode, sans: SanEdits, log: Log): JsonNode {
  if (entry.kind !== "object") return entry;
  const id = member(entry, "WorkloadSecretID");
  const workload = id?.kind === "string" ? namedBy(id.value) : undefined;
  if (workload === undefined) return entry;
  const [before, after] = [sans.before(workload), sans.after(workload)];
  if (sameList(before, after)) return entry;
  const found = member(entry, "SANs");
  const names = found?.kind === "array" ? found.items.map((i) => (i.kind === "string" ? i.value : "")) : [];
  const label = `SANs of ${workload.kind} ${workload.name}`;
  if (!sameList(names, before)) {
    log.edit(label, `the CLI wrote ${JSON.stringify(names)} in place of ${JSON.stringify(before)}`);
    return entry;
  }
  log.edit(label);
  return set(entry, "SANs", { kind: "array", items: after.map(textNode), at: entry.at, offset: entry.offset });
}

const textNode = (value: string): JsonNode => ({ kind: "string", value, at: "", offset: 0 });
/** group/version/Kind/namespace/name; undefined for an id that an annotation chose freely. */
function namedBy(workloadSecretId: string): Named | undefined {
  const [, , kind, namespace, name, ...more] = workloadSecretId.split("/");
  return kind === undefined || namespace === undefined || name === undefined || more.length > 0
    ? undefined
    : { kind, namespace, name };
}

function withReferences(root: JsonObject, shape: EditShape, values: EditValues, log: Log): JsonObject {
  const all = member(root, references);
  if (all?.kind !== "object") {
    if (shape.cpus !== undefined || shape.snp.length + shape.tdx.length > 0)
      log.edit(references, "the manifest has none");
    return root;
  }
  const [snp, tdx] = [entriesOf(all, "snp"), entriesOf(all, "tdx")];
  if (snp === undefined && tdx === undefined && shape.snp.length + shape.tdx.length > 0)
    log.edit(references, "the manifest has none for SNP or TDX");
  const kept = snp === undefined ? undefined : keptSnp(snp, shape, log);
  const withSnp = kept === undefined ? all : set(all, "snp", withFields(kept, "snp", shape.snp, values.snp, log));
  const whole = tdx === undefined ? withSnp : set(withSnp, "tdx", withFields(tdx, "tdx", shape.tdx, values.tdx, log));
  return replaced(root, references, whole);
}

/** undefined: the manifest has no reference value of this TEE. */
function entriesOf(all: JsonObject, tee: "snp" | "tdx"): JsonArray | undefined {
  const entries = member(all, tee);
  return entries?.kind === "array" && entries.items.length > 0 ? entries : undefined;
}

const shows = (entry: JsonNode, name: string): string | undefined => {
  const value = entry.kind === "object" ? member(entry, name) : undefined;
  return value?.kind === "number" ? value.text : value?.kind === "string" ? value.value : undefined;
};

function keptSnp(snp: JsonArray, { cpus, removedProducts }: EditShape, log: Log): JsonArray {
  const rightCpus = cpus === undefined ? snp.items : snp.items.filter((e) => shows(e, "CPUs") === cpus);
  if (cpus !== undefined)
    log.edit(`snp: CPUs ${cpus} alone`, rightCpus.length === 0 ? "no reference value has this number" : undefined);
  const items = rightCpus.filter((e) => !removedProducts.includes(shows(e, "ProductName") ?? ""));
  for (const product of removedProducts)
    log.edit(
      `snp: ${product} removed`,
      items.length === 0 && rightCpus.length > 0 ? "no other product is left" : undefined,
    );
  return { ...snp, items };
}

function withFields<Field extends string>(
  entries: JsonArray,
  tee: string,
  demanded: readonly Field[],
  values: ReadonlyMap<Field, JsonNode>,
  log: Log,
): JsonArray {
  const fields = [...new Set([...demanded, ...values.keys()])];
  let items = entries.items;
  for (const field of fields) {
    const value = values.get(field);
    if (value === undefined) {
      log.lacksValue(`${tee}: ${field}`);
      continue;
    }
    const done = items.map((entry) => withField(entry, field, value));
    const fits = done.every((entry) => entry !== undefined);
    log.edit(`${tee}: ${field}`, fits ? undefined : "a reference value, or the field in it, is no object");
    if (fits) items = done;
  }
  return { ...entries, items };
}

/** undefined: there is no object to set it in. */
function withField(entry: JsonNode, field: string, value: JsonNode): JsonNode | undefined {
  if (entry.kind !== "object") return undefined;
  if (value.kind !== "object") return set(entry, field, value);
  const found = member(entry, field);
  if (found === undefined || found.kind === "null") return set(entry, field, value);
  if (found.kind !== "object") return undefined;
  return set(
    entry,
    field,
    value.members.reduce((object, m) => set(object, m.name, m.value), found),
  );
}
