/** `pm verity verify`: a disk with its tree, and disks with one thing wrong. */
import { finishedDisk, verityRoot } from "../../fixtures/generator/verity.ts";
import { flipped, placesOf } from "../../fixtures/generator/verity-damage.ts";
import { madeData } from "../../fixtures/generator/verity-images.ts";
import { type Ran, runPm } from "../command.ts";
import { written } from "../disk-world.ts";

/** Two leaf blocks, the second of them half empty, and one above them. */
const data = madeData("coverage", 200);
const disk = finishedDisk(data);
const places = placesOf(data);
const [leaves, top] = places.levels;
const spareAt = top?.spareAt;
if (leaves === undefined || spareAt === undefined) throw new Error("a tree of two levels is wanted");

const verity = (bytes: Uint8Array, root = verityRoot(data)): Promise<Ran> =>
  runPm([
    ...["verity", "verify", written("verity.img", bytes), "--preset", "privatemode", "--json"],
    ...["--root", root, "--hash-offset", String(data.length)],
  ]);

export const verityRuns = {
  "device as demanded": () => verity(disk),
  "device without a superblock": () => verity(flipped(disk, places.superblock)),
  "device with another salt in its superblock": () => verity(flipped(disk, places.superblock + 88)),
  "device with another UUID": () => verity(flipped(disk, places.superblock + 16)),
  "device with a reserved byte set": () => verity(flipped(disk, places.superblock + 400)),
  "device with old bytes behind its superblock": () => verity(flipped(disk, places.superblock + 600)),
  "device with another data block": () => verity(flipped(disk, 5 * 4096)),
  "device with another leaf block": () => verity(flipped(disk, leaves.at)),
  "device with spare bytes set": () => verity(flipped(disk, spareAt)),
  "device of another root": () => verity(disk, "ab".repeat(32)),
  "device with bytes behind its tree": () => verity(new Uint8Array([...disk, 1])),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
