/**
 * A text that a simple anchored regular expression matches: literals, classes, groups, the first alternative, as few
 * repetitions as are allowed. A guess and no proof: the engine says whether the policy takes it.
 */

const longest = 8192;
const deepest = 32;

/** undefined: too long, too deep, or written in a way that this reader does not know. */
export function sample(pattern: string): string | undefined {
  if (pattern.length > longest) return undefined;
  const reader = new Sampler(pattern);
  const text = reader.alternatives(0);
  return text !== undefined && reader.atEnd && text.length <= longest ? text : undefined;
}

/** The position in a pattern; each method leaves it behind what it read. */
class Sampler {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get atEnd(): boolean {
    return this.#at === this.#pattern.length;
  }
  get #next(): string | undefined {
    return this.#pattern[this.#at];
  }

  alternatives(depth: number): string | undefined {
    if (depth > deepest) return undefined;
    const first = this.#sequence(depth);
    while (this.#next === "|") {
      this.#at++;
      if (this.#sequence(depth) === undefined) return undefined;
    }
    return first;
  }

  #sequence(depth: number): string | undefined {
    let text = "";
    while (this.#next !== undefined && this.#next !== "|" && this.#next !== ")") {
      const one = this.#atom(depth);
      if (one === undefined) return undefined;
      const times = this.#repetitions();
      if (times * one.length + text.length > longest) return undefined;
      text += one.repeat(times);
    }
    return text;
  }

  #repetitions(): number {
    const counted = /\{(\d{1,4})(?:,\d{0,4})?\}\??|[?*]\??|\+\??/y;
    counted.lastIndex = this.#at;
    const found = counted.exec(this.#pattern);
    if (found === null) return 1;
    this.#at = counted.lastIndex;
    return found[1] !== undefined ? Number(found[1]) : found[0].startsWith("+") ? 1 : 0;
  }

  #atom(depth: number): string | undefined {
    const c = this.#next;
    this.#at++;
    switch (c) {
      case "^":
      case "$":
        return "";
      case "(":
        return this.#group(depth);
      case "[":
        return this.#class();
      case "\\":
        return this.#escaped();
      case ".":
        return "x";
      case "*":
      case "+":
      case "?":
        return undefined;
      default:
        return c;
    }
  }

  #group(depth: number): string | undefined {
    const plain = /\?:|\?P?<\w+>/y;
    plain.lastIndex = this.#at;
    if (plain.test(this.#pattern)) this.#at = plain.lastIndex;
    else if (this.#next === "?") return undefined;
    const text = this.alternatives(depth + 1);
    if (this.#next !== ")") return undefined;
    this.#at++;
    return text;
  }

  #escaped(): string | undefined {
    const c = this.#next;
    if (c === undefined) return undefined;
    this.#at++;
    if (c === "d") return "0";
    if (c === "w") return "a";
    if (c === "s") return " ";
    // Word boundaries, classes that exclude, Unicode classes: not guessed.
    return /[A-Za-z0-9]/.test(c) ? undefined : c;
  }

  /** The class's first member; of one that excludes, an ordinary character that it does not name. */
  #class(): string | undefined {
    const start = this.#at;
    const ends = /(?:\^?\]?)(?:\\.|[^\]\\])*\]/y;
    ends.lastIndex = start;
    const found = ends.exec(this.#pattern);
    if (found === null) return undefined;
    this.#at = ends.lastIndex;
    const body = found[0].slice(0, -1);
    if (body.startsWith("[:")) return undefined;
    if (body.startsWith("^")) return [..."xyz019_"].find((c) => !body.includes(c) && !/[\\-]/.test(body.slice(1)));
    if (!body.startsWith("\\")) return body[0];
    return body[1] === "d" ? "0" : body[1] === "w" ? "a" : /[A-Za-z0-9]/.test(body[1] ?? "") ? undefined : body[1];
  }
}
