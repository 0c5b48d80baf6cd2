/** A container's process: arguments, environment, user, working directory, probes (genpolicy, OCI.Process). */
import { type Answers, broken, cannot, equal, holds } from "../../claims/answer.ts";
import type { container } from "./workload-claims.ts";
import { type ContainerCase, initializer, listText, sortedText, textsOf, unknownOf } from "./workload-types.ts";

type A = Answers<typeof container>;

const noConfig = (c: ContainerCase): string =>
  `the image's configuration was not given: --image-config ${c.yaml.image}=FILE`;

/**
 * For a word with this placeholder public rules of genpolicy take any text, not only a node's name; that the rules of
 * Contrast v1.20 do so is not confirmed.
 */
const anyNode = "$(node-name)";

export function args(c: ContainerCase): A["kata.container.args"] {
  const { yaml, policy, config } = c;
  if (policy.args === undefined) return cannot("the policy has no Args for this container");
  const values = [...(yaml.command ?? []), ...(yaml.args ?? [])];
  const unknown = unknownOf(values);
  if (unknown.length > 0)
    return cannot(`not in the deployment file: the value of ${unknown.join(", ")}`, "args-unknown");
  const place = `${policy.at}/OCI/Process/Args`;
  const open = policy.args.filter((word) => word.includes(anyNode));
  if (open.length > 0) return broken(`the host chooses the whole word: ${listText(open)}`, "args-open");
  if (yaml.command === undefined && config === undefined) {
    // Whatever the entry point is, the file's own arguments stand behind it: other ones are a no already.
    const own = listText(textsOf(values));
    const tail = listText(policy.args.slice(Math.max(0, policy.args.length - values.length)));
    const ends = equal(c.said(own), c.shown(tail, `${place}, last ${values.length}`), "args-differ");
    return ends.status === "fail" ? ends : cannot(noConfig(c), "args-unknown");
  }
  // Kubernetes: a command replaces entry point and arguments of the image, args alone replace its arguments.
  const image =
    yaml.command !== undefined
      ? []
      : [...(config?.config.entrypoint ?? []), ...(yaml.args === undefined ? (config?.config.cmd ?? []) : [])];
  const expected = [...image, ...textsOf(values)];
  return equal(
    c.said(listText(expected), image.length > 0 ? `${yaml.where}, entry point of ${config?.name}` : undefined),
    c.shown(listText(policy.args), place),
    "args-differ",
  );
}

/** What containerd gives to a process whose image sets no PATH; placeholders are genpolicy's. */
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const hostNames = ["HOSTNAME=$(host-name)", "HOSTNAME=$(sandbox-name)"];
const nameOf = (variable: string): string => variable.split("=", 1)[0] ?? "";

export function env(c: ContainerCase): A["kata.container.env"] {
  const { yaml, policy, config } = c;
  const actual = policy.env;
  if (actual === undefined) return cannot("the policy has no Env for this container");
  const own = new Set(yaml.env.map((e) => e.name));
  const image = (config?.config.env ?? []).filter((v) => !own.has(nameOf(v)));
  const stated = [
    ...image,
    ...yaml.env.flatMap((e) => (e.value?.unknown.length === 0 ? [`${e.name}=${e.value.text}`] : [])),
  ];
  const named = new Set([...stated.map(nameOf), ...own]);
  const rest = actual.filter((v) => !named.has(nameOf(v)));
  const added = addedByRuntime(c, named);
  // A value that the file does not hold cannot differ; a variable of an image that was not given cannot be told.
  const open = actual.filter((v) => own.has(nameOf(v)) && !stated.some((s) => nameOf(s) === nameOf(v)));
  const strange = rest.filter((v) => !added.includes(v));
  const untold = config === undefined || yaml.envFrom ? strange : [];
  const expected = [...stated, ...open, ...rest.filter((v) => added.includes(v)), ...untold];
  const missing = [...stated.filter((v) => !actual.some((a) => nameOf(a) === nameOf(v))), ...unsetOf(c, actual)];
  const doubled = actual.filter((v, i) => actual.findIndex((a) => nameOf(a) === nameOf(v)) !== i);
  const differing = stated.filter((v) => !missing.includes(v) && !actual.includes(v));
  const [code, list] =
    missing.length > 0
      ? (["env-missing", missing] as const)
      : differing.length > 0 || doubled.length > 0
        ? (["env-differs", [...differing, ...doubled]] as const)
        : (["env-surplus", strange] as const);
  const shown = c.shown(sortedText(actual), `${policy.at}/OCI/Process/Env`);
  const sources = config === undefined ? undefined : `${yaml.where}, environment of ${config.name}`;
  const answer = holds(
    missing.length === 0 && doubled.length === 0 && sortedText(expected) === shown.value,
    c.said(sortedText([...new Set([...expected, ...missing])]), sources),
    shown,
    code,
    list.join(", "),
  );
  if (answer.status !== "pass") return answer;
  if (open.length > 0)
    return cannot(`not in the deployment file: the value of ${open.map(nameOf).join(", ")}`, "env-unknown");
  // Without the image's configuration nobody knows whether a variable of the image is missing.
  if (untold.length > 0 || config === undefined || yaml.envFrom)
    return cannot(
      `${yaml.envFrom ? "envFrom" : noConfig(c)}; not explained: ${untold.join(", ") || "none"}`,
      "env-unknown",
    );
  return answer;
}

/** Variables of the file whose value is not in it must at least be named. */
const unsetOf = ({ yaml }: ContainerCase, actual: readonly string[]): string[] =>
  yaml.env
    .filter((e) => e.value?.unknown.length !== 0 && !actual.some((a) => nameOf(a) === e.name))
    .map((e) => `${e.name}=(${e.from ?? "a value of elsewhere"})`);

function addedByRuntime({ yaml, config }: ContainerCase, named: ReadonlySet<string>): string[] {
  return [
    ...(config !== undefined && named.has("PATH") ? [] : [defaultPath]),
    ...hostNames,
    ...(yaml.tty ? ["TERM=xterm"] : []),
    ...(yaml.name === initializer.name ? [initializer.env] : []),
  ];
}

export function user(c: ContainerCase): A["kata.container.user"] {
  const { yaml, policy, config } = c;
  if (policy.uid === undefined || policy.gid === undefined) return cannot("the policy has no User for this container");
  const image = config === undefined ? undefined : numericUser(config.config.user);
  const uid = yaml.security.runAsUser ?? image?.uid;
  const gid = yaml.security.runAsGroup ?? (yaml.security.runAsUser === undefined ? image?.gid : undefined);
  if (uid === undefined)
    return cannot(
      config === undefined ? noConfig(c) : `the image names its user by a name: ${config.config.user}`,
      "user-unknown",
    );
  const text = (u: number, g: number): string => (gid === undefined ? `UID ${u}` : `UID ${u}, GID ${g}`);
  return equal(
    c.said(text(uid, gid ?? 0), yaml.security.runAsUser === undefined ? `user of ${config?.name}` : undefined),
    c.shown(text(policy.uid, policy.gid), `${policy.at}/OCI/Process/User`),
    "user-differs",
  );
}

/** The image's own files say which number a name has; root is 0 everywhere. */
function numericUser(user: string): { readonly uid: number; readonly gid: number | undefined } | undefined {
  if (user === "" || user === "root") return { uid: 0, gid: undefined };
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(user) ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: gid === undefined ? undefined : Number(gid) };
}

export function cwd(c: ContainerCase): A["kata.container.cwd"] {
  const { yaml, policy, config } = c;
  if (policy.cwd === undefined) return cannot("the policy has no Cwd for this container");
  const expected = yaml.workingDir ?? config?.config.workingDir;
  if (expected === undefined) return cannot(noConfig(c), "cwd-unknown");
  return equal(
    c.said(expected, yaml.workingDir === undefined ? `working directory of ${config?.name}` : undefined),
    c.shown(policy.cwd, `${policy.at}/OCI/Process/Cwd`),
    "cwd-differs",
  );
}

/** Older policies hold a command as its words joined by spaces, and their rules compare it so. */
export function exec(c: ContainerCase): A["kata.container.exec"] {
  const { yaml, policy } = c;
  if (policy.execCommands === undefined) return cannot("the policy has no exec_commands for this container");
  const joined = new Map(yaml.execCommands.map((words) => [words.join(" "), listText(words)]));
  const actual = policy.execCommands.map((command) =>
    typeof command === "string" ? (joined.get(command) ?? JSON.stringify(command)) : listText(command),
  );
  const once = (list: readonly string[]): string => sortedText([...new Set(list)]);
  return equal(
    c.said(once(yaml.execCommands.map(listText))),
    c.shown(once(actual), `${policy.at}/exec_commands`),
    "exec-commands-differ",
  );
}
