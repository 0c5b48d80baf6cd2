/** `pm snp id-key`: the digest of the ID key that a launch would have, and what an ID block and its authentication page hold. */
import { fromBase64, hex, hexNumber } from "../bytes/hex.ts";
import type { Result } from "../command.ts";
import { usage } from "../errors.ts";
import { policyOfWords, recoveredKey } from "../facts/recovered-key.ts";
import { hexFlag } from "../flags.ts";
import { readInput } from "../input.ts";
import { factsJson, tree } from "../inspect.ts";
import type { Json } from "../report/report.ts";
import { wrap } from "../report/text.ts";
import {
  authorKeyDigest,
  decodeIdAuth,
  decodeIdBlock,
  type IdAuth,
  type IdBlock,
  idKeyDigestOf,
  signedByAuthor,
  signedByIdKey,
} from "../verifiers/snp/measure/index.ts";
import { hexNumberFlag } from "./snp-measure.ts";

export interface IdKeyFlags {
  readonly measurement?: string | undefined;
  readonly policy?: string | undefined;
  readonly "guest-policy"?: string | undefined;
  readonly "id-block"?: string | undefined;
  readonly "id-auth"?: string | undefined;
  readonly expect?: string | undefined;
}

type Facts = { readonly [name: string]: Json };
interface Check {
  readonly what: string;
  readonly holds: boolean;
}

const maxFileBytes = 64 * 1024;

/** @throws PmError PM_USAGE for flags that do not go together; PM_EVIDENCE_MALFORMED for files that are no ID block or page */
export async function snpIdKey(flags: IdKeyFlags): Promise<Result> {
  const policy = policyOf(flags);
  const measurement = flags.measurement === undefined ? undefined : hexFlag(flags.measurement, 48, "--measurement");
  const block = await fileOf(flags["id-block"], "an ID block", decodeIdBlock);
  const auth = await fileOf(flags["id-auth"], "an ID authentication page", decodeIdAuth);
  if (auth !== undefined && block === undefined)
    throw usage("--id-auth signs an ID block", "give --id-block FILE beside it");
  const recovered = measurement !== undefined && policy !== undefined ? recoveredKey(measurement, policy) : undefined;
  if (recovered === undefined && block === undefined)
    throw usage("nothing to compute from", "give --measurement and --policy, or --id-block with --id-auth");
  const digests = [...(recovered ? [recovered.idKeyDigest] : []), ...(auth ? [hex(idKeyDigestOf(auth))] : [])];
  const checks = [
    ...(block && auth ? signatures(block, auth) : []),
    ...(block ? agreement(block, measurement, policy) : []),
    ...expectation(flags.expect, digests),
  ];
  const facts: Facts = {
    contrast: recovered === undefined ? null : { ...recovered },
    idBlock: block === undefined ? null : blockFacts(block),
    idAuth: auth === undefined ? null : authFacts(auth),
    checks: checks.map(({ what, holds }): Json => ({ what, holds })),
  };
  return result(facts, checks);
}

function policyOf(flags: IdKeyFlags): bigint | undefined {
  const { policy, "guest-policy": words } = flags;
  if (policy !== undefined) return hexNumberFlag(policy, 16, "--policy");
  return words === undefined ? undefined : policyOfWords(words);
}

/** The bytes, or their base64 with one line end, as pod annotations and other tools have them. */
async function fileOf<T>(path: string | undefined, what: string, decode: (bytes: Uint8Array) => T) {
  if (path === undefined) return undefined;
  const { name, bytes } = await readInput(path, what, maxFileBytes);
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/\r?\n$/, "");
  return decode(/^[0-9A-Za-z+/]{64,}={0,2}$/.test(text) ? fromBase64(text, name) : bytes);
}

function signatures(block: IdBlock, auth: IdAuth): Check[] {
  const byAuthor = signedByAuthor(auth);
  return [
    { what: "ID_BLOCK_SIG is the ID key's over the ID block", holds: signedByIdKey(block, auth) },
    ...(byAuthor === undefined ? [] : [{ what: "ID_KEY_SIG is the author key's over the ID key", holds: byAuthor }]),
  ];
}

const agreement = (block: IdBlock, measurement: Uint8Array | undefined, policy: bigint | undefined): Check[] => [
  ...(measurement === undefined
    ? []
    : [{ what: "LD of the ID block is --measurement", holds: hex(block.ld) === hex(measurement) }]),
  ...(policy === undefined
    ? []
    : [{ what: "POLICY of the ID block is the given one", holds: block.policy === policy }]),
];

/** Every digest that was computed must be the expected one: two that differ are two keys. */
function expectation(expected: string | undefined, digests: readonly string[]): Check[] {
  if (expected === undefined) return [];
  const wanted = hex(hexFlag(expected, 48, "--expect"));
  if (digests.length === 0)
    throw usage("--expect: no ID key digest was computed", "give --id-auth, or --measurement and --policy");
  return [{ what: `ID_KEY_DIGEST is ${wanted}`, holds: digests.every((d) => d === wanted) }];
}

const blockFacts = (b: IdBlock): Json => ({
  ld: hex(b.ld),
  familyId: hex(b.familyId),
  imageId: hex(b.imageId),
  guestSvn: b.guestSvn,
  policy: hexNumber(b.policy, 16),
});

function authFacts(auth: IdAuth): Json {
  const author = authorKeyDigest(auth);
  return { idKeyDigest: hex(idKeyDigestOf(auth)), authorKeyDigest: author === undefined ? null : hex(author) };
}

const trailer =
  "The recovered key is nobody's: anybody can compute it. It binds guest policy and ids to the measurement and proves no author.";

/** Exit status 1 when a check does not hold. */
function result(facts: Facts, checks: readonly Check[]): Result {
  const failed = checks.filter((c) => !c.holds);
  const line =
    failed.length > 0
      ? `does not hold: ${failed.map((c) => c.what).join("; ")}`
      : checks.length === 0
        ? "computed; nothing was compared"
        : `holds: ${checks.map((c) => c.what).join("; ")}`;
  return {
    exitCode: failed.length > 0 ? 1 : 0,
    json: () => factsJson({ schemaVersion: 1, ...facts, notes: [trailer], line }),
    text: ({ width }) =>
      `${[...tree(facts, width), "", ...wrap(trailer, width, "", ""), ...wrap(line, width, "", "  ")].join("\n")}\n`,
  };
}
