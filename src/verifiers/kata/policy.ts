/**
 * The agent policy as genpolicy writes it: the rules' text, then `policy_data := ` and one JSON document to the end.
 * What the rules do with the data is judged elsewhere; here the images that the data names are listed.
 */
import { firstRepeated, type JsonNode, member, readJson } from "../../bytes/json.ts";
import { PmError } from "../../errors.ts";
import { textParts } from "./policy-text.ts";
import { maxDocumentBytes, quoted } from "./toml.ts";
import { digestIn } from "./workload-types.ts";

/** A container of policy_data with the image that it names. */
export interface PolicyImage {
  /** Container name annotation, or the place where there is none. */
  readonly container: string;
  /** Reference as written, without what it may hold besides; undefined: the container names no image. */
  readonly image: string | undefined;
  /** The part after "@", when it is a SHA-256 in full: the guest compares no other. */
  readonly digest: string | undefined;
  /** References of the same container that name another digest. */
  readonly others: readonly string[];
  /** JSON pointer into policy_data. */
  readonly at: string;
}
export type PolicyImages =
  | { readonly kind: "listed"; readonly images: readonly PolicyImage[] }
  /** No policy_data: the policy pins no image that can be read off it. */
  | { readonly kind: "none"; readonly reason: string }
  /** policy_data that this reader and the guest's engine might not read alike. */
  | { readonly kind: "unreadable"; readonly reason: string };

export interface AgentPolicy {
  /** SHA-256 of the text before policy_data, hex: one per release and platform family. */
  readonly rulesSha256: string;
  readonly images: PolicyImages;
}

/** Whatever defines policy_data, at the start of a line and in any spelling of Rego. */
const definition = /^[ \t]*(?:default[ \t]+)?policy_data[ \t]*(?::=|=|\[|\{|\b(?:contains|if)\b)/gm;

/** Never throws: a text that is no policy has no policy_data. */
export function decodeAgentPolicy(text: string): AgentPolicy {
  const { rulesSha256, json } = textParts(text);
  const definitions = text.match(definition)?.length ?? 0;
  if (definitions === 0) return { rulesSha256, images: { kind: "none", reason: "the policy defines no policy_data" } };
  if (json === undefined || definitions > 1) {
    const reason =
      json !== undefined
        ? `${definitions} lines define policy_data; which of them holds is not said by its text alone`
        : `policy_data is not written as "policy_data :=" and one JSON document`;
    return { rulesSha256, images: { kind: "unreadable", reason } };
  }
  return { rulesSha256, images: imagesOf(json) };
}

function imagesOf(json: string): PolicyImages {
  const data = policyData(json);
  if (typeof data === "string") return { kind: "unreadable", reason: data };
  const containers = child(data, "containers");
  if (containers?.kind !== "array") return { kind: "unreadable", reason: "policy_data: containers is no list" };
  const images = containers.items.flatMap(imageOf);
  return images.length === 0
    ? { kind: "none", reason: "policy_data lists no container apart from the sandbox" }
    : { kind: "listed", images };
}

/** The document, or why it cannot be read off: Rego refuses a member that stands twice, other readers take one of them. */
function policyData(json: string): JsonNode | string {
  try {
    const { root } = readJson(Buffer.from(json), { what: "policy_data", maxBytes: maxDocumentBytes });
    const twice = firstRepeated(root);
    return twice === undefined ? root : `policy_data: a member stands twice at ${quoted(twice)}`;
  } catch (error) {
    if (error instanceof PmError) return error.message;
    throw error;
  }
}

const child = (node: JsonNode | undefined, name: string): JsonNode | undefined =>
  node?.kind === "object" ? member(node, name) : undefined;
const textOf = (node: JsonNode | undefined): string | undefined =>
  node?.kind === "string" && node.value !== "" ? node.value : undefined;

/**
 * The member `image` and the annotation are two spellings of the same fact in different releases, the storage source
 * is what the guest pulls: all that are there must name the same digest.
 */
function imageOf(container: JsonNode): PolicyImage[] {
  const annotations = child(child(container, "OCI"), "Annotations");
  const storages = child(container, "storages");
  const pulled = (storages?.kind === "array" ? storages.items : [])
    .filter((s) => textOf(child(s, "driver")) === "image_guest_pull")
    .map((s) => child(s, "source"));
  const references = [child(container, "image"), child(annotations, "io.kubernetes.cri.image-name"), ...pulled]
    .map(textOf)
    .filter((r) => r !== undefined);
  const isSandbox =
    container.at === "/containers/0" && textOf(child(annotations, "io.kubernetes.cri.container-type")) === "sandbox";
  // The sandbox container is part of the guest image and names no image of its own.
  if (isSandbox && references.length === 0) return [];
  const image = references[0];
  const digest = image === undefined ? undefined : digestIn(image);
  const name = textOf(child(annotations, "io.kubernetes.cri.container-name"));
  return [
    {
      container: name ?? (isSandbox ? "sandbox" : container.at),
      image,
      digest,
      others: references.filter((r) => digestIn(r) !== digest),
      at: container.at,
    },
  ];
}
