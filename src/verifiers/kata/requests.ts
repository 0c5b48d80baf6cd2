/** Request defaults of a policy: what the host may do to the pod beyond creating its containers (genpolicy). */
import { type Answers, cannot, equal, graded, holds, specified } from "../../claims/answer.ts";
import type { Tree } from "./tree.ts";
import type { workload } from "./workload-claims.ts";
import { listText, type References, shownIn, sortedText } from "./workload-types.ts";

type A = Answers<typeof workload>;
type Requests = Pick<
  A,
  | "kata.requests.exec"
  | "kata.requests.copy"
  | "kata.requests.env_regex"
  | "kata.requests.others"
  | "kata.requests.logs"
>;

const byDefault = (value: string, section: string) => specified(value, "Kata Containers, genpolicy", section);
const at = (name: string): string => `/request_defaults/${name}`;

/** @param defaults policy_data.request_defaults */
export function requestAnswers(defaults: Tree | undefined, references: References): Requests {
  if (defaults === undefined) {
    const answer = cannot("policy_data has no request_defaults");
    return {
      "kata.requests.exec": answer,
      "kata.requests.copy": answer,
      "kata.requests.env_regex": answer,
      "kata.requests.others": answer,
      "kata.requests.logs": answer,
    };
  }
  return {
    "kata.requests.exec": exec(defaults),
    "kata.requests.copy": copy(defaults),
    "kata.requests.env_regex": envRegex(defaults, references),
    "kata.requests.others": others(defaults),
    "kata.requests.logs": graded(logs(defaults), "weaker"),
  };
}

/** Whatever the members are called in a release: a text or a `true` among them allows something. */
function exec(defaults: Tree): Requests["kata.requests.exec"] {
  const name = "ExecProcessRequest";
  const found = defaults.get(name);
  if (found === undefined) return cannot(`request_defaults has no ${name}`);
  return equal(byDefault("[]", name), shownIn(listText(leaves(found)), at(name)), "exec-allowed");
}

function leaves(tree: Tree, top = true): string[] {
  const { node } = tree;
  switch (node.kind) {
    case "array":
      return tree.items().flatMap((item) => leaves(item, false));
    case "object":
      // Further down a name may be what is allowed.
      return tree.members().flatMap((m) => [...(top ? [] : [m.name]), ...leaves(m.value, false)]);
    case "string":
      return [node.value];
    case "number":
      return [node.text];
    case "boolean":
      return node.value ? ["true"] : [];
    case "null":
      return [];
    default:
      return node satisfies never;
  }
}

function copy(defaults: Tree): Requests["kata.requests.copy"] {
  const name = "CopyFileRequest";
  const found = defaults.get(name);
  if (found === undefined) return cannot(`request_defaults has no ${name}`);
  const shared = "$(sfprefix)";
  const paths = leaves(found);
  return holds(
    paths.every((path) => path === shared),
    byDefault(`${listText([shared])}, or nothing`, name),
    shownIn(listText(paths), at(name)),
    "copy-open",
  );
}

/** genpolicy's own: the pod's name, service links of Kubernetes, Azure's workload identity, the terminal. */
const knownPatterns: ReadonlySet<string> = new Set([
  "^HOSTNAME=$(dns_label)$",
  "^$(svc_name)_PORT_$(ip_p)_TCP=tcp://$(ipv4_a):$(ip_p)$",
  "^$(svc_name)_PORT_$(ip_p)_TCP_PROTO=tcp$",
  "^$(svc_name)_PORT_$(ip_p)_TCP_PORT=$(ip_p)$",
  "^$(svc_name)_PORT_$(ip_p)_TCP_ADDR=$(ipv4_a)$",
  "^$(svc_name)_SERVICE_HOST=$(ipv4_a)$",
  "^$(svc_name)_SERVICE_PORT=$(ip_p)$",
  "^$(svc_name)_SERVICE_PORT_$(dns_label)=$(ip_p)$",
  "^$(svc_name)_PORT=tcp://$(ipv4_a):$(ip_p)$",
  "^AZURE_CLIENT_ID=[A-Fa-f0-9-]*$",
  "^AZURE_TENANT_ID=[A-Fa-f0-9-]*$",
  "^AZURE_FEDERATED_TOKEN_FILE=/var/run/secrets/azure/tokens/azure-identity-token$",
  "^AZURE_AUTHORITY_HOST=https://login\\.microsoftonline\\.com/$",
  "^TERM=xterm$",
]);

/** A pattern that is not held at both ends, or that holds "any character, any number of times". */
export const isOpenPattern = (pattern: string): boolean =>
  !pattern.startsWith("^") || !/(?<!\\)\$$/.test(pattern) || /(?<!\\)\.[*+{]|\[\^|\\[SWDs]|\|/.test(pattern);

function envRegex(defaults: Tree, { envRegexes }: References): Requests["kata.requests.env_regex"] {
  const place = "CreateContainerRequest";
  const found = defaults.get(place)?.strings("allow_env_regex");
  if (found === undefined) return cannot(`request_defaults has no ${place}.allow_env_regex`);
  const unknown = found.filter((p) => !knownPatterns.has(p) && !envRegexes.includes(p));
  return holds(
    unknown.length === 0,
    byDefault(sortedText(found.filter((p) => !unknown.includes(p))), `${place}, allow_env_regex`),
    shownIn(sortedText(found), `${at(place)}/allow_env_regex`),
    unknown.some(isOpenPattern) ? "env-regex-open" : "env-regex-unknown",
    unknown
      .map((p) => `${p} lets the host set ${isOpenPattern(p) ? "anything it matches, without bound" : "this"}`)
      .join("; "),
  );
}

const readStream = "ReadStreamRequest";

/** Members that are no plain yes or no. */
const composed = [
  "CreateContainerRequest",
  "CopyFileRequest",
  "ExecProcessRequest",
  "UpdateInterfaceRequest",
  "UpdateRoutesRequest",
  "AddARPNeighborsRequest",
];

/** What the rules may read and pm does not: a request in another form than a truth value, a further default of creation. */
function unknownMembers(defaults: Tree): string[] {
  const creation = defaults.get("CreateContainerRequest")?.members() ?? [];
  return [
    ...defaults.members().filter((m) => m.value.node.kind !== "boolean" && !composed.includes(m.name)),
    ...creation.filter((m) => m.name !== "allow_env_regex"),
  ].map((m) => m.value.at);
}

function others(defaults: Tree): Requests["kata.requests.others"] {
  const flags = defaults.members().filter((m) => m.value.node.kind === "boolean" && m.name !== readStream);
  if (!flags.some((m) => m.name === "WriteStreamRequest")) return cannot("request_defaults has no WriteStreamRequest");
  const allowed = flags.filter((m) => m.value.boolean()).map((m) => m.name);
  const unknown = unknownMembers(defaults);
  if (allowed.length === 0 && unknown.length > 0)
    return cannot(`members that pm does not know: ${unknown.slice(0, 16).join(", ")}`, "request-unknown");
  return equal(
    byDefault("[]", "request_defaults"),
    shownIn(sortedText(allowed), "/request_defaults"),
    "request-allowed",
  );
}

function logs(defaults: Tree): Requests["kata.requests.logs"] {
  const flag = defaults.flag(readStream);
  if (flag === undefined) return cannot(`request_defaults has no ${readStream}`);
  return equal(byDefault("false", readStream), shownIn(String(flag), at(readStream)), "logs-readable");
}
