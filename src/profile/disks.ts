/** What the auditor holds about model disks: the published list, and for some root hashes an image and a list of files. */
import { resolve } from "node:path";
import { usage } from "../errors.ts";
import { type Input, readInput } from "../input.ts";
import { maxExpectBytes } from "../verifiers/verity/expect.ts";
import type { ProfileFile } from "./schema.ts";

export interface HeldImage {
  /** Lower-case hex. */
  readonly rootHash: string;
  /** Member of the profile. */
  readonly at: string;
  /** Path; it is read when the disks are measured. */
  readonly image: string | undefined;
  /** What `pm disk expect` wrote. */
  readonly expect: Input | undefined;
}
export interface HeldDisks {
  readonly form: "models" | "storage-classes";
  /** The audited party's words, whoever holds them. */
  readonly list: Input;
  readonly images: readonly HeldImage[];
}

const maxListBytes = 4 * 1024 * 1024;

/**
 * @param folder that relative paths of the profile start from
 * @throws PmError PM_USAGE for files that cannot be read, two lists or none, a root hash that is named twice
 */
export async function loadDisks(
  said: NonNullable<ProfileFile["disks"]>,
  folder: string,
  profile: string,
): Promise<HeldDisks> {
  const { models, storageClasses, images = [] } = said;
  const list = models ?? storageClasses;
  if (list === undefined || (models !== undefined && storageClasses !== undefined))
    throw usage(
      `${profile}: disks: needs models or storageClasses, and not both`,
      "models.yaml lies beside the source",
    );
  const roots = images.map((i) => i.root);
  const twice = roots.find((root, i) => roots.indexOf(root) !== i);
  if (twice !== undefined) throw usage(`${profile}: disks.images: ${twice} is named twice`);
  const held = async ({ root, image, expect }: (typeof images)[number], i: number): Promise<HeldImage> => ({
    rootHash: root,
    at: `disks.images.${i}`,
    image: image === undefined ? undefined : resolve(folder, image),
    expect:
      expect === undefined
        ? undefined
        : await readInput(resolve(folder, expect), "a list of a commit's files", maxExpectBytes),
  });
  return {
    form: models === undefined ? "storage-classes" : "models",
    list: await readInput(resolve(folder, list), "a list of model disks", maxListBytes),
    images: await Promise.all(images.map(held)),
  };
}
