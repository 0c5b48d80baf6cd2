/** Hash checks in shell scripts (GNU coreutils, sha256sum; POSIX Shell Command Language), sought through, never run. */
import type { EnvVar } from "./deployment-pod.ts";

/** SHA-256 in hex: not part of a longer hex number, and not an image's digest. */
export const digest = /(?<![0-9a-fA-F])(?<!@sha256:)[0-9a-fA-F]{64}(?![0-9a-fA-F])/g;

/** A script's lines, those joined that are one command. */
export const joinedLines = (script: string): string[] =>
  script
    .replaceAll("\\\n", " ")
    .replaceAll(/(\|\||&&|\|)[ \t]*\n/g, "$1 ")
    .split("\n");

/** The script with variables in place whose value the deployment file says, or the script itself before it uses them. */
export function withKnown(script: string, env: readonly EnvVar[]): string {
  const own = [...script.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)=["']?([0-9a-fA-F]{64})["']?\s*;?\s*$/gm)];
  const values = new Map([
    ...env.flatMap((e): [string, string][] => (e.value?.unknown.length === 0 ? [[e.name, e.value.text]] : [])),
    ...own.map(([, name = "", value = ""]): [string, string] => [name, value]),
  ]);
  return script.replaceAll(/\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g, (text, braced, bare) => {
    const name = String(braced ?? bare);
    return values.get(name) ?? text;
  });
}

const tool = /\b(?:sha256sum|shasum|openssl\s+(?:dgst|sha256))\b/;

/** Why the hashes of a script are not all in it: one that is there must not stand for one that is elsewhere. */
export function elsewhereIn(script: string, env: readonly EnvVar[]): string[] {
  const found = new Set<string>();
  for (const line of joinedLines(withKnown(script, env))) {
    if (!tool.test(line)) continue;
    if (line.split(/\|\||&&|;/).some(takesList)) found.add("a list of hashes in a file");
    if (line.search(digest) < 0) found.add("a hash that is not in the deployment file");
  }
  return [...found];
}

/** `sha256sum -c FILE`; without FILE it reads its input, and echo, printf or the line itself must say what that is. */
function takesList(pipeline: string): boolean {
  const parts = pipeline.split("|");
  return parts.some((part, i) => {
    const [, rest] = /\b(?:sha256sum|shasum)\b(.*)/s.exec(part.replaceAll(/["'\\]/g, "")) ?? [];
    if (rest === undefined) return false;
    const words = wordsOf(rest);
    if (!words.some((w) => /^-[A-Za-z]*c[A-Za-z]*$/.test(w) || /^--c(h(e(c(k)?)?)?)?$/.test(w))) return false;
    const here = rest.indexOf("<<<");
    const input = here < 0 ? (parts[i - 1] ?? "") : rest.slice(here);
    const says = here < 0 ? /^(?:[\s!({]|if\b|then\b|do\b|else\b)*(?:echo|printf)\b/.test(input) : true;
    // shasum's -a takes a word; what is written to is no operand.
    const operands = wordsOf(
      (here < 0 ? rest : rest.slice(0, here))
        .replace(/(^|\s)(?:-a|--algorithm)\s*=?\s*256(?=\s|$)/, " ")
        .replaceAll(/[0-9&]*>+&?\s*\S+/g, " "),
    );
    return operands.some((w) => !w.startsWith("-")) || !says || /[$`]/.test(input) || input.search(digest) < 0;
  });
}
/** Without the brackets of a subshell and the words that end a condition. */
const wordsOf = (text: string): string[] => text.split(/[\s()`{}]+/).filter((w) => w !== "");
