/** Colour is only ever an addition: each status has a word and a sign of its own. */
import { Chalk } from "chalk";
import type { Status } from "../claims/answer.ts";

export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

export function paint(color: boolean): Paint {
  const chalk = new Chalk({ level: color ? 1 : 0 });
  return {
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red.bold(text),
    warn: (text) => chalk.yellow(text),
    dim: (text) => chalk.dim(text),
    bold: (text) => chalk.bold(text),
  };
}

export const sign = {
  pass: "✓",
  consistent: "=",
  fail: "✗",
  error: "!",
  unavailable: "?",
  skip: "-",
} as const satisfies Record<Status, string>;

/** A claim that is not owed cannot spoil the verdict, so it is not loud. */
export function tone(p: Paint, status: Status, owed: boolean): (text: string) => string {
  if (status === "pass") return p.good;
  if (!owed && status === "skip") return p.dim;
  return owed && status === "fail" ? p.bad : p.warn;
}
