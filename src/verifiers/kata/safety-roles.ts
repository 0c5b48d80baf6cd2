/** Which container of a workload is what, and whether the workload reads prompts. */
import type { Origin } from "../../claims/answer.ts";
import type { Workload } from "./deployment.ts";
import type { Container } from "./deployment-pod.ts";
import type { ImageConfig } from "./image-config.ts";
import {
  pattern,
  type Recognised,
  type Role,
  type RolePattern,
  type SafetyCase,
  type SafetyRules,
} from "./safety-types.ts";
import { digestIn, type HeldImageConfig } from "./workload-types.ts";

/** The reference without digest and tag. */
export function repositoryOf(image: string): string {
  const [name = ""] = image.split("@", 1);
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  return colon < 0 ? name : name.slice(0, colon);
}

const isImage = (container: Container, images: readonly string[]): boolean => {
  const repository = repositoryOf(container.image);
  return images.some((image) => image !== "" && (repository === image || repository.endsWith(`/${image}`)));
};

function recognise(container: Container, rules: SafetyRules, config: ImageConfig | undefined): Recognised {
  const roles: readonly (readonly [Role, RolePattern, boolean])[] = [
    ["inference-proxy", rules.inferenceProxy, false],
    ["attestation-agent", rules.attestationAgent, false],
    ["disk-mounter", rules.diskMounter, false],
    ...rules.servers.map((server) => ["server", server, server.disk] as const),
    ["other", { images: rules.others, names: [] }, false],
  ];
  const image = roles.find(([, role]) => isImage(container, role.images));
  const [role, , disk] =
    image ?? roles.find(([, r]) => r.names.some((name) => pattern(name).test(container.name))) ?? [];
  return { container, role: role ?? "unknown", byImage: image !== undefined, disk: disk ?? false, config };
}

const gpuClass = /(^|-)gpu(-|$)/i;
/** A resource claim may be for a device of any kind. */
const gpuResource = /nvidia|gpu|^claim /i;

/**
 * A GPU is there where a container asks for one, or where the runtime class is for GPUs and anything runs that is not
 * known to need none: Privatemode's Coordinator uses the class of the GPU pods and has no GPU.
 */
export function caseOf(
  workload: Workload,
  rules: SafetyRules,
  deployment: Origin,
  configs: ReadonlyMap<string, HeldImageConfig>,
): SafetyCase {
  const containers = workload.containers.map((c) => recognise(c, rules, configs.get(digestIn(c.image) ?? "")?.config));
  const gpu =
    containers.some((c) => c.container.resources.some((name) => gpuResource.test(name))) ||
    (gpuClass.test(workload.runtimeClassName) && containers.some((c) => c.role !== "other"));
  const serving = gpu || containers.some((c) => c.role === "server" || c.role === "inference-proxy");
  return { workload, rules, deployment, containers, gpu, serving };
}
