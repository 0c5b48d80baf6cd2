/** Arguments of a container: those of a known program read strictly, those of any command sought through loosely. */
import type { Container } from "./deployment-pod.ts";
import type { ProgramRole, Switch } from "./safety-types.ts";
import { textsOf, unknownOf } from "./workload-types.ts";

export type Words = { readonly words: readonly string[] } | { readonly reason: string };

/**
 * The words that the role's program is started with. A command of the container's own must be that program, or a shell
 * that does nothing but the known lines and `exec PROGRAM "$@"`; behind any other command no argument means anything.
 */
export function argumentsOf(container: Container, role: ProgramRole): Words {
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

/** All words of a container's command, those inside a shell's script too, without the shell's quoting. */
export const tokensOf = ({ command, args }: Container): string[] =>
  textsOf([...(command ?? []), ...(args ?? [])]).flatMap((text) =>
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
