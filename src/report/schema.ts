/** Schema of the report; docs/report.schema.json is made from it and a test holds real reports against it. */
import * as v from "valibot";
import type { Json, Report } from "./report.ts";

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/), v.description("SHA-256, lower-case hex"));
const time = v.pipe(v.string(), v.description("RFC 3339 instant"));
const text = v.string();

const json: v.GenericSchema<Json> = v.lazy(() =>
  v.union([v.string(), v.number(), v.boolean(), v.null(), v.array(json), v.record(v.string(), json)]),
);

const origin = v.pipe(
  v.variant("kind", [
    v.strictObject({
      kind: v.picklist(["vendor-root", "audited-party", "rebuilder", "recomputed", "flag", "profile", "evidence"]),
      name: text,
    }),
    v.strictObject({ kind: v.literal("pinned"), file: text, sha256: text, firstUse: v.exactOptional(text) }),
    v.strictObject({ kind: v.literal("measured"), tool: text, at: time }),
    v.strictObject({ kind: v.literal("spec"), document: text, section: text }),
  ]),
  v.description("Who says the value."),
);

const sourced = v.strictObject({
  value: v.pipe(text, v.description("In the specification's notation, whole.")),
  origin,
  at: v.exactOptional(v.pipe(text, v.description("Byte range, JSON pointer or line."))),
});

const status = v.picklist(["pass", "consistent", "fail", "error", "unavailable", "skip"]);

const claim = v.strictObject({
  id: text,
  subject: text,
  status: v.pipe(status, v.description("Only pass satisfies.")),
  owed: v.pipe(v.boolean(), v.description("Counts for the verdict.")),
  code: v.exactOptional(v.pipe(text, v.description("Reason code; docs/claims.md lists them."))),
  grade: v.exactOptional(v.picklist(["weaker", "stronger", "neutral", "unknown"])),
  expected: v.exactOptional(sourced),
  actual: v.exactOptional(sourced),
  reason: v.exactOptional(text),
});

const waiver = v.strictObject({
  claim: text,
  subject: text,
  reason: text,
  owner: text,
  expires: time,
  state: v.picklist(["applied", "expired", "not-waivable", "unused"]),
});

const reader = v.strictObject({
  policy: v.pipe(text, v.description("Key of the policy in the manifest.")),
  workload: v.pipe(text, v.description("WorkloadSecretID; empty when the entry has none.")),
  role: text,
  sans: v.array(text),
  images: v.nullable(
    v.array(
      v.strictObject({
        container: text,
        image: text,
        assurance: v.picklist(["none", "hash-only", "pinned", "k-of-n", "rebuilt"]),
      }),
    ),
  ),
});

const proof = v.pipe(
  v.picklist(["proven", "no", "open", "not asked", "audited party's word"]),
  v.description("What the claims about this part say, and no more."),
);
const model = v.strictObject({
  model: v.pipe(text, v.description("NAME-INDEX of the disk mounter's arguments.")),
  workload: text,
  container: text,
  root: v.nullable(sha256),
  source: v.pipe(v.nullable(text), v.description("The audited party's word.")),
  commit: v.nullable(text),
  commitFrom: v.nullable(v.picklist(["list of files", "audited party"])),
  argument: proof,
  mount: proof,
  known: proof,
  rebuilt: proof,
  files: proof,
  commitAgrees: proof,
});

const probe = v.strictObject({
  container: text,
  probe: text,
  when: text,
  tries: text,
  answer: v.picklist(["permitted", "denied", "inconclusive", "skipped"]),
  expected: v.picklist(["permitted", "denied", "either"]),
  grade: v.nullable(v.picklist(["weaker", "stronger", "neutral", "unknown"])),
  claim: v.nullable(text),
  reason: v.nullable(text),
  digest: v.pipe(text, v.description("SHA-256 of endpoint, line end and request; empty when no request was made.")),
});
const probeTable = v.strictObject({
  subject: text,
  rego: v.pipe(v.nullable(v.picklist(["v1", "v0"])), v.description("As which Rego the engine read the policy.")),
  rows: v.array(probe),
});

export const reportSchema = v.pipe(
  v.strictObject({
    schemaVersion: v.literal(1),
    tool: v.strictObject({ name: v.literal("pm"), version: text }),
    target: text,
    scope: v.pipe(text, v.description("The question that was asked.")),
    judgedAt: v.pipe(time, v.description("For when the evidence is judged, RFC 3339.")),
    capturedAt: v.pipe(v.nullable(text), v.description("When it was received, by the capturer's clock.")),
    freshness: text,
    profileSha256: v.nullable(sha256),
    bundleSha256: v.nullable(sha256),
    verdict: v.picklist(["verified", "failed", "inconclusive", "unavailable"]),
    verdictLine: v.pipe(text, v.description("The verdict with its scope and whatever weakens it.")),
    exitCode: v.pipe(v.picklist([0, 1, 3, 4]), v.description("docs/exit-codes.md")),
    anchors: v.array(v.strictObject({ name: text, sha256, source: text })),
    relaxations: v.array(v.strictObject({ name: text, meaning: text })),
    waivers: v.array(waiver),
    evidence: v.pipe(v.record(v.string(), json), v.description("Decoded fields by subject.")),
    claims: v.array(claim),
    readers: v.exactOptional(
      v.pipe(v.array(reader), v.description("Who can read a prompt: every entry of the manifest.")),
    ),
    models: v.exactOptional(v.pipe(v.array(model), v.description("Model disks that the workloads mount."))),
    probes: v.exactOptional(
      v.pipe(v.array(probeTable), v.description("What policies permit, asked in the guest's engine.")),
    ),
    notProven: v.array(text),
  }),
  v.title("Report of pm, version 1"),
);

/** The schema and the type say the same, or these lines do not compile. `evidence` is any JSON, `exitCode` a narrower number. */
type Parsed = Omit<v.InferOutput<typeof reportSchema>, "evidence" | "exitCode">;
type Typed = Omit<Report, "evidence" | "exitCode">;
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
type Fits<A, B> = A extends B ? true : never;
export const parsedIsTyped: Fits<Frozen<Parsed>, Frozen<Typed>> = true;
export const typedIsParsed: Fits<Frozen<Typed>, Frozen<Parsed>> = true;
