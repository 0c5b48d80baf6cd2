/** What a person says beside the profile: when, with which collateral, from where, and what to keep. */
import type { Profile } from "../profile/profile.ts";
import type { ApiKey } from "../sources/secret.ts";

export interface Settings {
  readonly profile: Profile;
  /** As it was named on the command line. */
  readonly target: string;
  readonly toolVersion: string;
  /** The wall clock at the start of the run. */
  readonly now: Date;
  /** Judgement time; absent: now in a live run, the captured time in a replay. */
  readonly at?: Date;
  readonly offline: boolean;
  /** Limit of all questions to services together. */
  readonly timeoutMs?: number;
  /** File or folder of vendor certificates and CRLs. */
  readonly collateral?: string;
  readonly testRoot?: { readonly file: string; readonly bytes: Uint8Array };
  readonly kdsUrl?: string;
  readonly apiKey?: ApiKey;
  /** Chosen by somebody else, 32 bytes. */
  readonly nonce?: Uint8Array;
  readonly beacon?: string;
  readonly requireFresh: boolean;
  readonly refreshCollateral: boolean;
  /** False: a pin that was taken over on first sight counts as the audited party's word. */
  readonly firstUse: boolean;
  /** Somebody watches: say what is waited for. */
  readonly progress?: boolean;
  /** Takes warnings and progress for stderr. */
  readonly notice: (text: string) => void;
}
