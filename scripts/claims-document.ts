/** docs/claims.md as text: every question of every catalogue, in output order. */
import type { Entry, Registered } from "../src/catalogues.ts";

const owedText = {
  always: "always",
  pinned: "once a reference value is given",
  advisory: "never: a finding, unless the profile promotes it",
} as const;

const preamble = `# Claims

Made from the catalogues by \`npm run docs\`; do not edit. The same texts are printed by \`pm explain\`.

A claim is one question asked about one subject. Its answer is one word:

| status | meaning |
|---|---|
| pass | asked, and a comparison of two sourced values says yes; the only word that satisfies |
| consistent | equal, but the expected value is the audited party's own word |
| fail | asked, and the answer is no |
| error | could not be answered: unsupported, a limit exceeded, a source that refused |
| unavailable | a source could not be reached; trying again may help |
| skip | not asked; the reason says why |

The verdict counts owed claims: any fail that is not waived is \`failed\`; otherwise no owed claim at all, or any error,
skip or consistent, is \`inconclusive\`; otherwise any unavailable is \`unavailable\`; otherwise \`verified\`.
A waiver covers a fail and nothing else. Ids are never reused or renamed.
`;

export function claimsDocument(registered: readonly Registered[], entries: readonly Entry[]): string {
  const parts = registered.map(
    ({ verifier, title }) =>
      `## ${title} (\`${verifier}\`)\n\n${entries
        .filter((e) => e.verifier === verifier)
        .map(section)
        .join("\n")}`,
  );
  return `${[preamble, ...parts, codeIndex(entries)].join("\n")}`;
}

function section({ id, question: q }: Entry): string {
  const codes = Object.entries(q.codes).map(([code, sentence]) => `  - \`${code}\`: ${escaped(sentence)}`);
  return [
    `### ${id}`,
    "",
    escaped(q.asks),
    "",
    `- stops: ${escaped(q.stops)}`,
    `- follows: ${escaped(q.spec)}`,
    `- owed: ${owedText[q.owed]}${q.waivable === false ? "; cannot be waived" : ""}`,
    `- next: ${escaped(q.todo)}`,
    ...(codes.length === 0 ? [] : ["- codes:", ...codes]),
    "",
  ].join("\n");
}

function codeIndex(entries: readonly Entry[]): string {
  const claimsOf = new Map<string, string[]>();
  for (const { id, question } of entries)
    for (const code of Object.keys(question.codes)) claimsOf.set(code, [...(claimsOf.get(code) ?? []), id]);
  const rows = [...claimsOf]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, ids]) => `| ${code} | ${ids.join(", ")} |`);
  return ["## Reason codes", "", "| code | claims |", "|---|---|", ...rows, ""].join("\n");
}

/** What Markdown would read as markup is shown as written; commands between backticks stay code. */
const escaped = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/[\\`*_<>|[\]]/g, "\\$&")))
    .join("");
