/** Who can read a prompt: every entry of the manifest with its names and images, and how much is known of each image. */
import { type Answers, cannot, holds, type Origin, skip } from "../claims/answer.ts";
import type { Assurance, Reader, ReaderImage } from "../report/report.ts";
import type { PolicyEntry } from "../verifiers/contrast/index.ts";
import { imagesOfBody } from "../verifiers/kata/index.ts";
import { digestIn } from "../verifiers/kata/workload-types.ts";
import type { assurance } from "./assurance-claims.ts";

/** From least to most. */
const assuranceOrder: readonly Assurance[] = ["none", "hash-only", "pinned", "k-of-n", "rebuilt"];

export interface AssurancePlan {
  readonly minimum: Assurance;
  /** Other minimums, by repository without tag and digest. */
  readonly images: ReadonlyMap<string, Assurance>;
  readonly origin: Origin;
}

/**
 * @param bodies by the digest that they name themselves
 * @param pinned image digests, `sha256:` and hex, that the auditor vouches for
 */
export function readersOf(
  entries: readonly PolicyEntry[],
  bodies: ReadonlyMap<string, Uint8Array>,
  pinned: ReadonlySet<string>,
): Reader[] {
  return entries.map(({ key, workloadSecretId, role, sans }) => {
    const body = bodies.get(key);
    return {
      policy: key,
      workload: workloadSecretId,
      role,
      sans,
      images:
        body === undefined
          ? null
          : imagesOfBody(body).map(({ container, image }): ReaderImage => {
              const digest = image === undefined ? undefined : digestIn(image);
              // Without a digest not even that is known: the name stands for whatever the registry says today.
              const known = digest === undefined ? "none" : pinned.has(digest) ? "pinned" : "hash-only";
              return { container, image: image ?? "none named", assurance: known };
            }),
    };
  });
}

const repositoryOf = (image: string): string => image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
const below = (a: Assurance, b: Assurance): boolean => assuranceOrder.indexOf(a) < assuranceOrder.indexOf(b);

/** Owed once the profile demands an assurance. */
export function assured(
  readers: readonly Reader[],
  plan: AssurancePlan | undefined,
): Answers<typeof assurance>["chain.assurance.images"] {
  if (plan === undefined) return skip("no reference value given");
  if (readers.length === 0) return cannot("the manifest names no policy");
  const blind = readers.filter((r) => r.images === null || r.images.length === 0);
  if (blind.length > 0)
    return cannot(`not answered: no images are known of ${blind.map((r) => r.workload || r.policy).join(", ")}`);
  const demanded = (i: ReaderImage): Assurance => plan.images.get(repositoryOf(i.image)) ?? plan.minimum;
  const images = readers.flatMap((r) => r.images ?? []);
  const beyond = images.filter((i) => below("pinned", demanded(i)));
  if (beyond.length > 0)
    return cannot(
      `this version rebuilds no image: pinned is the best there is, and more is demanded of ${texts(beyond.map((i) => i.image))}`,
      "assurance-not-built",
    );
  const bad = images.filter((i) => below(i.assurance, demanded(i)));
  return holds(
    bad.length === 0,
    { value: texts(images.map((i) => `${i.image} at least ${demanded(i)}`)), origin: plan.origin, at: "assurance" },
    {
      value: texts(images.map((i) => `${i.image} ${i.assurance}`)),
      origin: { kind: "evidence", name: "policy bodies" },
    },
    "assurance-below-profile",
    texts(bad.map((i) => i.image)),
  );
}

const texts = (list: readonly string[]): string => [...new Set(list)].sort().join("; ");
