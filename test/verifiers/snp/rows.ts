/** The rows of the evidence's cases.json files, and a report judged in process. */
import type { Answer, Origin, Sourced } from "../../../src/claims/answer.ts";
import type { Look } from "../../../src/run.ts";
import {
  amdRoots,
  noReferences,
  type Roots,
  type SnpJudgement,
  type SnpReferences,
  testRoot,
  verifySnp,
} from "../../../src/verifiers/snp/index.ts";
import { evidence, evidenceJson } from "../../evidence.ts";

export interface Op {
  readonly xor?: readonly [number, number];
  readonly set?: readonly [number, string];
  readonly truncate?: number;
  readonly append?: string;
}
export interface Row {
  readonly id: string;
  readonly report: string | null;
  readonly vek: string | null;
  readonly intermediate: string;
  readonly root: string;
  readonly anchor: "amd-pinned" | "synthetic-ark";
  readonly crl: string | null;
  readonly ops?: readonly Op[];
  readonly vekOps?: readonly Op[];
  readonly at: string;
  readonly policy?: Policy;
  readonly expect: "accept" | "reject";
  readonly reason: string;
  readonly reasonAlso?: readonly string[];
}
interface Policy {
  readonly vmpl?: number;
  readonly migrateMa?: boolean;
  readonly provisional?: boolean;
  readonly minimumTcb?: { bootloader: number; tee: number; snp: number; microcode: number };
  readonly allowedChipIds?: readonly string[];
  readonly requireIdBlock?: boolean;
}
interface Rows {
  readonly include?: readonly string[];
  readonly cases: readonly Row[];
}

/** Every row, with the folder that its paths are relative to. */
export function allRows(path = "snp/cases.json"): { folder: string; row: Row }[] {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const { cases, include = [] } = evidenceJson<Rows>(path);
  return [...cases.map((row) => ({ folder, row })), ...include.flatMap((file) => allRows(folder + file))];
}

export function mutated(bytes: Uint8Array, ops: readonly Op[] = []): Uint8Array {
  let b = Buffer.from(bytes);
  for (const { xor, set, truncate, append } of ops) {
    if (xor) {
      const at = xor[0] < 0 ? b.length + xor[0] : xor[0];
      b[at] = (b[at] ?? 0) ^ xor[1];
    }
    if (set) b.set(Buffer.from(set[1], "hex"), set[0]);
    if (truncate !== undefined) b = b.subarray(0, truncate);
    if (append !== undefined) b = Buffer.concat([b, Buffer.from(append, "hex")]);
  }
  return new Uint8Array(b);
}

const flag: Origin = { kind: "flag", name: "test" };
export const sourced = (value: string): Sourced => ({ value, origin: flag });
export const offline: Look = () => ({ status: "unavailable", reason: "offline" });
export const rootsOf = (row: Row, folder: string): Roots =>
  row.anchor === "amd-pinned" ? amdRoots : testRoot(evidence(folder + row.root), row.root);

export function referencesOf(policy: Policy = {}): SnpReferences {
  const source = sourced("policy");
  return {
    ...noReferences,
    ...(policy.vmpl === undefined ? {} : { vmpl: { value: policy.vmpl, origin: flag } }),
    ...(policy.provisional === undefined ? {} : { provisional: policy.provisional }),
    ...(policy.minimumTcb && { minimumTcb: { ...policy.minimumTcb, source } }),
    ...(policy.allowedChipIds && { allowedChipIds: { values: policy.allowedChipIds, source } }),
    ...(policy.requireIdBlock && { requireIdBlock: source }),
  };
}

export function judgeRow(folder: string, row: Row): SnpJudgement {
  const file = (path: string | null): Uint8Array | undefined => (path === null ? undefined : evidence(folder + path));
  const vek = file(row.vek);
  const crl = file(row.crl);
  const given = {
    chain: evidence(folder + row.intermediate),
    ...(vek && { vek: mutated(vek, row.vekOps) }),
    ...(crl && { crl }),
  };
  return verifySnp(
    { bytes: mutated(evidence(folder + (row.report ?? "")), row.ops), given },
    offline,
    [referencesOf(row.policy)],
    { roots: rootsOf(row, folder), revocation: row.crl === null ? "allow-unchecked" : "required" },
    new Date(row.at),
  );
}

/** Answers that say no or could not be given; findings, and what was not asked, left out. */
export const openAnswers = (judgement: SnpJudgement): { id: string; answer: Answer }[] =>
  Object.entries(judgement.answers)
    .filter(([, a]) => a.status !== "pass" && a.status !== "skip" && a.grade === undefined)
    .map(([id, answer]) => ({ id, answer }));
