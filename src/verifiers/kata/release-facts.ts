/**
 * What a release is told apart by: image digests and disk roots of each workload, once out of a deployment file and once
 * out of the policies that were attested. Both sides are read by the same rules, and what cannot be read is an error.
 */
import { unsupported } from "../../errors.ts";
import { decodePolicyBody, policyKey } from "./body.ts";
import type { DeploymentFile } from "./deployment.ts";
import { decodePolicyData, type PolicyContainer, splitPolicy } from "./policy-data.ts";
import { laxStatements } from "./rego.ts";
import { digestIn, textsOf } from "./workload-types.ts";

export interface DiskFact {
  readonly model: string;
  readonly index: string;
  /** As written: 64 hex digits. */
  readonly root: string;
}
export interface ContainerFacts {
  readonly name: string;
  /** `sha256:` and hex; in a deployment file also a whole reference that has no digest, which equals nothing. */
  readonly image: string;
  readonly disk: DiskFact | undefined;
}
export interface WorkloadFacts {
  /** WorkloadSecretID. */
  readonly workload: string;
  readonly containers: readonly ContainerFacts[];
}

/** Containers that `contrast generate` adds (policy.md 2): a deployment file before that has none of them. */
export const injected: readonly string[] = ["contrast-initializer", "contrast-service-mesh"];

/** @throws PmError PM_EVIDENCE_UNSUPPORTED for a disk mounter whose arguments name no disk */
export const factsOfDeployment = ({ workloads }: DeploymentFile): WorkloadFacts[] =>
  workloads
    .filter((w) => w.confidential)
    .map(({ workloadSecretId, containers }) => ({
      workload: workloadSecretId,
      containers: containers.map(({ name, image, command, args, where }) => ({
        name,
        image: digestIn(image) ?? `${image} (no digest)`,
        disk: diskOf(name, [image], textsOf([...(command ?? []), ...(args ?? [])]), where),
      })),
    }));

/**
 * @param body whose digest is a key of the manifest
 * @throws PmError for what is not a policy, for data that the rules may not read, for a container without one image digest
 */
export function factsOfPolicy(body: Uint8Array): ContainerFacts[] {
  const policy = decodePolicyBody(body).data.get(policyKey);
  if (policy === undefined) throw unsupported("the body has no policy");
  const { json, rivals, rules } = splitPolicy(policy);
  if (json === undefined) throw unsupported("no line of the policy begins with policy_data :=");
  const [doubt] = [...rivals, ...laxStatements(rules)];
  if (doubt !== undefined) throw unsupported(`the rules may not go by policy_data: ${doubt}`);
  const { containers } = decodePolicyData(json);
  // The sandbox is part of the guest image, and pulls none; a first container that is no sandbox counts like any other.
  const [first, ...others] = containers;
  const own = first === undefined || isSandbox(first) ? others : containers;
  if (own.length === 0) throw unsupported("policy_data lists no container");
  return own.map((c) => {
    const name = c.name ?? c.at;
    if (c.args === undefined) throw unsupported(`${name}: no Args`);
    const references = c.images.map((i) => i.reference);
    return { name, image: imageOf(name, references), disk: diskOf(name, references, c.args, c.at) };
  });
}

const pause = /^([\w.:/-]+\/)?pause([:@]|$)/;
const isSandbox = ({ type, images }: PolicyContainer): boolean =>
  type === "sandbox" && images.every((i) => pause.test(i.reference));

/** The image, its annotation and what the guest pulls are spellings of one fact: all that are there must agree. */
function imageOf(container: string, references: readonly string[]): string {
  const [digest, ...others] = new Set(references.map(digestIn));
  if (digest === undefined) throw unsupported(`${container}: names no image by digest`);
  if (others.length > 0) throw unsupported(`${container}: names several images: ${references.join(", ")}`);
  return digest;
}

/** A disk mounter's arguments end in model, index and root hash (policy.md 4c); it is known by them, or by its name. */
function diskOf(name: string, images: readonly string[], args: readonly string[], where: string): DiskFact | undefined {
  const [model, index, root] = args.slice(-3);
  if (model !== undefined && index !== undefined && root !== undefined)
    if (/^\d{1,4}$/.test(index) && /^[0-9a-fA-F]{64}$/.test(root)) return { model, index, root };
  if (name.startsWith("disk-mounter") || images.some((i) => /(^|\/)disk-mounter[:@]/.test(i)))
    throw unsupported(`${name}: ${where}: the arguments of a disk mounter do not end in model, index and root hash`);
  return undefined;
}

export interface Difference {
  readonly workload: string;
  /** null: the workload as a whole. */
  readonly container: string | null;
  readonly field: "workload" | "image" | "disk";
  /** Of the deployment file; null: not there. */
  readonly source: string | null;
  /** Of the policies; null: not there. */
  readonly attested: string | null;
}
export interface Injected {
  readonly workload: string;
  readonly container: string;
  readonly image: string;
}

/**
 * Empty when both sides hold the same workloads, containers, image digests and disks, none twice.
 * A workload that one side lacks is a difference, and so is each fact of it: less in common is farther away.
 */
export function differencesOf(source: readonly WorkloadFacts[], attested: readonly WorkloadFacts[]): Difference[] {
  return pairs(source, attested, (w) => w.workload).flatMap(({ name: workload, a, b }) => [
    ...((a === undefined) === (b === undefined)
      ? []
      : [
          {
            workload,
            container: null,
            field: "workload" as const,
            source: a === undefined ? null : "there",
            attested: b === undefined ? null : "there",
          },
        ]),
    ...pairs(a?.containers ?? [], comparedOf(b, a), (c) => c.name).flatMap(({ name: container, a: own, b: other }) => {
      const fact = (field: "image" | "disk", x: string | null, y: string | null): Difference[] =>
        x === y ? [] : [{ workload, container, field, source: x, attested: y }];
      return [
        ...fact("image", own?.image ?? null, other?.image ?? null),
        ...fact("disk", diskText(own?.disk), diskText(other?.disk)),
      ];
    }),
  ]);
}

/** Each word can be told from the next. */
const diskText = (disk: DiskFact | undefined): string | null =>
  disk === undefined ? null : JSON.stringify([disk.model, disk.index, disk.root]);

const isInjected = (container: ContainerFacts, source: WorkloadFacts | undefined): boolean =>
  injected.includes(container.name) && !(source?.containers ?? []).some((c) => c.name === container.name);

/** The policy's containers without those that Contrast adds, once each: a second one of such a name is compared. */
function comparedOf(policy: WorkloadFacts | undefined, source: WorkloadFacts | undefined): readonly ContainerFacts[] {
  const all = policy?.containers ?? [];
  return all.filter((c, i) => !isInjected(c, source) || all.findIndex((other) => other.name === c.name) !== i);
}

/** Containers of the policies that `differencesOf` leaves out. */
export const injectedIn = (source: readonly WorkloadFacts[], attested: readonly WorkloadFacts[]): Injected[] =>
  pairs(source, attested, (w) => w.workload).flatMap(({ name: workload, a, b }) => {
    const compared = new Set(comparedOf(b, a));
    return (b?.containers ?? [])
      .filter((c) => !compared.has(c))
      .map(({ name: container, image }) => ({ workload, container, image }));
  });

interface Pair<T> {
  readonly name: string;
  readonly a: T | undefined;
  readonly b: T | undefined;
}
/** By name, and where a name stands several times by its turn. */
function pairs<T>(a: readonly T[], b: readonly T[], nameOf: (item: T) => string): Pair<T>[] {
  const groups = new Map<string, { readonly a: T[]; readonly b: T[] }>();
  const groupOf = (item: T): { readonly a: T[]; readonly b: T[] } => {
    const name = nameOf(item);
    const group = groups.get(name) ?? { a: [], b: [] };
    groups.set(name, group);
    return group;
  };
  for (const item of a) groupOf(item).a.push(item);
  for (const item of b) groupOf(item).b.push(item);
  return [...groups].flatMap(([name, group]) =>
    Array.from({ length: Math.max(group.a.length, group.b.length) }, (_, i) => ({
      name,
      a: group.a[i],
      b: group.b[i],
    })),
  );
}
