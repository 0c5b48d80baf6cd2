/** Text for a terminal: what comes from evidence is made harmless, lines are wrapped, values are never cut. */

/**
 * Control characters can move the cursor and rewrite a line that was printed; bidirectional overrides and invisible
 * characters make a text read as another. Both can come out of evidence, so none reaches the terminal.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;

/** The text with each unsafe character spelled `\u{HEX}`; a newline is one too. A backslash stays as it is. */
export const safe = (text: string): string =>
  text.replace(unsafe, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}}`);

/** JSON text that says the same and holds no unsafe character but its own line breaks. */
export const safeJson = (json: string): string =>
  json.replace(unsafe, (c) =>
    c === "\n"
      ? c
      : Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );

/**
 * Breaks our sentences at spaces; a word that is longer than a line stays whole, so that it can be copied.
 * @param first what the first line begins with
 * @param indent what later lines begin with. Never empty where a word may come out of evidence: only our own words
 * stand at the beginning of a line, so that no name in a report can pose as its verdict.
 */
export function wrap(text: string, width: number, first = "", indent = " ".repeat(first.length || 2)): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of safe(text).split(" ").filter(Boolean)) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}

/** Less than this says nothing. */
const least = 12;

/** A sentence as far as whole words fit; only ever used for our own words, never for a value. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width < least) return "";
  const cut = text.slice(0, Math.max(0, width - 1));
  const end = cut.lastIndexOf(" ");
  return end <= 0 ? "" : `${cut.slice(0, end)}…`;
}

/** `1 claim`, `2 claims`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
