/** Requests before they are filled, open for one change in place: the members that legitimate requests have and probes touch. */

export interface StorageDraft {
  driver: string;
  driver_options: string[];
  source: string;
  fstype: string;
  options: string[];
  mount_point: string;
  fs_group: unknown;
  shared: boolean;
}
export interface MountDraft {
  destination: string;
  source: string;
  type_: string;
  options: string[];
}
export interface ProcessDraft {
  Terminal: boolean;
  User: { UID: number; GID: number; AdditionalGids: number[]; Username: string };
  Args: string[];
  Env: string[];
  Cwd: string;
  Capabilities: Record<string, string[]>;
  NoNewPrivileges: boolean;
  ApparmorProfile?: string;
  SelinuxLabel?: string;
  OOMScoreAdj?: number;
  Rlimits?: unknown[];
}
export interface LinuxDraft {
  Namespaces: { Type: string; Path: string }[];
  MaskedPaths: string[];
  ReadonlyPaths: string[];
  Devices: unknown[];
  Sysctl: Record<string, string>;
  Resources: { Devices: unknown[] };
  RootfsPropagation?: string;
  UIDMappings?: unknown[];
  MountLabel?: string;
  Seccomp?: unknown;
}
export interface OciDraft {
  Version: string;
  Root: { Path: string; Readonly: boolean };
  Annotations: Record<string, string>;
  Process: ProcessDraft;
  Mounts: MountDraft[];
  Linux: LinuxDraft;
  Hooks?: unknown;
}
/** CreateContainerRequest. */
export interface ContainerDraft {
  container_id: string;
  exec_id: string;
  sandbox_pidns: boolean;
  storages: StorageDraft[];
  devices: { container_path: string; [name: string]: unknown }[];
  OCI: OciDraft;
  string_user?: unknown;
  shared_mounts?: unknown[];
  [name: string]: unknown;
}
/** CreateSandboxRequest. */
export interface SandboxDraft {
  hostname: string;
  dns: string[];
  storages: StorageDraft[];
  sandbox_pidns: boolean;
  sandbox_id: string;
  guest_hook_path: string;
  kernel_modules: { name: string; parameters: string[] }[];
}
