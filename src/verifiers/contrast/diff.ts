/**
 * What changed between two manifests, each change graded. Compared is what Contrast reads, so a manifest that can be read
 * in two ways is refused; the bytes count too, since a manifest is its bytes.
 */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import type { Change } from "../../claims/change.ts";
import { PmError } from "../../errors.ts";
import { type Side, snpChanges, tdxChanges } from "./diff-entries.ts";
import { type Listed, type ListRule, listChanges } from "./diff-lists.ts";
import { policyChanges } from "./diff-policies.ts";
import type { DecodedManifest, Manifest } from "./model.ts";
import { problemText } from "./problems.ts";

export interface ManifestDiff {
  /** Byte for byte. */
  readonly equal: boolean;
  /** In the manifest's order; not empty when the bytes differ. */
  readonly changes: readonly Change[];
}

/**
 * @param names of the files, for messages
 * @throws PmError PM_EVIDENCE_MALFORMED manifest-malformed, manifest-ambiguous
 */
export function diffManifests(
  a: DecodedManifest,
  b: DecodedManifest,
  names: readonly [string, string] = ["A", "B"],
): ManifestDiff {
  const before: Side = { decoded: a, manifest: readable(a, names[0]) };
  const after: Side = { decoded: b, manifest: readable(b, names[1]) };
  if (a.sha256 === b.sha256 && a.rules.version === b.rules.version) return { equal: true, changes: [] };
  const changes = [
    ...policyChanges(before.manifest.policies, after.manifest.policies),
    ...snpChanges(before, after),
    ...tdxChanges(before, after),
    ...listChanges(`/${ownersMember(b)}`, owners(before), owners(after), ownerRule),
    ...listChanges("/SeedshareOwnerPubKeys", seedshareOwners(before), seedshareOwners(after), seedshareRule),
    ...apiVersion(before.manifest, after.manifest),
  ];
  const equal = a.sha256 === b.sha256;
  return { equal, changes: changes.length > 0 || equal ? changes : [spelling(a, b)] };
}

/** @throws PmError where two readers would compare two different things */
function readable(decoded: DecodedManifest, name: string): Manifest {
  if (decoded.manifest !== undefined) return decoded.manifest;
  const of = (severity: string) => decoded.problems.filter((p) => p.severity === severity);
  const malformed = of("malformed");
  const [problems, reasonCode, what] =
    malformed.length > 0
      ? ([malformed, "manifest-malformed", "cannot be read"] as const)
      : ([of("ambiguous"), "manifest-ambiguous", "can be read in two ways"] as const);
  throw new PmError("PM_EVIDENCE_MALFORMED", `${name}: ${what}: ${problemText(problems)}`, {
    reasonCode,
    hint: "pm manifest check names each place; --contrast-version names the release whose fields it has",
  });
}

const spelling = (a: DecodedManifest, b: DecodedManifest): Change => ({
  at: "",
  grade: "neutral",
  before: a.sha256,
  after: b.sha256,
  meaning: "the bytes differ, and Contrast reads the same out of them; a pin of one is no pin of the other",
});

const ownersMember = ({ rules }: DecodedManifest): string =>
  rules.field("manifest", "WorkloadOwnerPubKeys") === "known" ? "WorkloadOwnerPubKeys" : "WorkloadOwnerKeyDigests";
const ownerRule: ListRule = {
  empty: "nobody",
  noun: "owner",
  added: "a further key can replace the manifest of the running deployment",
  removed: "one key less can replace the manifest of the running deployment",
};
const seedshareRule: ListRule = {
  empty: "nobody",
  noun: "owner",
  added: "whoever holds a further key can recover the secret seed",
  removed: "one key less can recover the secret seed",
};

/** Until v1.19 the SHA-256 of the key stands for the key: both name the same owner. */
const owners = ({ decoded, manifest }: Side): Listed[] =>
  manifest.workloadOwners.map((key, i) => ({
    id: /^[0-9a-fA-F]{64}$/.test(key) ? key.toLowerCase() : keyDigest(key),
    shown: key,
    at: `/${ownersMember(decoded)}/${i}`,
  }));
const keyDigest = (key: string): string =>
  /^(?:[0-9a-fA-F]{2})+$/.test(key) ? hex(createHash("sha256").update(Buffer.from(key, "hex")).digest()) : key;
const seedshareOwners = ({ manifest }: Side): Listed[] =>
  manifest.seedshareOwners.map((key, i) => ({ id: key.toLowerCase(), shown: key, at: `/SeedshareOwnerPubKeys/${i}` }));

function apiVersion(a: Manifest, b: Manifest): Change[] {
  const [before, after] = [a.minimumApiVersion ?? null, b.minimumApiVersion ?? null];
  const meaning = "which clients and workloads may speak with the Coordinator";
  return before === after ? [] : [{ at: "/MinimumAPIVersion", grade: "unknown", before, after, meaning }];
}
