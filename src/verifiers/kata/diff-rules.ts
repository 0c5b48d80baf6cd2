/**
 * What a change of policy_data means (Kata Containers, genpolicy, policy_data): it lists what the host may ask the guest
 * for, so a further entry is weaker. What the guest's own rules make of a value is unknown where nothing is said here.
 */
import type { Grade } from "../../claims/answer.ts";
import type { Json } from "../../report/report.ts";
import { digestIn } from "./workload-types.ts";

export type Graded = readonly [grade: Grade, meaning: string];
/** undefined: the rule says nothing about this change. */
type Judge = (before: Json | undefined, after: Json | undefined) => Graded | undefined;
interface DataRule {
  /** Of a pointer below policy_data whose list indexes are written `*`. */
  readonly path: RegExp;
  readonly judge: Judge;
}

const plainly: Graded = ["unknown", "unknown until somebody explains it"];

/** A list of what is permitted. */
const permits =
  (what: string, removed: Grade = "stronger"): Judge =>
  (before, after) =>
    before === undefined ? ["weaker", `${what} more`] : after === undefined ? [removed, `${what} less`] : undefined;
/** A list of what is forbidden. */
const forbids =
  (what: string): Judge =>
  (before, after) =>
    before === undefined ? ["stronger", `${what} more`] : after === undefined ? ["weaker", `${what} less`] : undefined;
/** A truth value; left out, it is false. */
const flag =
  (whenTrue: Grade, whenFalse: Grade, what: string): Judge =>
  (before, after) =>
    (before ?? false) === false && after === true
      ? [whenTrue, `${what} is now on`]
      : before === true && (after ?? false) === false
        ? [whenFalse, `${what} is now off`]
        : undefined;

const digest = (reference: Json | undefined): string | undefined =>
  typeof reference === "string" ? digestIn(reference) : undefined;
/** Only the digest decides what is pulled; repository and tag are names for people. */
const image: Judge = (before, after) => {
  if (typeof before !== "string" || typeof after !== "string") return undefined;
  const [was, is] = [digest(before), digest(after)];
  if (was === undefined && is === undefined) return ["unknown", "an image without a SHA-256 digest, before and after"];
  if (is === undefined) return ["weaker", "the image is no longer named by its digest"];
  if (was === undefined) return ["stronger", "the image is now named by its digest"];
  return was === is
    ? ["neutral", "the same image digest under another name or tag"]
    : ["unknown", "another image: unknown until its digest is explained"];
};

const privileged = "$(privileged_caps)";
const capability: Judge = (before, after) => {
  if (before === privileged) return ["stronger", "the container is no longer privileged"];
  if (after === privileged) return ["weaker", "the container is privileged"];
  // The default list stands for many: what came in its place may be more or less.
  if ([before, after].some((c) => typeof c === "string" && c.startsWith("$("))) return plainly;
  return permits("one capability")(before, after);
};
const writable: Judge = (before, after) =>
  before === "ro" && after === "rw"
    ? ["weaker", "the container may write to the mount"]
    : before === "rw" && after === "ro"
      ? ["stronger", "the container may no longer write to the mount"]
      : undefined;
const rootUser: Judge = (before, after) =>
  after === 0 ? ["weaker", "runs as root"] : before === 0 ? ["stronger", "runs as root no more"] : undefined;

const container = "/containers/\\*";
const oci = `${container}/OCI/Process`;
const rule = (path: string, judge: Judge): DataRule => ({ path: new RegExp(`^${path}$`), judge });

/** The first that says something counts. */
const dataRules: readonly DataRule[] = [
  // Nothing forces a container to start, and the one that is gone may have guarded the others.
  rule(container, (before, after) =>
    before === undefined
      ? ["weaker", "a further container may be started"]
      : after === undefined
        ? ["unknown", "a container that may be started no more; what it did for the others is not said here"]
        : undefined,
  ),
  rule(`${container}/image`, image),
  rule(`${container}/OCI/Annotations/io\\.kubernetes\\.cri\\.image-name`, image),
  rule(`${container}/storages/\\*/source`, image),
  rule(`${oci}/User/[UG]ID`, rootUser),
  rule(`${oci}/NoNewPrivileges`, flag("stronger", "weaker", "NoNewPrivileges")),
  rule(`${oci}/Capabilities/[A-Za-z]+/\\*`, capability),
  rule(`${container}/OCI/Root/Readonly`, flag("stronger", "weaker", "a read-only root file system")),
  rule(`${container}/OCI/Linux/Devices/\\*`, permits("one device that the container has", "unknown")),
  rule(`${container}/OCI/Linux/MaskedPaths/\\*`, forbids("one path of the kernel that the container does not see")),
  rule(`${container}/OCI/Linux/ReadonlyPaths/\\*`, forbids("one path of the kernel that the container cannot write")),
  rule(`${oci}/User/AdditionalGids/\\*`, permits("one group that the process belongs to")),
  rule(`${container}/OCI/Mounts/\\*/options/\\*`, writable),
  rule(`${container}/sandbox_pidns`, flag("weaker", "stronger", "seeing the processes of the whole pod")),
  rule(`${container}/runtime_anno_patterns/[^/]+`, permits("one pattern of annotations that the host may set")),
  rule(`${container}/exec_commands/\\*`, permits("one command that may be executed in the container")),
  rule(`${container}/devices/\\*`, permits("one device that may be handed to the container", "unknown")),
  rule(
    "/request_defaults/CreateContainerRequest/allow_env_regex/\\*",
    permits("one pattern of environment that the host chooses"),
  ),
  rule("/request_defaults/CopyFileRequest/\\*", permits("one place into which the host may copy files")),
  rule(
    "/request_defaults/ExecProcessRequest/(?:allowed_commands|regex)/\\*",
    permits("one command that the host may execute"),
  ),
  rule("/request_defaults/[A-Za-z]+Request/forbidden_[a-z_]+/\\*", forbids("one value that the host is refused")),
  rule("/request_defaults/([A-Za-z]+Request)", flag("weaker", "stronger", "a request of the host")),
];

/** @param path pointer below policy_data with `*` for list indexes */
export function gradeData(path: string, before: Json | undefined, after: Json | undefined): Graded {
  for (const { path: pattern, judge } of dataRules) {
    const graded = pattern.test(path) ? judge(before, after) : undefined;
    if (graded !== undefined) return graded;
  }
  return plainly;
}
