/** The rows of evidence/tdx/cases.json: sets of quote and collateral, and mutations of them. Nothing of pm is used to make them. */
import type { Answer } from "../../../src/claims/answer.ts";
import type { Question } from "../../../src/claims/question.ts";
import { recogniseQuote } from "../../../src/dcap/carrier.ts";
import { intelRoot } from "../../../src/dcap/root.ts";
import type { Look, Response } from "../../../src/run.ts";
import {
  noReferences,
  type TdxJudgement,
  type TdxReferences,
  tdxAuthentic,
  verifyTdx,
} from "../../../src/verifiers/tdx/index.ts";
import { evidence, evidenceJson } from "../../evidence.ts";

export interface Row {
  readonly id: string;
  readonly quote: string;
  readonly collateral: string;
  readonly at: string;
  readonly tee: "tdx" | "sgx";
  readonly policy?: { readonly acceptTcb: readonly string[] };
  readonly ops?: string;
  readonly expect: "accept" | "reject";
  readonly reason: string;
  readonly alsoAccept?: readonly string[];
  readonly tcb?: string;
  readonly warnings?: readonly string[];
}
type Op = Readonly<Record<string, unknown>>;
interface Mutation {
  readonly id: string;
  readonly base: string;
  readonly ops: readonly Op[];
}
export interface Classes {
  readonly malformed: { readonly reasons: readonly string[] };
  readonly unsupported: { readonly reasons: readonly string[] };
  readonly unavailable: { readonly reasons: readonly string[] };
}
/** The dcap-qvl form; CRLs and signatures are hex. */
export type CollateralSet = Record<string, string | null>;

export const allRows = (): readonly Row[] => evidenceJson<{ readonly cases: readonly Row[] }>("tdx/cases.json").cases;
const mutations = (): { readonly classes: Classes; readonly cases: readonly Mutation[] } =>
  evidenceJson("tdx/negative-cases.json");
export const classes = (): Classes => mutations().classes;

const setOf = (name: string): CollateralSet => ({ ...evidenceJson<CollateralSet>(`tdx/sets/${name}/collateral.json`) });
const p256Order = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

interface Material {
  quote: Uint8Array;
  collateral: CollateralSet;
}
function pem(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\s*/g) ?? [];
}

function apply(m: Material, op: Op): void {
  const [kind, value] = Object.entries(op)[0] ?? ["", undefined];
  const pair = value as readonly [never, never, never];
  const bytes = new Uint8Array(m.quote);
  switch (kind) {
    case "xor":
      bytes[pair[0]] = (bytes[pair[0]] ?? 0) ^ pair[1];
      break;
    case "set":
      bytes.set(Buffer.from(pair[1], "hex"), pair[0]);
      break;
    case "truncate":
      m.quote = bytes.slice(0, value as number);
      return;
    case "append":
      m.quote = new Uint8Array(Buffer.concat([bytes, Buffer.from(value as string, "hex")]));
      return;
    case "graftSignatureFrom":
      m.quote = new Uint8Array(
        Buffer.concat([bytes.slice(0, 632), evidence(`tdx/sets/${value as string}/quote.bin`).slice(632)]),
      );
      return;
    case "copyFrom": {
      const other = setOf(value as string);
      for (const field of op["fields"] as readonly string[]) m.collateral[field] = other[field] ?? null;
      return;
    }
    case "replace":
      m.collateral[pair[0]] = (m.collateral[pair[0]] ?? "").replace(pair[1], pair[2]);
      return;
    case "setField": {
      const to = pair[1] as string | null;
      m.collateral[pair[0]] = to?.startsWith("@") ? (m.collateral[to.slice(1)] ?? null) : to;
      return;
    }
    case "xorHexField": {
      const field = Buffer.from(m.collateral[pair[0]] ?? "", "hex");
      const at = (pair[1] as number) < 0 ? field.length + (pair[1] as number) : (pair[1] as number);
      field[at] = (field[at] ?? 0) ^ pair[2];
      m.collateral[pair[0]] = field.toString("hex");
      return;
    }
    case "reversePem":
      m.collateral[value as string] = pem(m.collateral[value as string] ?? "")
        .reverse()
        .join("");
      return;
    case "dropLastPem":
      m.collateral[value as string] = pem(m.collateral[value as string] ?? "")
        .slice(0, -1)
        .join("");
      return;
    case "highS": {
      const at = (value as number) + 32;
      const s = BigInt(`0x${Buffer.from(bytes.slice(at, at + 32)).toString("hex")}`);
      bytes.set(Buffer.from((p256Order - s).toString(16).padStart(64, "0"), "hex"), at);
      break;
    }
    default:
      throw new Error(`unknown operation ${kind}`);
  }
  m.quote = bytes;
}

export function materialOf(row: Row): Material {
  const m: Material = {
    quote: evidence(`tdx/${row.quote}`),
    collateral: { ...evidenceJson<CollateralSet>(`tdx/${row.collateral}`) },
  };
  if (row.ops !== undefined) for (const op of mutations().cases.find((c) => c.id === row.id)?.ops ?? []) apply(m, op);
  return m;
}

const at = "2026-01-01T00:00:00Z";
const ok = (bytes: Uint8Array, issuerChain?: string | null): Response => ({
  status: "ok",
  bytes,
  at,
  ...(issuerChain ? { issuerChain } : {}),
});
const missing: Response = { status: "unavailable", reason: "not in this set" };
const wrapped = (member: string, raw: string | null | undefined, signature: string | null | undefined): Uint8Array =>
  Buffer.from(`{"${member}":${raw ?? "null"},"signature":"${signature ?? ""}"}`);
const list = (hexText: string | null | undefined): Response =>
  hexText ? ok(new Uint8Array(Buffer.from(hexText, "hex"))) : missing;

/** One set answers for whatever quote it is put beside: that it is the wrong one must come out. */
export function lookIn(set: CollateralSet): Look {
  return ({ path }) => {
    if (path.includes("/tcb?"))
      return ok(wrapped("tcbInfo", set["tcb_info"], set["tcb_info_signature"]), set["tcb_info_issuer_chain"]);
    if (path.includes("/qe/identity"))
      return ok(
        wrapped("enclaveIdentity", set["qe_identity"], set["qe_identity_signature"]),
        set["qe_identity_issuer_chain"],
      );
    return list(path.includes("/pckcrl") ? set["pck_crl"] : set["root_ca_crl"]);
  };
}

export const acceptedBy = (row: Row): TdxReferences["acceptedTcb"] =>
  (row.policy?.acceptTcb ?? []).map((status) => ({
    status: status as TdxReferences["acceptedTcb"][number]["status"],
    source: { value: status, origin: { kind: "flag", name: "--accept-tcb" } },
  }));

export function judgeTdx(quote: Uint8Array, look: Look, when: string, want: Partial<TdxReferences> = {}): TdxJudgement {
  return verifyTdx(
    recogniseQuote(quote),
    look,
    [{ ...noReferences, ...want }],
    { root: intelRoot(), collateral: "required" },
    new Date(when),
  );
}

export function judgeRow(row: Row): TdxJudgement {
  const { quote, collateral } = materialOf(row);
  return judgeTdx(quote, lookIn(collateral), row.at, { acceptedTcb: acceptedBy(row) });
}

/** Owed answers without pins that are not `pass`. */
export function openAnswers({ answers }: TdxJudgement): { readonly id: string; readonly answer: Answer }[] {
  const questions: Readonly<Record<string, Question>> = tdxAuthentic;
  const all: Readonly<Record<string, Answer>> = answers;
  return Object.entries(questions).flatMap(([id, q]) => {
    const answer = all[id];
    return q.owed === "always" && answer !== undefined && answer.status !== "pass" ? [{ id, answer }] : [];
  });
}
