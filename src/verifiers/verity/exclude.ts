/**
 * Which files of a commit Privatemode leaves out of a model disk (privatemode-public v1.40.0, verity/verity.sh): the list
 * is split at commas, then bash splits words and expands each as a pattern from the top of the checkout, with nullglob.
 * Not confirmed: that a pattern which names a folder takes everything below it away; pm takes it for that.
 */
import { malformed } from "../../errors.ts";

/** Patterns of a list as Privatemode writes it, in order; empty words go, as they do in a shell. */
export const excludedWords = (list: string): string[] => list.split(/[,\s]+/).filter((word) => word !== "");

/** What one place of a pattern takes: a run of characters, or one for which `takes` holds. */
type Token = "star" | { readonly takes: (c: string) => boolean };
interface Pattern {
  /** One for each folder of a path. */
  readonly parts: readonly (readonly Token[])[];
  /** Whether a dot at the beginning of a part was written. */
  readonly dots: readonly boolean[];
  /** Ends with a slash: names a folder only. */
  readonly folder: boolean;
}

const maxPatternLength = 1024;
const maxPatterns = 200;

/**
 * Tells whether a path of a file lies under one of the patterns.
 * @throws PmError PM_EVIDENCE_MALFORMED for a pattern that pm does not expand as bash does
 */
export function excluder(words: readonly string[]): (path: string) => boolean {
  if (words.length > maxPatterns) throw malformed(`exclusion list: more than ${maxPatterns} patterns`);
  const patterns = words.map(patternOf);
  return (path) => {
    const names = path.split("/");
    return patterns.some(
      ({ parts, dots, folder }) =>
        (parts.length < names.length || (parts.length === names.length && !folder)) &&
        parts.every((part, i) => {
          const name = names[i] ?? "";
          // bash, pattern matching: a dot at the beginning must be written.
          return (dots[i] === true || !name.startsWith(".")) && fits(part, [...name]);
        }),
    );
  };
}

function patternOf(word: string): Pattern {
  const refused = (why: string) => malformed(`exclusion pattern ${JSON.stringify(word)}: ${why}`);
  if (word.length > maxPatternLength) throw refused(`more than ${maxPatternLength} characters`);
  if (word.startsWith("/")) throw refused("begins with a slash: only paths inside the checkout can be left out");
  if (/[\\\s,]/.test(word))
    throw refused("holds a backslash, white space or a comma, which a shell reads in its own way");
  const names = word.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw refused("leads out of the checkout");
  if (names.length === 0) throw refused("names the checkout itself");
  return {
    parts: names.map((name) => tokensOf([...name], refused)),
    dots: names.map((name) => name.startsWith(".")),
    folder: word.endsWith("/"),
  };
}

/** No expression: with several stars those take a time that grows with a power of the name's length. */
function fits(tokens: readonly Token[], name: readonly string[]): boolean {
  let [token, at] = [0, 0];
  let back: { token: number; at: number } | undefined;
  while (at < name.length) {
    const next = tokens[token];
    if (next === "star") {
      back = { token: token + 1, at };
      token++;
    } else if (next?.takes(name[at] ?? "") === true) {
      token++;
      at++;
    } else if (back !== undefined) {
      // The last star takes one character more.
      back = { token: back.token, at: back.at + 1 };
      ({ token, at } = back);
    } else return false;
  }
  return tokens.slice(token).every((t) => t === "star");
}

function tokensOf(name: readonly string[], refused: (why: string) => Error): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < name.length; ) {
    const c = name[at] ?? "";
    const set = c === "[" ? bracketAt(name, at, refused) : undefined;
    if (set !== undefined) tokens.push({ takes: set.takes });
    else tokens.push(c === "*" ? "star" : { takes: c === "?" ? () => true : (x) => x === c });
    at = set?.end ?? at + 1;
  }
  return tokens;
}

/** undefined: a bracket without its end, which is a character like any other. */
function bracketAt(
  name: readonly string[],
  start: number,
  refused: (why: string) => Error,
): { readonly takes: (c: string) => boolean; readonly end: number } | undefined {
  const negated = name[start + 1] === "!" || name[start + 1] === "^";
  const from = start + (negated ? 2 : 1);
  // A closing bracket in the first place stands for itself.
  const end = name.indexOf("]", from + 1);
  if (end < 0) return undefined;
  const body = name.slice(from, end);
  if (body.some((c, i) => c === "[" && [".", ":", "="].includes(body[i + 1] ?? "")))
    throw refused("names a class of characters, which pm does not expand");
  const ranges: (readonly [number, number])[] = [];
  const code = (c: string | undefined): number => c?.codePointAt(0) ?? 0;
  for (let i = 0; i < body.length; i++) {
    const isRange = body[i + 1] === "-" && body[i + 2] !== undefined;
    const [low, high] = [code(body[i]), code(body[isRange ? i + 2 : i])];
    if (low > high) throw refused("holds a range that runs backwards");
    ranges.push([low, high]);
    if (isRange) i += 2;
  }
  return { takes: (c) => ranges.some(([low, high]) => code(c) >= low && code(c) <= high) !== negated, end: end + 1 };
}
