/** `pm disk verify`: the disk of a commit, and images and lists with one thing wrong. */

import { changed, directory, type ErofsNode, file, makeErofs, withChecksum } from "../../fixtures/generator/erofs.ts";
import { type ErofsStates, erofsStates } from "../../fixtures/generator/erofs-damage.ts";
import { prng } from "../../fixtures/generator/prng.ts";
import { type Ran, runPm } from "../command.ts";
import {
  type ExpectOptions,
  edited,
  expectText,
  imageOf,
  type Model,
  model,
  nodesOf,
  pointerTo,
  rootOf,
  treeOf,
  weights,
  written,
} from "../disk-world.ts";

const at = "2027-01-01T00:00:00Z";

interface DiskQuestion {
  readonly image?: Uint8Array;
  readonly of?: Model;
  readonly options?: ExpectOptions;
  readonly args?: readonly string[];
}
function disk({ image = imageOf(), of = model, options = {}, args = [] }: DiskQuestion = {}): Promise<Ran> {
  const list = written("expect.json", expectText(of, options));
  return runPm(["disk", "verify", written("disk.img", image), "--expect", list, "--at", at, "--json", ...args]);
}
const withEdit = (edits: Readonly<Record<string, ErofsNode | undefined>>) => (): Promise<Ran> =>
  disk({ image: edited(edits) });

const states = erofsStates(prng("coverage of disks"));
const state =
  (name: keyof ErofsStates, args: readonly string[] = []) =>
  (): Promise<Ran> =>
    disk({ image: states[name], args });

const made = makeErofs(treeOf(nodesOf()));
const foreign = changed(made.bytes, (view) => view.setUint16(made.place("config.json").inode + 24, 1000, true));
const other = Buffer.from(imageOf());
other[1104] = 1;
const same = file("{}\n");
const extra = (path: string): Model => ({ ...model, [path]: { blob: "x", mode: "100644" } });

export const diskRuns = {
  "disk as demanded": () => disk({ args: ["--root", rootOf(imageOf()), "--data-size", String(imageOf().length)] }),
  "disk without a file": withEdit({ empty: undefined }),
  "disk with a further file": withEdit({ "extra.json": file("") }),
  "disk with a folder for a file": withEdit({ empty: directory({}) }),
  "disk with a pointer": withEdit({ "weights/model.safetensors": file(pointerTo(weights)) }),
  "disk with another file": withEdit({ "config.json": file("[]\n") }),
  "disk of the other layout": () => disk({ args: ["--root", rootOf(withChecksum(other))] }),
  "disk of another root": () => disk({ args: ["--root", "ab".repeat(32)] }),
  "disk with a file of somebody's": () => disk({ image: foreign }),
  "disk with an open file": withEdit({ empty: file("", { mode: 0o666 }) }),
  "disk with two names of a file": () =>
    disk({
      image: edited({ "config.json": same, copy: same }),
      of: { ...model, copy: { blob: "{}\n", mode: "100644" } },
    }),
  "disk with files left out": () =>
    disk({ options: { excluded: ["original/*"], excludedFiles: { "original/a": { blob: "a", mode: "100644" } } } }),
  "disk with a program": () => disk({ image: edited({ "a.py": file("x") }), of: extra("a.py") }),
  "disk with a pickle": () => disk({ image: edited({ "a.pt": file("x") }), of: extra("a.pt") }),
  "disk without a superblock": state("erofs-superblock"),
  "disk with an inode of no kind": state("erofs-inode"),
  "disk with an entry of another kind": state("erofs-directory"),
  "disk with data behind its end": state("erofs-range"),
  "disk with too many inodes": state("erofs-tree"),
  "disk with another checksum": state("image-checksum"),
  "disk without a checksum": state("image-checksum-missing"),
  "disk of fewer blocks": state("image-size", ["--data-size", String(states.good.length)]),
  "disk that is cut": state("image-truncated"),
  "disk with a UUID": state("image-fields"),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
