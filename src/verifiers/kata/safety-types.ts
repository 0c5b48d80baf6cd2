/** What a service's rules call safe, as plain data, and the case that the rules are asked about. */
import type { Origin } from "../../claims/answer.ts";
import { usage } from "../../errors.ts";
import type { Workload } from "./deployment.ts";
import type { Container } from "./deployment-pod.ts";
import type { ImageConfig } from "./image-config.ts";

/**
 * How a container is recognised. An image counts by the end of its repository, `disk-mounter` or `privatemode/disk-mounter`,
 * so that a mirror works: which image the digest is, other claims say. A name alone puts duties on a container and gives
 * it no rights: it may neither hold a disk nor stand for the proxy or the agent that a pod must have.
 */
export interface RolePattern {
  readonly images: readonly string[];
  /** Regular expressions over the container's name. */
  readonly names: readonly string[];
}
/** A role whose arguments are read: what runs must be the program of the image. */
export interface ProgramRole extends RolePattern {
  /** Paths of the program in its image, for a container with a command of its own. */
  readonly programs: readonly string[];
  /** Lines of a shell script that may stand before `exec PROGRAM "$@"`. */
  readonly preludes: readonly string[];
}
export interface ServerRole extends RolePattern {
  /** It serves a model from a disk. */
  readonly disk: boolean;
}
/** An argument or variable that switches something on. */
export interface Switch {
  readonly name: string;
  /** Lower case; absent: any value. */
  readonly values?: readonly string[];
}

export interface SafetyRules {
  /** Of the service, for reports. */
  readonly name: string;
  readonly inferenceProxy: ProgramRole & {
    readonly adapterTypeFlags: readonly string[];
    readonly adapterTypes: readonly string[];
    readonly addressFlags: readonly string[];
    /** The port is put behind the address: anything but digits could make another host of both. */
    readonly portFlags: readonly string[];
    /** Names that count as loopback beside 127.0.0.0/8 and ::1. What a name stands for, /etc/hosts says, a file of the host's. */
    readonly loopbackNames: readonly string[];
  };
  readonly attestationAgent: ProgramRole & {
    readonly driverFlags: readonly string[];
    /** Regular expression over one entry. */
    readonly driverVersion: string;
    readonly vbiosFlags: readonly string[];
    readonly vbiosVersion: string;
    /** Variables that say which GPUs a container sees, with the values that show it all: of no GPU there is nothing to attest. */
    readonly visible: readonly Switch[];
  };
  /** `$(model)` and `$(index)` stand for the mounter's own arguments. */
  readonly diskMounter: ProgramRole & {
    /** Path of the block device that it opens. */
    readonly device: string;
    /** Folder that it mounts the disk on. */
    readonly folder: string;
    /** Name of the volume claim. */
    readonly claim: string;
  };
  /** What reads prompts: each needs a proxy. */
  readonly servers: readonly ServerRole[];
  /** Images that read no prompts. */
  readonly others: readonly string[];
  readonly promptLogs: {
    readonly flags: readonly Switch[];
    readonly env: readonly Switch[];
    /** Arguments that take further arguments out of a file. */
    readonly files: readonly string[];
  };
  /** Arguments by which code that comes with a model is run. */
  readonly remoteCode: readonly string[];
}

export type Role = "inference-proxy" | "attestation-agent" | "disk-mounter" | "server" | "other" | "unknown";
export interface Recognised {
  readonly container: Container;
  readonly role: Role;
  /** Recognised by its image, and not by its name alone. */
  readonly byImage: boolean;
  /** A server that needs a disk. */
  readonly disk: boolean;
  /** What the image starts by itself; undefined: not given, and kata.container.env says so. */
  readonly config: ImageConfig | undefined;
}

export interface SafetyCase {
  readonly workload: Workload;
  readonly rules: SafetyRules;
  readonly deployment: Origin;
  /** In the order in which they start. */
  readonly containers: readonly Recognised[];
  readonly gpu: boolean;
  /** Prompts are read here: a GPU, a server or a proxy. */
  readonly serving: boolean;
}

/** @throws PmError PM_USAGE for what is no regular expression: rules are the auditor's own */
export function pattern(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch {
    throw usage(`not a regular expression: ${text}`);
  }
}
