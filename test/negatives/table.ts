/** The tables of negative cases: each number of a list is shown once, here by a run or by a named case elsewhere. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Ran, reportOf } from "../command.ts";

/** `id status code`, with the end of the subject's name in front where several subjects owe the claim. */
export type Said = string;

export interface Shown {
  readonly what: string;
  readonly run: () => Promise<Ran>;
  /** Claims that answer so; those that are not named may answer anything. */
  readonly says: readonly Said[];
  readonly exit: number;
  /** No other owed claim failed. */
  readonly alone?: false;
}
/** A case of another test file, by its name there. */
export interface Elsewhere {
  readonly in: string;
  readonly named: string;
}
export interface Negative {
  readonly what: string;
  readonly here?: readonly Shown[];
  readonly elsewhere?: readonly Elsewhere[];
  /** Why no run shows it. */
  readonly notHere?: string;
}

export const elsewhere = (file: string, ...names: readonly string[]): Elsewhere[] =>
  names.map((named) => ({ in: file, named }));

const root = new URL("../../", import.meta.url);

/** One test for each run, and for each case that is named elsewhere; the numbers must be exactly 1 to `last`. */
export function table(rows: Readonly<Record<number, Negative>>, last: number): void {
  test(`each number from 1 to ${last} stands once in the table`, () => {
    expect(Object.keys(rows).map(Number)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
    for (const [number, { here = [], elsewhere: other = [], notHere = "" }] of Object.entries(rows))
      expect(here.length + other.length + notHere.length, number).toBeGreaterThan(0);
  });
  for (const [number, row] of Object.entries(rows)) {
    for (const shown of row.here ?? []) test(`${number} ${row.what}: ${shown.what}`, () => judged(shown));
    for (const { in: file, named } of row.elsewhere ?? [])
      test(`${number} ${row.what}: ${file} shows "${named}"`, () => {
        const text = readFileSync(new URL(file, root), "utf8");
        expect([`"${named}"`, `"${named}:`, `  ${named}: `].some((form) => text.includes(form))).toBe(true);
      });
  }
}

async function judged({ run, says, exit, alone }: Shown): Promise<void> {
  const ran = await run();
  const { claims } = reportOf(ran);
  const texts = claims.map((c) => ({
    owed: c.owed,
    status: c.status,
    text: `${c.subject} ${c.id} ${c.status} ${c.code ?? "-"}`,
  }));
  for (const said of says)
    expect(
      texts.some(({ text }) => text.endsWith(said)),
      `${said} in ${open(texts)}`,
    ).toBe(true);
  if (alone !== false) {
    const failed = texts.filter((c) => c.owed && c.status === "fail" && !says.some((said) => c.text.endsWith(said)));
    expect(failed).toEqual([]);
  }
  expect(ran.status, open(texts)).toBe(exit);
}
const open = (texts: readonly { readonly status: string; readonly text: string }[]): string =>
  texts
    .filter((c) => c.status !== "pass" && c.status !== "skip")
    .map((c) => c.text)
    .join("\n");
