/** An auditor who holds images and lists of some model disks, each case with one thing other. */
import type { Deployment } from "../../fixtures/generator/deployment.ts";
import { changed as editImage } from "../../fixtures/generator/erofs.ts";
import { modelImage } from "../../fixtures/generator/models.ts";
import { privatemodeDisks } from "../../fixtures/generator/privatemode.ts";
import type { ProfileOptions, ProfileValue } from "../../fixtures/generator/profile.ts";
import { finishedDisk } from "../../fixtures/generator/verity.ts";
import type { Container, Workload } from "../../fixtures/generator/workload.ts";
import { but, changed, good, type ReleaseQuestion } from "./release-world.ts";

const shape = "privatemode";
export const right = (): Deployment => good(shape);
export const diskNamed = (name: string) => {
  const found = privatemodeDisks(right().random).find((d) => d.name === name);
  if (found === undefined) throw new Error(`no model ${name}`);
  return found;
};

/** The auditor's files, some of them others; what runs is the same. */
export const holding = (files: Readonly<Record<string, Uint8Array | string>>, d = right()): Deployment =>
  Object.create(d, {
    files: {
      value: new Map([
        ...d.files,
        ...Object.entries(files).map(([name, content]): [string, Uint8Array] => [
          name,
          typeof content === "string" ? new Uint8Array(Buffer.from(content)) : content,
        ]),
      ]),
    },
  }) as Deployment;

const textOf = (name: string): string => Buffer.from(right().files.get(name) ?? "").toString();
/** models.yaml with one place edited, or another file of the auditor's. */
export const edited = (edit: (text: string) => string, name = "models.yaml"): Deployment =>
  holding({ [name]: edit(textOf(name)) });

/** The image without its verity area, with one file changed. */
export const otherWeights = (): Uint8Array =>
  modelImage(right().random, "granite", (path, content) =>
    path === "model.safetensors" ? Uint8Array.from(content, (byte, i) => (i === 4711 ? byte ^ 1 : byte)) : content,
  );
export const graniteImage = (): Uint8Array => modelImage(right().random, "granite");
/** As mkfs.erofs 1.9 writes the first block: LZ4_0PADDING set, the checksum that fits. */
export const otherLayout = (): Uint8Array => editImage(graniteImage(), (view) => view.setUint32(1104, 1, true));
export const held = (image: Uint8Array): Deployment => holding({ "disks/granite.img": image });
/** A finished disk whose superblock says another thing than its tree. */
export function lyingDisk(): Uint8Array {
  const data = graniteImage();
  const disk = finishedDisk(data);
  disk.fill(1, data.length + 88, data.length + 89);
  return disk;
}
/** A disk with a block behind its tree. */
export const longerDisk = (): Uint8Array =>
  new Uint8Array(Buffer.concat([finishedDisk(graniteImage()), Buffer.alloc(4096)]));

type Edit = (container: Container) => Container;
/** What runs, and what the auditor's deployment file says, with one container other. */
export const running = (name: string, edit: Edit, more: (w: Workload) => Workload = (w) => w): Deployment =>
  changed({
    shape,
    change: {
      workloads: (all) =>
        all.map((w) =>
          w.containers.some((c) => c.name === name)
            ? more({ ...w, containers: w.containers.map((c) => (c.name === name ? edit(c) : c)) })
            : w,
        ),
    },
  });
export const withRoot =
  (root: string): Edit =>
  (c) => ({ ...c, args: [...(c.args ?? []).slice(0, 2), root] });

type Said = Readonly<Record<string, unknown>>;
const imagesOf = (profile: ProfileValue): readonly Said[] =>
  (profile["disks"] as { readonly images: readonly Said[] }).images;
/** The profile's list of images, edited. */
export const images =
  (edit: (images: readonly Said[]) => readonly Said[]) =>
  (profile: ProfileValue): ProfileValue =>
    but("disks", { images: edit(imagesOf(profile)) })(profile);
/** Every root but those of these models. */
export const forgetting = (...names: readonly string[]) =>
  images((all) => all.filter((i) => !names.some((n) => i["root"] === diskNamed(n).root)));

export interface DiskQuestion extends ReleaseQuestion {
  readonly change?: NonNullable<ProfileOptions["change"]>;
}
export const question = ({ change, ...more }: DiskQuestion = {}): ReleaseQuestion => ({
  auditor: right(),
  profile: { disks: true, ...(change === undefined ? {} : { change }) },
  ...more,
});
