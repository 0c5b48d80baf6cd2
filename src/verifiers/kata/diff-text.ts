/** Two texts line by line, as a bounded unified excerpt: enough to see what changed, never more than a page. */

const maxLines = 60;
const maxLine = 200;
/** Above this many pairs of lines the middle is shown as one block: a table of all pairs would fill the memory. */
const maxPairs = 1_000_000;
const context = 2;

type Step = readonly [sign: " " | "-" | "+", line: string];

/** Empty for equal texts. */
export function excerptOf(before: string, after: string): string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  if (start === a.length && start === b.length) return [];
  const steps = compared(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const from = Math.max(0, start - context);
  const lead = a.slice(from, start).map((line): Step => [" ", line]);
  const tail = a.slice(a.length - end, a.length - end + context).map((line): Step => [" ", line]);
  const all = [...lead, ...steps, ...tail];
  const count = (...signs: readonly string[]): number => all.filter(([sign]) => signs.includes(sign)).length;
  const shown = all.slice(0, maxLines).map(([sign, line]) => `${sign}${cut(line)}`);
  return [
    `@@ -${from + 1},${count(" ", "-")} +${from + 1},${count(" ", "+")} @@`,
    ...shown,
    ...(all.length > maxLines ? [`… ${all.length - maxLines} more lines`] : []),
  ];
}

const cut = (line: string): string =>
  line.length > maxLine ? `${line.slice(0, maxLine)}… (${line.length} characters)` : line;

/** Longest common subsequence, where that is affordable. */
function compared(a: readonly string[], b: readonly string[]): Step[] {
  if (a.length * b.length > maxPairs)
    return [...a.map((line): Step => ["-", line]), ...b.map((line): Step => ["+", line])];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [lineA, lineB] = [a[i], b[j]];
    if (lineA !== undefined && lineA === lineB) {
      steps.push([" ", lineA]);
      i++;
      j++;
    } else if (lineB === undefined || (lineA !== undefined && at(i + 1, j) >= at(i, j + 1))) {
      steps.push(["-", lineA ?? ""]);
      i++;
    } else {
      steps.push(["+", lineB]);
      j++;
    }
  }
  return steps;
}
