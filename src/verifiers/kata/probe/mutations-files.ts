/** Changes of what the container sees as files: image, storages, mounts and root. */
import type { ContainerDraft, StorageDraft } from "./draft.ts";
import { guestPull, imageAnnotation } from "./legitimate.ts";
import { hostFreedom, type Mutation, mustDeny } from "./mutation.ts";
import { otherBundleId } from "./placeholders.ts";

const image = "kata.probe.other_image_denied";
const mount = "kata.probe.foreign_mount_denied";
const dropped = "kata.probe.mounts_dropped";
const unpinned = "kata.probe.unpinned_fields";

const digest = `sha256:${"6".repeat(64)}`;
const elsewhere = `registry.example/elsewhere/other@${digest}`;
const pull = ({ storages }: ContainerDraft): StorageDraft | undefined => storages.find((s) => s.driver === guestPull);

/** Another source for the image that the guest pulls; metadata that names the image goes along when `everywhere`. */
function pullOf(request: ContainerDraft, source: (before: string) => string, everywhere = false): boolean {
  const found = pull(request);
  if (found === undefined || found.source === "") return false;
  const before = found.source;
  found.source = source(before);
  if (everywhere) {
    found.driver_options = found.driver_options.map((o) => o.replaceAll(before, () => found.source));
    if (request.OCI.Annotations[imageAnnotation] !== undefined) request.OCI.Annotations[imageAnnotation] = found.source;
  }
  return true;
}

export const fileMutations: readonly Mutation[] = [
  mustDeny(
    image,
    "image-replaced",
    "Pulls another program than the one that was audited.",
    ({ request }) => pullOf(request, () => elsewhere),
    { again: true },
  ),
  mustDeny(
    image,
    "image-replaced-everywhere",
    "Pulls another program, and names it wherever an image is named.",
    ({ request }) => pullOf(request, () => elsewhere, true),
  ),
  mustDeny(image, "image-other-digest", "Pulls other content of the same repository.", ({ request }) =>
    pullOf(request, (before) => `${before.split("@", 1)[0]}@${digest}`),
  ),
  mustDeny(image, "image-without-digest", "Pulls whatever a tag points to at that moment.", ({ request }) =>
    pullOf(request, () => "registry.example/elsewhere/other:latest"),
  ),
  mustDeny(image, "image-second-pull", "Pulls a second image over the first.", ({ request }) => {
    const found = pull(request);
    if (found === undefined) return false;
    request.storages.push({ ...found, source: elsewhere });
  }),
  mustDeny(mount, "image-mounted-elsewhere", "Mounts the pulled image over a folder of the guest.", ({ request }) => {
    const found = pull(request);
    if (found === undefined) return false;
    found.mount_point = "/usr";
  }),

  mustDeny(
    mount,
    "storage-virtiofs",
    "Mounts a folder of the host into the guest.",
    ({ request }) => {
      request.storages.push({
        driver: "virtio-fs",
        driver_options: [],
        source: "kataShared",
        fstype: "virtiofs",
        options: [],
        mount_point: "/run/other",
        fs_group: null,
        shared: false,
      });
    },
    { again: true },
  ),
  mustDeny(
    mount,
    "storage-mounted-elsewhere",
    "Mounts a storage of the container over a folder of the guest.",
    ({ request }) => {
      const found = request.storages.find((s) => s.driver !== guestPull);
      if (found === undefined) return false;
      found.mount_point = "/etc";
    },
  ),
  mustDeny(
    mount,
    "storage-unencrypted",
    "Mounts a disk without the encryption that its policy asks for.",
    ({ request }) => {
      const keyed = (option: string): boolean => option.startsWith("encryption_key");
      const found = request.storages.find((s) => s.driver_options.some(keyed));
      if (found === undefined) return false;
      found.driver_options = found.driver_options.filter((o) => !keyed(o));
    },
  ),
  hostFreedom(dropped, "storage-dropped", "Leaves out a storage.", ({ request }) => {
    if (request.storages.length === 0) return false;
    request.storages.pop();
  }),

  mustDeny(
    mount,
    "mount-over-etc",
    "Puts files of the host over the container's configuration.",
    ({ oci }) => {
      oci.Mounts.push({
        destination: "/etc",
        source: "/run/kata-containers/shared/containers/x",
        type_: "bind",
        options: ["rbind", "rw"],
      });
    },
    { again: true },
  ),
  mustDeny(mount, "mount-twice", "Mounts the first mount a second time.", ({ oci }) => {
    const [first] = oci.Mounts;
    if (first === undefined) return false;
    oci.Mounts.push({ ...first });
  }),
  mustDeny(mount, "mount-destination", "Puts a mount over the container's programs.", ({ oci }) => {
    const last = oci.Mounts.at(-1);
    if (last === undefined) return false;
    last.destination = "/usr/bin";
  }),
  mustDeny(
    mount,
    "mount-source",
    "Puts other files at the place of a bind mount.",
    ({ oci }) => {
      const bind = oci.Mounts.find((m) => m.type_ === "bind");
      if (bind === undefined) return false;
      bind.source = "/etc/passwd";
    },
    { again: true },
  ),
  mustDeny(mount, "mount-options", "Makes a mount writable and executable.", ({ oci }) => {
    const [first] = oci.Mounts;
    if (first === undefined) return false;
    first.options = ["rw", "exec"];
  }),
  mustDeny(mount, "mount-type", "Mounts a file system that the host serves.", ({ oci }) => {
    const [first] = oci.Mounts;
    if (first === undefined) return false;
    first.type_ = "9p";
  }),
  hostFreedom(dropped, "mount-first-dropped", "Leaves out a mount.", ({ oci }) => {
    if (oci.Mounts.length === 0) return false;
    oci.Mounts.shift();
  }),
  hostFreedom(dropped, "mounts-all-dropped", "Leaves out every mount.", ({ oci }) => {
    oci.Mounts = [];
  }),
  hostFreedom(
    dropped,
    "mounts-reversed",
    "Mounts in another order.",
    ({ oci }) => {
      oci.Mounts.reverse();
    },
    { grade: "neutral" },
  ),
  mustDeny(mount, "shared-mount", "Shares a folder of another container.", ({ request }) => {
    request.shared_mounts = [{ name: "x", src_ctr: "y", src_path: "/", dst_ctr: "z", dst_path: "/" }];
  }),
  mustDeny(mount, "propagation-shared", "Lets mounts of the container reach the guest.", ({ linux }) => {
    linux.RootfsPropagation = "shared";
  }),

  mustDeny(mount, "root-elsewhere", "Starts the program on another root file system.", ({ oci }) => {
    oci.Root.Path = "/run/other/rootfs";
  }),
  mustDeny(mount, "root-of-another", "Starts the program on another container's root file system.", ({ oci }) => {
    const other = oci.Root.Path.replace(/[0-9a-f]{64}/, otherBundleId);
    if (other === oci.Root.Path) return false;
    oci.Root.Path = other;
  }),
  mustDeny(
    mount,
    "root-traversal",
    "Leaves the container's folder by way of the path's own steps upwards.",
    ({ oci }) => {
      const other = oci.Root.Path.replace(/\/[^/]*$/, (last) => `/../../..${last}`);
      if (other === oci.Root.Path) return false;
      oci.Root.Path = other;
    },
  ),
  mustDeny(mount, "root-readonly-flipped", "Makes the root file system writable, or takes that away.", ({ oci }) => {
    oci.Root.Readonly = !oci.Root.Readonly;
  }),
  hostFreedom(
    unpinned,
    "image-annotation",
    "Names another image in an annotation alone.",
    ({ oci }) => {
      if (oci.Annotations[imageAnnotation] === undefined) return false;
      oci.Annotations[imageAnnotation] = "registry.example/elsewhere/other:latest";
    },
    { grade: "neutral" },
  ),
];
