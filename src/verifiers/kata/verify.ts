/** One policy body against the manifest key under which it is listed. */
import {
  type Answer,
  type Answers,
  all,
  broken,
  cannot,
  equal,
  graded,
  holds,
  observed,
  type Sourced,
  specified,
} from "../../claims/answer.ts";
import { PmError } from "../../errors.ts";
import type { Json } from "../../report/report.ts";
import { decodePolicyBody, type PolicyBody, policyKey } from "./body.ts";
import { kata } from "./claims.ts";
import { factsOf, policyOf } from "./facts.ts";
import { initdataVersion } from "./initdata.ts";
import type { AgentPolicy } from "./policy.ts";

type KataAnswers = Answers<typeof kata>;

export interface PolicyJudgement {
  readonly answers: KataAnswers;
  /** Algorithm, digest, keys with size and SHA-256, images; null when the body could not be decoded. */
  readonly evidence: Json;
}

const debugKey = "contrast.insecure-debug";
/** Keys that the guest of Contrast v1.20 reads, each by its own component. */
const knownKeys = ["aa.toml", "cdh.toml", debugKey, "imagepuller.toml", policyKey];
const source = "policy body";

/**
 * @param body TOML initdata, or the bare Rego text of older releases, as the Coordinator answered it
 * @param key the manifest's key, lower-case hex, with the manifest's origin
 */
export function verifyPolicy(body: Uint8Array, key: Sourced): PolicyJudgement {
  const decoded = decodedOrAnswer(body);
  if ("answer" in decoded) {
    const rest = all(kata, cannot("not asked: the policy body could not be decoded"));
    return { answers: { ...rest, "kata.initdata.format": decoded.answer }, evidence: null };
  }
  const { value } = decoded;
  const policy = policyOf(value);
  return {
    answers: {
      "kata.initdata.format": format(value),
      "kata.initdata.digest": digest(value, key),
      "kata.initdata.keys": keys(value),
      "kata.initdata.debug": debug(value),
      "kata.policy.images": graded(images(policy), "weaker"),
      "kata.policy.form": graded(form(value), "unknown"),
    },
    evidence: factsOf(value, policy),
  };
}

function decodedOrAnswer(
  body: Uint8Array,
): { readonly value: PolicyBody } | { readonly answer: KataAnswers["kata.initdata.format"] } {
  try {
    return { value: decodePolicyBody(body) };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const malformed = error.code === "PM_EVIDENCE_MALFORMED";
    return { answer: (malformed ? broken : cannot)(error.message, "initdata-malformed") };
  }
}

function format(body: PolicyBody): KataAnswers["kata.initdata.format"] {
  return body.kind === "initdata"
    ? equal(
        specified(`version ${initdataVersion}`, "Kata Containers, initdata specification", "version"),
        observed(`version ${body.version}`, source, "/version"),
        "initdata-malformed",
      )
    : equal(
        specified("package agent_policy", "Kata Containers, agent policy", "package"),
        observed(
          /package[ \t]+agent_policy/.exec(body.data.get(policyKey) ?? "")?.[0].replace(/[ \t]+/, " ") ?? "",
          source,
        ),
        "initdata-malformed",
      );
}

function digest(body: PolicyBody, key: Sourced): KataAnswers["kata.initdata.digest"] {
  const actual: Sourced = {
    value: Buffer.from(body.digest).toString("hex"),
    origin: { kind: "recomputed", name: `${body.algorithm} of the ${source}` },
  };
  // A manifest key has 32 bytes, so a document with a longer digest can never be the one that it names.
  const fits = body.digest.length === 32;
  return fits
    ? equal(key, actual, "policy-digest")
    : holds(
        fits,
        key,
        actual,
        "policy-digest",
        `a ${body.algorithm} document has a digest of ${body.digest.length} bytes and cannot be named by a 32-byte key`,
      );
}

function keys(body: PolicyBody): KataAnswers["kata.initdata.keys"] {
  const there = [...body.data.keys()];
  const unknown = there.filter((key) => !knownKeys.includes(key));
  const expected = specified(
    `${policyKey}, and at most ${knownKeys.filter((k) => k !== policyKey && k !== debugKey).join(", ")}`,
    "Contrast v1.20, initdata",
    "data",
  );
  const actual = observed(there.length === 0 ? "no key" : there.join(", "), source, "/data");
  return there.includes(policyKey)
    ? holds(unknown.length === 0, expected, actual, "initdata-unknown-key", `not known: ${unknown.join(", ")}`)
    : holds(there.includes(policyKey), expected, actual, "initdata-policy-missing");
}

/** The key opens the shell whatever its value says: its presence is the answer. */
function debug(body: PolicyBody): KataAnswers["kata.initdata.debug"] {
  const value = body.data.get(debugKey);
  return equal(
    specified(`no ${debugKey}`, "Contrast v1.20, generate", "debug shell"),
    observed(value === undefined ? `no ${debugKey}` : `${debugKey} = ${JSON.stringify(value)}`, source, "/data"),
    "initdata-debug",
  );
}

function images(policy: AgentPolicy | undefined): KataAnswers["kata.policy.images"] {
  if (policy === undefined) return broken("the document has no policy, so no image is pinned", "images-unlisted");
  const { images: found } = policy;
  if (found.kind === "none") return broken(`${found.reason}: no image is pinned`, "images-unlisted");
  if (found.kind === "unreadable") return broken(found.reason, "policy-data-unreadable");
  const differing = found.images.find((i) => i.digest !== undefined && i.others.length > 0);
  if (differing !== undefined)
    return broken(
      `${differing.container}: ${[differing.image ?? "", ...differing.others].join(" and ")}`,
      "image-references-differ",
    );
  const open = found.images.filter((i) => i.digest === undefined);
  const expected = specified("0 images without digest", "Kata Containers, genpolicy", "policy_data.containers");
  const actual = observed(`${open.length} images without digest`, source, "/data/policy.rego policy_data");
  const named = open.map((i) => `${i.container}: ${i.image ?? "no image"}`).join("; ");
  return holds(open.length === 0 && found.images.length > 0, expected, actual, "image-without-digest", named);
}

function form(body: PolicyBody): Answer<"policy-form-old"> {
  const expected = specified("initdata document", "Kata Containers, initdata specification", "document");
  const actual = observed(body.kind === "initdata" ? "initdata document" : "bare Rego text", source);
  return equal(expected, actual, "policy-form-old");
}
