/** What the text of an agent policy's rules says, without evaluating it: strings and comments are set aside first. */

/** Code alone: each string is "", each comment is gone. `open` when a string has no end. */
function codeOf(text: string): { readonly code: string; readonly open: boolean } {
  const parts: string[] = [];
  const opener = /["`#]/g;
  let at = 0;
  for (let found = opener.exec(text); found !== null; found = opener.exec(text)) {
    parts.push(text.slice(at, found.index));
    const end = endOf(text, found[0], found.index + 1);
    if (end < 0) return { code: parts.join(""), open: true };
    // The line end stays: it ends the statement.
    if (found[0] !== "#") parts.push('""');
    at = end;
    opener.lastIndex = end;
  }
  parts.push(text.slice(at));
  return { code: parts.join(""), open: false };
}

/** Index after a string, or of the line end after a comment; -1 when a string does not end. */
function endOf(text: string, kind: string, from: number): number {
  if (kind === "#") {
    const line = text.indexOf("\n", from);
    return line < 0 ? text.length : line;
  }
  if (kind === "`") {
    const close = text.indexOf("`", from);
    return close < 0 ? -1 : close + 1;
  }
  const closer = /[\\"\n]/g;
  closer.lastIndex = from;
  for (let found = closer.exec(text); found !== null; found = closer.exec(text)) {
    if (found[0] === "\\") closer.lastIndex++;
    else return found[0] === '"' ? closer.lastIndex : -1;
  }
  return -1;
}

/**
 * Why the data that follows these rules may not be what the rules read: a further definition of policy_data, a rule
 * that replaces it, or a text in which the data would be no code at all. Empty when there is nothing of the kind.
 */
export function dataRivals(rules: string): string[] {
  const { code, open } = codeOf(rules);
  if (open) return ["a string of the rules does not end before the data"];
  const problems: string[] = [];
  let depth = 0;
  for (const found of code.matchAll(/[{}()[\]]|(?<!\w)policy_data(?!\w)/g)) {
    const [token] = found;
    if (token !== "policy_data") depth += "{([".includes(token) ? 1 : -1;
    else if (problems.length < 8) {
      const line = lineAround(code, found.index);
      if (defines(line, depth)) problems.push(`the rules define or replace it: ${line.text.trim().slice(0, 80)}`);
    }
  }
  if (depth !== 0) problems.push("the rules end inside a bracket");
  if (/(?<!\w)with\s+data(?!\w)/.test(code)) problems.push("the rules replace data: with data");
  return problems;
}

interface Line {
  readonly text: string;
  readonly before: string;
  readonly after: string;
}
/** A window and not the whole line: a text of one long line would be read once for each word in it. */
function lineAround(code: string, at: number): Line {
  const before = code.slice(Math.max(0, at - 256), at);
  const end = at + "policy_data".length;
  const after = code.slice(end, end + 64).split("\n", 1)[0] ?? "";
  const own = before.slice(before.lastIndexOf("\n") + 1);
  return { text: `${own}policy_data${after}`, before: own, after };
}

/**
 * Reading a member is the one use that defines nothing. Outside of brackets only what follows an operator or a word that
 * asks for a value is a reading: anything else, such as what follows another rule on its line, may be a rule's head.
 */
function defines({ before, after }: Line, depth: number): boolean {
  const head = depth === 0 && !/[=<>+\-*/%|&,]\s*$|(?<!\w)(?:if|in|not)\s+$/.test(before);
  return head || before.endsWith(".") || !/^\s*[.[]/.test(after);
}

/** Requests that no policy may allow by default; policy_data cannot narrow what a default has allowed. */
const neverByDefault = [
  "AllowRequestsFailingPolicy",
  "CopyFileRequest",
  "CreateContainerRequest",
  "ExecProcessRequest",
  "SetPolicyRequest",
  "WriteStreamRequest",
];

/** Statements that allow one of these requests whatever it says. */
export function laxStatements(rules: string): string[] {
  const { code } = codeOf(rules);
  const names = neverByDefault.join("|");
  const statement = new RegExp(`^[ \\t]*(?:default[ \\t]+)?(?:${names})[ \\t]*(?::=|=)[ \\t]*true[ \\t]*$`, "gm");
  return (code.match(statement) ?? []).map((s) => s.trim().replace(/\s+/g, " "));
}
