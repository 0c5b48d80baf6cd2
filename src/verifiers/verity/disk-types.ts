/** What is known of a model disk from four sides: the deployment file, the audited party's list, the auditor's profile, the auditor's image. */
import type { Origin } from "../../claims/answer.ts";
import type { PmError } from "../../errors.ts";
import type { ErofsEntry } from "./erofs/index.ts";
import type { ExpectedFiles } from "./expect.ts";
import type { Digests } from "./files-listing.ts";
import type { ModelsFile } from "./models.ts";

/** A disk mounter as the auditor's deployment file describes it. */
export interface Mounter {
  /** WorkloadSecretID. */
  readonly workload: string;
  readonly container: string;
  readonly image: string;
  readonly disk:
    | { readonly model: string; readonly index: string; readonly rootHash: string }
    | { readonly reason: string; readonly open?: true };
  /** Of its arguments. */
  readonly where: string;
  readonly overridden: boolean;
  readonly names: { readonly device: string; readonly folder: string; readonly claim: string } | undefined;
  readonly devices: readonly {
    readonly path: string;
    readonly volume: string;
    readonly kind: string;
    readonly claim: string | undefined;
    readonly where: string;
  }[];
  readonly shares: readonly string[];
  readonly readers: readonly {
    readonly container: string;
    readonly server: boolean;
    readonly folder: string;
    readonly names: readonly string[];
    readonly unknown: readonly string[];
    readonly where: string;
  }[];
  readonly remoteCode: readonly string[];
}

export interface ListedFiles {
  readonly entries: readonly ErofsEntry[];
  /** Of each regular file, by path. */
  readonly digests: ReadonlyMap<string, Digests>;
}

/** Facts of an image that the auditor holds, measured in this run under Privatemode's parameters. */
export interface MeasuredImage {
  readonly name: string;
  readonly sizeBytes: number;
  /** Blocks of the EROFS superblock, in bytes: where the verity superblock of a finished disk begins. */
  readonly dataBytes: number;
  /** Lower-case hex. */
  readonly rootHash: string;
  /** The root if the first block were as the other layout of mkfs.erofs writes it (verity note, 7); undefined: there is none. */
  readonly otherRootHash: string | undefined;
  /** The 512 bytes behind the data, of a disk that goes on there. */
  readonly superblock: Uint8Array | undefined;
  /** Files with their digests, or why they could not be read; undefined: nobody asked. */
  readonly files: ListedFiles | PmError | undefined;
}

/** What the profile holds for one root hash. */
export interface HeldDisk {
  /** Lower-case hex. */
  readonly rootHash: string;
  /** Member of the profile. */
  readonly at: string;
  /** undefined: the profile names none. */
  readonly image: MeasuredImage | { readonly name: string; readonly problem: PmError } | undefined;
  readonly expect: { readonly files: ExpectedFiles; readonly origin: Origin } | undefined;
}

export interface DiskInputs {
  /** The audited party's list, or why it could not be read. */
  readonly models: ModelsFile | undefined;
  readonly modelsOrigin: Origin;
  readonly deployment: Origin;
  readonly profile: Origin;
  /** Who says what a mounter's names must be. */
  readonly rules: Origin;
  readonly held: readonly HeldDisk[];
}
