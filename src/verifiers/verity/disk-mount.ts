/** Whether all that a disk mounter's pod says of its disk speaks of one disk (verity note, section 6, a and b). */
import { type Answers, broken, cannot, holds } from "../../claims/answer.ts";
import type { modelDisk } from "./disk-claims.ts";
import type { DiskInputs, Mounter } from "./disk-types.ts";

type Code = "disk-device-differs" | "disk-claim-differs" | "disk-folder-differs" | "disk-unread";

export function mounted(m: Mounter, { deployment, rules }: DiskInputs): Answers<typeof modelDisk>["verity.disk.mount"] {
  if ("reason" in m.disk)
    return m.disk.open === true
      ? cannot(`${m.where}: ${m.disk.reason}`, "disk-arguments-unread")
      : broken(`${m.where}: ${m.disk.reason}`, "disk-arguments-wrong");
  const { names } = m;
  if (names === undefined) return cannot("no names follow from the arguments: a bug in pm");
  const [device, ...more] = m.devices;
  const server = m.readers.find((r) => r.server && r.names.length > 0);
  const problems: { readonly code: Code; readonly text: string }[] = [
    ...(device?.path === names.device && more.length === 0
      ? []
      : [{ code: "disk-device-differs" as const, text: placed(m.devices, (d) => d.path) || `no device, ${m.where}` }]),
    ...(device === undefined || (device.kind === "persistentVolumeClaim" && device.claim === names.claim)
      ? []
      : [{ code: "disk-claim-differs" as const, text: placed([device], claimOf) }]),
    ...(m.shares.length > 0 ? [] : [{ code: "disk-folder-differs" as const, text: `${names.folder}, ${m.where}` }]),
    ...(m.shares.length === 0 || server !== undefined
      ? []
      : [{ code: "disk-unread" as const, text: placed(m.readers, (r) => r.container) || "nobody mounts the folder" }]),
  ];
  const [first] = problems;
  const unknown = m.readers.filter((r) => r.server).flatMap((r) => r.unknown);
  if (first?.code === "disk-unread" && unknown.length > 0)
    return cannot(`not in the deployment file: the value of ${unknown.join(", ")}`, "disk-unread");
  const said = (device: string, claim: string, folder: string, read: string): string =>
    `device ${device}, claim ${claim}, folder ${folder}, read at ${read}`;
  return holds(
    problems.length === 0,
    { value: said(names.device, names.claim, "shared", "a path on the disk"), origin: rules },
    {
      value: said(
        m.devices.map((d) => d.path).join(", ") || "none",
        m.devices.map(claimOf).join(", ") || "none",
        m.shares.length > 0 ? "shared" : "not shared",
        server === undefined ? "no path on the disk" : "a path on the disk",
      ),
      origin: deployment,
      at: m.where,
    },
    first?.code ?? "disk-unread",
    problems.map((p) => `${p.code}: ${p.text}`).join("; "),
  );
}

const claimOf = (d: Mounter["devices"][number]): string =>
  d.claim ?? `${d.volume} (${d.kind || "no volume of the pod"})`;
const placed = <T extends { readonly where: string }>(list: readonly T[], text: (item: T) => string): string =>
  list.map((item) => `${text(item)}, ${item.where}`).join("; ");
