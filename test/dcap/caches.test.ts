/** Decoded documents, lists and issuers are kept by a process: what is kept may never answer for other bytes, times or roots. */
import { expect, it } from "vitest";
import { intelDraft, makeIntelEvidence } from "../../fixtures/generator/intel-evidence.ts";
import { pcsResponse } from "../../fixtures/generator/intel-pcs.ts";
import { intelNow } from "../../fixtures/generator/intel-states.ts";
import type { Answer } from "../../src/claims/answer.ts";
import { type IntelRoot, intelTestRoot } from "../../src/dcap/root.ts";
import type { Response } from "../../src/run.ts";
import { noReferences, verifyTdx } from "../../src/verifiers/tdx/index.ts";

const made = makeIntelEvidence(intelDraft("caches", intelNow));
const other = makeIntelEvidence(intelDraft("another authority", intelNow));
const root = intelTestRoot(made.root, "root.der");

/** The same arrays in every run, so that a test can change them in place. */
const answered = new Map<string, Response>();
function look({ path }: { readonly path: string }): Response {
  const response = answered.get(path) ?? pcsResponse({ collateral: [made.collateral] }, path, made.at);
  answered.set(path, response);
  return response;
}
const quote = new Uint8Array(made.quote);
function failed(under: IntelRoot = root, at = made.at): string[] {
  const trust = { root: under, collateral: "required" } as const;
  const { answers } = verifyTdx({ bytes: quote, form: "quote" }, look, [noReferences], trust, at);
  const all: readonly Answer[] = Object.values(answers);
  return all.flatMap(({ status, code }) => (status === "fail" && code !== undefined ? [code] : []));
}
function bytesOf(path: string): Uint8Array {
  const response = look({ path });
  if (response.status !== "ok") throw new Error(`no ${path}`);
  return response.bytes;
}
/** Runs with one bit of the middle of `part` flipped in place, and sets it back. */
function flipped(bytes: Uint8Array, at: number): string[] {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  try {
    return failed();
  } finally {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
  }
}

const tcb = `/tdx/certification/v4/tcb?fmspc=${made.collateral.fmspc}`;
it.each<[string, () => Uint8Array, (bytes: Uint8Array) => number, readonly string[]]>([
  ["quote", () => quote, () => 600, ["QUOTE_SIGNATURE_INVALID"]],
  ["TCB info", () => bytesOf(tcb), (b) => b.length - 4, ["TCB_INFO_SIGNATURE_INVALID", "COLLATERAL_MALFORMED"]],
  [
    "QE identity",
    () => bytesOf("/tdx/certification/v4/qe/identity"),
    (b) => b.length - 4,
    ["QE_IDENTITY_SIGNATURE_INVALID", "COLLATERAL_MALFORMED"],
  ],
  [
    "PCK revocation list",
    () => bytesOf("/sgx/certification/v4/pckcrl?ca=platform&encoding=der"),
    (b) => b.length - 1,
    ["PCK_CRL_INVALID"],
  ],
  ["root revocation list", () => bytesOf("/IntelSGXRootCA.der"), (b) => b.length - 1, ["ROOT_CRL_INVALID"]],
])("sees a bit of the %s that was changed in place after a good run", (_, part, at, codes) => {
  expect(failed()).toEqual([]);
  const bytes = part();
  const found = flipped(bytes, at(bytes));
  expect(found.some((code) => codes.includes(code))).toBe(true);
  expect(failed()).toEqual([]);
});

it("judges the same bytes anew at another time and under another root", () => {
  expect(failed()).toEqual([]);
  const later = failed(root, new Date(made.at.getTime() + 400 * 86_400_000));
  expect(later).toEqual(expect.arrayContaining(["TCB_INFO_EXPIRED", "QE_IDENTITY_EXPIRED", "PCK_CRL_EXPIRED"]));
  expect(failed(intelTestRoot(other.root, "other.der"))).toContain("ROOT_UNTRUSTED");
  expect(failed()).toEqual([]);
});
