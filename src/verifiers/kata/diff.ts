/** What changed between two policies: the document's keys, the rules' text, and policy_data entry by entry. */
import { createHash } from "node:crypto";
import { sameBytes } from "../../bytes/hex.ts";
import { type JsonNode, readJson } from "../../bytes/json.ts";
import type { Grade } from "../../claims/answer.ts";
import { type Change, token } from "../../claims/change.ts";
import { type PolicyBody, policyKey } from "./body.ts";
import { dataChanges } from "./diff-data.ts";
import { excerptOf } from "./diff-text.ts";
import { decodeAgentPolicy } from "./policy.ts";
import { textParts } from "./policy-text.ts";
import { maxDocumentBytes } from "./toml.ts";

export interface PolicyDiff {
  /** The documents are the same bytes; what carries them does not count. */
  readonly equal: boolean;
  /** Not empty when the documents differ. */
  readonly changes: readonly Change[];
}

export function diffPolicies(a: PolicyBody, b: PolicyBody): PolicyDiff {
  if (sameBytes(a.raw, b.raw)) return { equal: true, changes: [] };
  const changes = [
    ...member("/kind", a.kind, b.kind, "carried as initdata or as bare Rego text: two releases' ways"),
    ...member("/algorithm", a.algorithm, b.algorithm, "a manifest key has 32 bytes: only sha256 gives one"),
    ...dataKeys(a, b),
  ];
  return { equal: false, changes: changes.length > 0 ? changes : [spelling(a, b)] };
}

/** Lower-case hex. */
export const sha256Of = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex");

const spelling = (a: PolicyBody, b: PolicyBody): Change => ({
  at: "",
  grade: "neutral",
  before: sha256Of(a.raw),
  after: sha256Of(b.raw),
  meaning: "the bytes differ and say the same; the digest is another, so a manifest lists one of them at most",
});

const member = (at: string, before: string, after: string, meaning: string): Change[] =>
  before === after ? [] : [{ at, grade: "unknown", before, after, meaning }];

function dataKeys(a: PolicyBody, b: PolicyBody): Change[] {
  return [...new Set([...a.data.keys(), ...b.data.keys()])].flatMap((key): Change[] => {
    const [before, after] = [a.data.get(key), b.data.get(key)];
    if (before === after) return [];
    if (key === policyKey && before !== undefined && after !== undefined) return policyChanges(before, after);
    const [grade, meaning] = keyGrade(key, before, after);
    return [textChange(`/data/${token(key)}`, before, after, grade, meaning)];
  });
}

const debugKey = "contrast.insecure-debug";
function keyGrade(key: string, before: string | undefined, after: string | undefined): readonly [Grade, string] {
  if (key === debugKey && before === undefined) return ["weaker", "a shell in the guest for whoever runs the host"];
  if (key === debugKey && after === undefined) return ["stronger", "no shell in the guest any more"];
  if (key === policyKey && after === undefined)
    return ["weaker", "no policy: the guest falls back on whatever its image holds"];
  const what = before === undefined ? "a further entry" : after === undefined ? "an entry less" : "another entry";
  return ["unknown", `${what} that a component of the guest may read`];
}

/** Texts are named by their SHA-256, and shown where they differ. */
function textChange(
  at: string,
  before: string | undefined,
  after: string | undefined,
  grade: Grade,
  meaning: string,
): Change {
  const named = (text: string | undefined) =>
    text === undefined ? null : { sha256: sha256Of(text), size: Buffer.byteLength(text) };
  const excerpt = excerptOf(before ?? "", after ?? "");
  return { at, grade, before: named(before), after: named(after), meaning, excerpt };
}

function policyChanges(before: string, after: string): Change[] {
  const at = `/data/${token(policyKey)}`;
  const [was, is] = [split(before), split(after)];
  if ("unreadable" in was || "unreadable" in is) {
    const reasons = [...new Set([was, is].flatMap((s) => ("unreadable" in s ? [s.unreadable] : [])))];
    return [textChange(at, before, after, "unknown", `compared as text only: ${reasons.join("; ")}`)];
  }
  const rules: Change[] =
    was.rules === is.rules
      ? []
      : [textChange(`${at}/rules`, was.rules, is.rules, "unknown", "other rules: they decide what the data means")];
  const place = `${at}/policy_data`;
  if (was.data !== undefined && is.data !== undefined) {
    const data = dataChanges(was.data, is.data, place);
    return [...rules, ...data];
  }
  if (was.data === is.data) return rules;
  const meaning = was.data === undefined ? "the policy now has data" : "the policy has no data any more";
  return [...rules, textChange(place, was.dataText, is.dataText, "unknown", meaning)];
}

interface Split {
  /** Text before policy_data; all of it where there is none. */
  readonly rules: string;
  readonly dataText?: string;
  readonly data?: JsonNode;
}

/** Data that decodeAgentPolicy cannot read off in one way is not compared entry by entry. */
function split(text: string): Split | { readonly unreadable: string } {
  const { images } = decodeAgentPolicy(text);
  if (images.kind === "unreadable") return { unreadable: images.reason };
  const { rules, json: dataText } = textParts(text);
  if (dataText === undefined) return { rules };
  const { root } = readJson(Buffer.from(dataText), { what: "policy_data", maxBytes: maxDocumentBytes });
  return { rules, dataText, data: root };
}
