/** Arguments of a container: those of a known program read strictly, those of any command sought through loosely. */
import type { Container, EnvVar } from "./deployment-pod.ts";
import { replaced } from "./safety-paths.ts";
import type { ProgramRole, Recognised, SafetyCase, Switch } from "./safety-types.ts";
import { textsOf, unknownOf } from "./workload-types.ts";

export type Words = { readonly words: readonly string[] } | { readonly reason: string };

/**
 * The words that the role's program is started with. A command of the container's own must be that program, or a shell
 * that does nothing but the known lines and `exec PROGRAM "$@"`; behind any other command no argument means anything.
 */
export function argumentsOf(c: SafetyCase, container: Container, role: ProgramRole): Words {
  const reason = besideProgram(c, container, role);
  if (reason !== undefined) return { reason };
  const command = container.command ?? [];
  const args = container.args ?? [];
  const unknown = unknownOf([...command, ...args]);
  if (unknown.length > 0) return { reason: `not in the deployment file: the value of ${unknown.join(", ")}` };
  const given = textsOf(args);
  const [program, ...rest] = textsOf(command);
  if (program === undefined) return { words: given };
  if (role.programs.includes(program)) return { words: [...rest, ...given] };
  const [option = "", script = "", zero, ...more] = rest;
  const lines = script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const last = lines.pop();
  const wrapped =
    ["/bin/sh", "/bin/bash"].includes(program) &&
    /^-[eu]*c$/.test(option) &&
    zero !== undefined &&
    role.programs.some((path) => last === `exec ${path} "$@"`) &&
    lines.every((line) => role.preludes.includes(line));
  return wrapped ? { words: [...more, ...given] } : { reason: `a command that the rules do not know: ${program}` };
}

/** Why the arguments do not tell what runs: something else runs, too, or another program in the program's place. */
function besideProgram(c: SafetyCase, container: Container, role: ProgramRole): string | undefined {
  const { execCommands, env, envFrom } = container;
  const loader = env.filter((e) => e.name.startsWith("LD_")).map((e) => e.name);
  const mounts = replaced(c, container, role.programs);
  if (execCommands.length > 0)
    return `a hook or probe runs another command: ${execCommands.map((words) => words.join(" ")).join("; ")}`;
  if (loader.length > 0) return `a variable tells the loader what to load: ${loader.join(", ")}`;
  if (envFrom) return "envFrom: a variable may tell the loader what to load";
  return mounts.length > 0 ? `the host may put another program there: ${mounts.join(", ")}` : undefined;
}

interface Flag {
  readonly name: string;
  readonly value: string | undefined;
  /** Every reader of arguments takes it for a flag. */
  readonly certain: boolean;
}

/** Behind `--` or a word that is no flag, some readers see no flags; behind a flag without a value it may be that value. */
function flagsOf(words: readonly string[]): Flag[] {
  const flags: Flag[] = [];
  let certain = true;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (!word.startsWith("-") || word === "-" || word === "--") {
      certain = false;
      continue;
    }
    const before = words[i - 1];
    const free = before?.startsWith("-") !== true || before.includes("=");
    const equals = word.indexOf("=");
    const next = words[i + 1];
    const takes = equals < 0 && next !== undefined && !next.startsWith("-");
    flags.push({
      name: equals < 0 ? word : word.slice(0, equals),
      value: equals >= 0 ? word.slice(equals + 1) : takes ? next : undefined,
      certain: certain && free,
    });
    if (takes) i++;
  }
  return flags;
}

const loose = (name: string): string => name.replace(/^-+/, "").replaceAll(/[-_]/g, "").toLowerCase();

export interface Values {
  /** Of each occurrence, in any spelling, an absent one as the empty text. */
  readonly values: readonly string[];
  readonly state: "given" | "missing" | "doubtful";
}

/** Given: in the exact spelling, where no reader takes it for something else. */
export function valuesOf(words: readonly string[], names: readonly string[]): Values {
  const found = flagsOf(words).filter((f) => names.some((name) => loose(name) === loose(f.name)));
  const exact = found.filter((f) => names.includes(f.name));
  const state = exact.length === 0 ? "missing" : exact.some((f) => f.certain) ? "given" : "doubtful";
  return { values: found.map((f) => f.value ?? ""), state };
}

/** Flags in the words that are none of these. */
export const strangeWords = (words: readonly string[], names: readonly string[]): string[] => {
  const known = flagsOf(words).filter((f) => names.includes(f.name));
  return words.filter((w) => !known.some((f) => w === f.name || w === `${f.name}=${f.value}` || w === f.value));
};

/** The variables that a process gets, as far as files say: those of the image, and over them the container's own. */
export function envOf({ container, config }: Recognised): EnvVar[] {
  const own = new Set(container.env.map((e) => e.name));
  const image = (config?.env ?? []).map((text): EnvVar => {
    const [name = ""] = text.split("=", 1);
    return { name, value: { text: text.slice(name.length + 1), unknown: [] } };
  });
  return [...image.filter((e) => !own.has(e.name)), ...container.env];
}

/** Texts of a container in which a switch can stand: command and arguments, hooks and probes, and what a shell fills in. */
export function textsIn(x: Recognised): { readonly run: readonly string[]; readonly env: readonly string[] } {
  const { command, args, execCommands } = x.container;
  // Kubernetes: a command replaces entry point and arguments of the image, args alone replace its arguments.
  const start = command === undefined ? (x.config?.entrypoint ?? []) : [];
  const rest = command === undefined && args === undefined ? (x.config?.cmd ?? []) : [];
  return {
    run: [...start, ...rest, ...textsOf([...(command ?? []), ...(args ?? [])]), ...execCommands.flat()],
    env: envOf(x).map((e) => e.value?.text ?? ""),
  };
}

/** Names that Kubernetes puts into command or arguments, and whose value is not in the deployment file. */
export const unknownIn = ({ container: { command, args } }: Recognised): string[] =>
  unknownOf([...(command ?? []), ...(args ?? [])]);

/** Names whose value is not in the deployment file, and which Kubernetes or a shell puts into what runs. */
export function hiddenIn(x: Recognised): string[] {
  const { env, envFrom } = x.container;
  const run = textsIn(x).run.join("\n");
  const named = (name: string): boolean => new RegExp(`\\$\\{?[!#]?${escaped(name)}(?![A-Za-z0-9_])`).test(run);
  return [
    ...unknownIn(x),
    ...env.filter((e) => e.value?.unknown.length !== 0 && named(e.name)).map((e) => e.name),
    ...(envFrom && /\$\{?[!#]?[A-Za-z_]/.test(run) ? ["envFrom"] : []),
  ];
}
const escaped = (name: string): string => name.replaceAll(/[^A-Za-z0-9_]/g, "\\$&");

/** All words of a container's texts, those inside a shell's script too. */
export const tokensOf = (x: Recognised): string[] => {
  const { run, env } = textsIn(x);
  return tokensIn([...run, ...env]);
};

/** Words without the shell's quoting. */
export const tokensIn = (texts: readonly string[]): string[] =>
  texts.flatMap((text) =>
    text
      .replaceAll("\\\n", "")
      .replaceAll(/["'\\]/g, "")
      .split(/[\s;|&()<>`]+/)
      .filter((word) => word !== ""),
  );

const spelled = (name: string): string => name.replace(/^-+/, "").replaceAll("_", "-").toLowerCase();

/** Occurrences of a switch, whichever way it is spelt; a flag may be abbreviated, as Python's argparse permits. */
export function switchedOn(tokens: readonly string[], flags: readonly Switch[], env: readonly Switch[]): string[] {
  return tokens.flatMap((token, i) => {
    const equals = token.indexOf("=");
    const name = equals < 0 ? token : token.slice(0, equals);
    const value = equals < 0 ? tokens[i + 1] : token.slice(equals + 1);
    const short = spelled(name);
    const on = token.startsWith("-")
      ? flags.some((f) => short.length >= 3 && spelled(f.name).startsWith(short) && takesValue(f, value))
      : equals > 0 && env.some((e) => e.name === name && takesValue(e, value));
    return on ? [token] : [];
  });
}

/** A value that only the shell knows counts as one that switches on. */
export const takesValue = ({ values }: Switch, value: string | undefined): boolean =>
  values === undefined || value === undefined || value.includes("$") || values.includes(value.toLowerCase());
