/**
 * What Privatemode publishes about its model disks: models.yaml (ConfigMap `model-disks`, each value of its data a JSON
 * text), and the annotations of StorageClasses that older releases used (verity note, section 6). It is the audited
 * party's word, whoever holds the file.
 */
import { type JsonNode, type JsonObject, member, type Place, readJson, repeated } from "../../bytes/json.ts";
import { readYaml, type YamlText } from "../../bytes/yaml.ts";
import { malformed, type PmError } from "../../errors.ts";

export interface ModelEntry {
  /** Key of the ConfigMap's data, or the StorageClass's name: no identity, two sources can share one. */
  readonly name: string;
  readonly source: string;
  /** Lower-case hex. */
  readonly commit: string;
  /** Patterns of files that are not on the disk, comma separated; may be empty. */
  readonly excluded: string;
  /** Lower-case hex. */
  readonly rootHash: string;
  /** Bytes before the verity superblock; undefined: this form does not say. */
  readonly hashOffset: number | undefined;
  /** What the builder's mkfs.erofs said of itself: 1.9 stands for two layouts. */
  readonly erofsVersion: string | undefined;
  readonly where: string;
}
export type ModelsForm = "models" | "storage-classes";
export interface ModelsFile {
  readonly form: ModelsForm;
  /** At least one; each root hash once. */
  readonly entries: readonly ModelEntry[];
  /** Members and annotations that pm does not know. */
  readonly unknown: readonly { readonly name: string; readonly where: string }[];
}

const modelsCode = "models-malformed";
const maxModelsBytes = 4 * 1024 * 1024;
const blockBytes = 4096;

/**
 * @param name of the file, for messages
 * @throws PmError models-malformed with file and line
 */
export function decodeModels(bytes: Uint8Array, name: string, form: ModelsForm): ModelsFile {
  const text = readYaml(bytes, { what: name, reasonCode: modelsCode, maxBytes: maxModelsBytes });
  const reader = new ModelsReader(name, text.place, new TextDecoder().decode(bytes));
  const entries = form === "models" ? reader.configMap(text) : reader.storageClasses(text);
  const roots = new Map<string, ModelEntry>();
  for (const entry of entries) {
    const other = roots.get(entry.rootHash);
    // Which of two commits a disk holds would then be anybody's choice.
    if (other !== undefined)
      throw malformed(`${name}: ${entry.where}: root_hash ${entry.rootHash} stands at ${other.where}, too`, modelsCode);
    roots.set(entry.rootHash, entry);
  }
  if (entries.length === 0) throw malformed(`${name}: holds no model`, "models-empty");
  return { form, entries, unknown: reader.unknown };
}

const optionalMembers = ["erofs_version", "veritysetup_version", "file_hash_sha256"] as const;
const members: ReadonlySet<string> = new Set([
  ...["model_source", "commit_hash", "excluded_files", "root_hash", "hash_offset"],
  ...optionalMembers,
]);
const annotationPrefix = "privatemode.edgeless.systems/";
const annotations: ReadonlySet<string> = new Set([
  ...["model_source", "commit_hash", "excluded_files", "root_hash", "disk_size_gb"],
]);

/** A text of the file with where it stands. */
interface Said {
  readonly value: string;
  readonly where: string;
}
type Fields = ReadonlyMap<string, Said>;

class ModelsReader {
  readonly unknown: { name: string; where: string }[] = [];
  readonly #name: string;
  readonly #place: (offset: number) => Place;
  readonly #text: string;

  constructor(name: string, place: (offset: number) => Place, text: string) {
    this.#name = name;
    this.#place = place;
    this.#text = text;
  }

  configMap({ documents }: YamlText): ModelEntry[] {
    const maps = documents.map((d) => this.#object(d.root)).filter((o) => this.#kind(o) === "v1 ConfigMap");
    const named = maps.filter((o) => this.#label(o) === "model-disks");
    const [map, ...more] = named;
    if (map === undefined) throw this.#fail("no ConfigMap model-disks");
    if (more.length > 0) throw this.#fail(`${named.length} ConfigMaps model-disks`);
    const binary = member(map, "binaryData");
    if (binary !== undefined) throw this.#fail(`${this.#where(binary)}: binaryData is not read`);
    const data = member(map, "data");
    if (data === undefined || data.kind === "null") return [];
    return this.#object(data).members.map(({ name, value }) => {
      const entry = this.#json(value);
      return this.#entry(name, entry, this.#where(value), "models");
    });
  }

  storageClasses({ documents }: YamlText): ModelEntry[] {
    const classes = documents
      .flatMap((d) => this.#listed(this.#object(d.root)))
      .filter((o) => this.#kind(o) === "storage.k8s.io/v1 StorageClass");
    return classes.flatMap((o) => {
      const noted = member(this.#metadata(o), "annotations");
      if (noted === undefined || noted.kind === "null") return [];
      const own = this.#object(noted).members.filter((m) => m.name.startsWith(annotationPrefix));
      // A class of another kind of storage.
      if (own.length === 0) return [];
      const fields = new Map(
        own.map((m) => {
          const name = m.name.slice(annotationPrefix.length);
          const where = this.#where(m.value);
          if (!annotations.has(name)) this.unknown.push({ name: m.name, where });
          return [name, { value: this.#string(m.value), where }] as const;
        }),
      );
      return [this.#entry(this.#label(o) ?? "", fields, this.#where(noted), "storage-classes")];
    });
  }

  #entry(name: string, fields: Fields, where: string, form: ModelsForm): ModelEntry {
    const said = (field: string): Said => {
      const found = fields.get(field);
      if (found === undefined) throw this.#fail(`${where}: no ${field}`);
      return found;
    };
    const matching = (field: string, form: RegExp, wanted: string): string => {
      const { value, where: at } = said(field);
      if (!form.test(value)) throw this.#fail(`${at}: ${field}: not ${wanted}`);
      return value;
    };
    if (name === "") throw this.#fail(`${where}: an entry without a name`);
    return {
      name,
      source: matching("model_source", /\S/, "a model's source"),
      commit: matching("commit_hash", /^([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/, "40 or 64 hex digits").toLowerCase(),
      // An absent annotation excludes nothing; models.yaml always has the member.
      excluded: form === "models" ? said("excluded_files").value : (fields.get("excluded_files")?.value ?? ""),
      rootHash: matching("root_hash", /^[0-9a-fA-F]{64}$/, "64 hex digits").toLowerCase(),
      hashOffset: form === "models" ? this.#hashOffset(said("hash_offset")) : undefined,
      erofsVersion: fields.get("erofs_version")?.value,
      where,
    };
  }

  #hashOffset({ value, where }: Said): number {
    if (!/^[1-9][0-9]{0,15}$/.test(value) || !Number.isSafeInteger(Number(value)))
      throw this.#fail(`${where}: hash_offset: not a number of bytes in decimal digits`);
    if (Number(value) % blockBytes !== 0) throw this.#fail(`${where}: hash_offset: ${value} is no multiple of 4096`);
    return Number(value);
  }

  /** A JSON text in the YAML file: its members with their lines. */
  #json(node: JsonNode): Fields {
    const at = this.#where(node);
    const what = `${this.#name}: ${at}, JSON text`;
    const { root, place } = readJson(new TextEncoder().encode(this.#string(node)), { what, reasonCode: modelsCode });
    if (root.kind !== "object") throw this.#fail(`${at}: not a JSON object`);
    const [twice] = repeated(root);
    if (twice !== undefined) throw this.#fail(`${at}: member ${JSON.stringify(twice.name)} stands there twice`);
    const { line } = this.#place(node.offset);
    // In a literal block the lines of the JSON text are the file's own.
    const literal = this.#text[node.offset] === "|";
    const whereOf = (offset: number): string => {
      const inner = place(offset);
      return literal ? `line ${line + inner.line}, ${node.at}` : `${at}, line ${inner.line} of the JSON text`;
    };
    return new Map(
      root.members.map(({ name, value, offset }) => {
        const where = whereOf(offset);
        if (!members.has(name)) this.unknown.push({ name, where });
        else if (value.kind !== "string") throw this.#fail(`${where}: ${name}: needs a text`);
        return [name, { value: value.kind === "string" ? value.value : "", where }] as const;
      }),
    );
  }

  /** A List holds objects, and no further lists. */
  #listed(o: JsonObject): JsonObject[] {
    const items = this.#kind(o) === "v1 List" ? member(o, "items") : undefined;
    if (items === undefined) return [o];
    if (items.kind !== "array") throw this.#fail(`${this.#where(items)}: needs a list`);
    return items.items.map((i) => this.#object(i));
  }

  #kind(o: JsonObject): string {
    const [version, kind] = ["apiVersion", "kind"].map((name) => {
      const found = member(o, name);
      if (found === undefined) throw this.#fail(`${this.#where(o)}: no ${name}`);
      return this.#string(found);
    });
    return `${version} ${kind}`;
  }
  #metadata(o: JsonObject): JsonObject {
    const found = member(o, "metadata");
    if (found === undefined) throw this.#fail(`${this.#where(o)}: no metadata`);
    return this.#object(found);
  }
  #label(o: JsonObject): string | undefined {
    const name = member(this.#metadata(o), "name");
    return name === undefined ? undefined : this.#string(name);
  }
  #object(node: JsonNode): JsonObject {
    if (node.kind !== "object") throw this.#fail(`${this.#where(node)}: needs an object`);
    return node;
  }
  #string(node: JsonNode): string {
    if (node.kind !== "string") throw this.#fail(`${this.#where(node)}: needs a text`);
    return node.value;
  }
  #where(node: JsonNode): string {
    return `line ${this.#place(node.offset).line}, ${node.at || "/"}`;
  }
  #fail(problem: string): PmError {
    return malformed(`${this.#name}: ${problem}`, modelsCode);
  }
}
