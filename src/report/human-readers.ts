/** Who can read a prompt, for people: each entry of the manifest, its names, and what is known of each of its images. */
import type { View } from "./human-claims.ts";
import type { Assurance, Reader, ReaderImage } from "./report.ts";
import { safe, wrap } from "./text.ts";

const word: Readonly<Record<Assurance, string>> = {
  none: "no digest",
  "hash-only": "hash only",
  pinned: "pinned",
  "k-of-n": "k of n",
  rebuilt: "rebuilt",
};

/** One block: the entries, then each image once; a reference stands alone and whole on its line. */
export function readersTable(readers: readonly Reader[] | undefined, v: View): string[] {
  if (readers === undefined || readers.length === 0) return [];
  const images = new Map(
    readers.flatMap((r) => (r.images ?? []).map((i) => [`${i.assurance} ${i.image}`, i] as const)),
  );
  const order = [...images.keys()];
  const number = (i: ReaderImage): string => `[${order.indexOf(`${i.assurance} ${i.image}`) + 1}]`;
  return [
    ...wrap(caution, v.width, "  "),
    ...readers.flatMap((r) => entry(r, number, v)),
    ...[...images.values()].map((i) => `  ${number(i).padEnd(4)} ${word[i.assurance].padEnd(9)} ${safe(i.image)}`),
  ];
}

const caution =
  "Whoever runs under a policy of the manifest is part of the mesh. Of an image: hash only, nobody vouches for the digest; pinned, the profile does. This version rebuilds no image.";

function entry(
  { policy, workload, role, sans, images }: Reader,
  number: (image: ReaderImage) => string,
  v: View,
): string[] {
  const name = workload === "" ? `policy ${policy}, no WorkloadSecretID` : workload;
  const runs =
    images === null
      ? "not known: the policy's body is not at hand"
      : images.map((i) => `${i.container} ${number(i)}`).join(", ") || "no image can be read off the policy";
  return [
    ...wrap(role === "" ? name : `${name}, role ${role}`, v.width, "  "),
    ...wrap(sans.join(", ") || "none", v.width, "    names   "),
    ...wrap(runs, v.width, "    runs    "),
  ];
}
