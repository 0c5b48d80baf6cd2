/** Initdata documents and policies made for the tests of this folder. */
import { gzipSync } from "node:zlib";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const digestA = `sha256:${"a".repeat(64)}`;
export const digestB = `sha256:${"b".repeat(64)}`;

export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly annotated?: string;
  readonly pulled?: string;
  readonly sandbox?: boolean;
}

const container = ({ name, image, annotated, pulled, sandbox }: Container): unknown => ({
  OCI: {
    Annotations: {
      ...(name === undefined ? {} : { "io.kubernetes.cri.container-name": name }),
      ...(annotated === undefined ? {} : { "io.kubernetes.cri.image-name": annotated }),
      "io.kubernetes.cri.container-type": sandbox ? "sandbox" : "container",
    },
  },
  ...(image === undefined ? {} : { image }),
  storages: pulled === undefined ? [] : [{ driver: "image_guest_pull", source: pulled }],
});

/** The text of an agent policy, as genpolicy lays it out. */
export const policyText = (
  containers: readonly Container[],
  rules = "package agent_policy\n\ndefault A := false\n",
): string => `${rules}\npolicy_data := ${JSON.stringify({ containers: containers.map(container) }, null, 2)}`;

export const pinnedPolicy = policyText([
  { sandbox: true },
  { name: "worker", annotated: `registry.test/worker:v1@${digestA}` },
]);

/** An initdata document in the layout of Go's encoder. */
export const initdata = (
  data: Readonly<Record<string, string>> = { "policy.rego": pinnedPolicy },
  algorithm = "sha256",
): string =>
  `version = '0.1.0'\nalgorithm = '${algorithm}'\n\n[data]\n${Object.entries(data)
    .map(([key, value]) => `'${key}' = '''\n${value}'''\n`)
    .join("")}`;

export const annotation = (document: string | Uint8Array): string => gzipSync(document).toString("base64");

/** The block device of the guest: magic, length, gzip, zeros up to 512. */
export function device(document: string | Uint8Array): Uint8Array {
  const member = gzipSync(document);
  const image = Buffer.alloc(Math.ceil((16 + member.length) / 512) * 512);
  image.write("initdata", "latin1");
  image.writeBigUInt64LE(BigInt(member.length), 8);
  image.set(member, 16);
  return new Uint8Array(image);
}
