/** What a person says beside the profile: when, with which collateral, from where, and what to keep. */
import type { DisksPlan } from "../chain/disks.ts";
import type { Profile } from "../profile/profile.ts";
import type { ApiKey } from "../sources/secret.ts";
import type { Recomputed } from "./generate.ts";
import type { VendorSettings } from "./vendor.ts";

export interface Settings extends VendorSettings {
  readonly profile: Profile;
  /** As it was named on the command line. */
  readonly target: string;
  readonly toolVersion: string;
  /** The wall clock at the start of the run. */
  readonly now: Date;
  /** Judgement time; absent: now in a live run, the captured time in a replay. */
  readonly at?: Date;
  /** File or folder of vendor certificates and CRLs. */
  readonly collateral?: string;
  readonly apiKey?: ApiKey;
  /** Chosen by somebody else, 32 bytes. */
  readonly nonce?: Uint8Array;
  readonly beacon?: string;
  /** Public key of the secret exchange, chosen by somebody else. */
  readonly exchangeKey?: Uint8Array;
  readonly requireFresh: boolean;
  readonly refreshCollateral: boolean;
  /** False: a pin that was taken over on first sight counts as the audited party's word. */
  readonly firstUse: boolean;
  /** The manifest that this run made anew, where the profile's reference is that. */
  readonly recomputed?: Recomputed;
  /** The profile's model disks with their images measured, where it has any. */
  readonly disks?: DisksPlan;
  /** Takes warnings and progress for stderr. */
  readonly notice: (text: string) => void;
}
