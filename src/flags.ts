/** Flags that several commands share, and their values as settings. Nothing is decided here. */
import { Flags } from "@oclif/core";
import { fromBase64, fromHex } from "./bytes/hex.ts";
import { usage } from "./errors.ts";
import { readInput } from "./input.ts";
import { parseTime } from "./time.ts";

const evidence = "EVIDENCE";
const trust = "TRUST AND TIME";

/** Where collateral comes from, for when, under whose root. */
export const collateralFlags = {
  at: Flags.string({
    description: "Judge for this time: RFC 3339 or Unix seconds.",
    helpGroup: trust,
    helpValue: "TIME",
  }),
  offline: Flags.boolean({ description: "Open no socket.", helpGroup: trust }),
  "kds-url": Flags.string({
    description: "Base URL of AMD's key distribution service, or of a mirror of it.",
    helpGroup: trust,
    helpValue: "URL",
  }),
  "insecure-trust-root": Flags.file({
    description: "TEST ONLY: trust this root certificate in place of AMD's.",
    helpGroup: trust,
    helpValue: "FILE",
  }),
  timeout: Flags.string({
    description: "Limit of all questions to services together; default 120, and 20 for each.",
    helpGroup: trust,
    helpValue: "SECONDS",
  }),
};

/** For commands that may judge TDX or SGX evidence. */
export const pcsFlag = {
  "pcs-url": Flags.string({
    description: "Base URL of a PCCS, or of a mirror of Intel's certification service.",
    helpGroup: trust,
    helpValue: "URL",
  }),
};

/** Like `collateralFlags`, for commands that judge Intel evidence alone. */
export const intelFlags = {
  at: collateralFlags.at,
  offline: collateralFlags.offline,
  ...pcsFlag,
  "tcb-update": Flags.string({
    description:
      "Which of Intel's documents while a TCB recovery rolls out: early, or standard; Intel's choice when left out.",
    helpGroup: trust,
    helpValue: "CHANNEL",
    options: ["early", "standard"],
  }),
  "insecure-trust-root": Flags.file({
    description: "TEST ONLY: trust this root certificate in place of Intel's.",
    helpGroup: trust,
    helpValue: "FILE",
  }),
  timeout: collateralFlags.timeout,
};

export const collateralFlag = {
  collateral: Flags.string({
    description: "Vendor certificates and revocation lists that you hold: a folder or a file.",
    helpGroup: trust,
    helpValue: "FILE|DIR",
  }),
};

/** Who vouches for the manifest. */
export const manifestFlags = {
  manifest: Flags.string({
    description: "The manifest that you expect, as a file that you hold.",
    helpGroup: evidence,
    helpValue: "FILE",
  }),
  "manifest-sha256": Flags.string({
    description: "SHA-256 of the manifest that you expect, 64 hex digits.",
    helpGroup: evidence,
    helpValue: "HEX",
  }),
};

export const nonceFlags = {
  nonce: Flags.string({
    description: "Send this nonce of 32 bytes, hex or base64: somebody else chose it.",
    helpGroup: evidence,
    helpValue: "HEX",
  }),
  "require-fresh": Flags.boolean({
    description: "A recorded answer is not enough.",
    helpGroup: evidence,
  }),
};

export interface CollateralValues {
  readonly at?: string | undefined;
  readonly offline?: boolean;
  readonly "kds-url"?: string | undefined;
  readonly "pcs-url"?: string | undefined;
  readonly "tcb-update"?: string | undefined;
  readonly "insecure-trust-root"?: string | undefined;
  readonly timeout?: string | undefined;
  readonly collateral?: string | undefined;
}

const maxTimeoutSeconds = 3600;

/** @throws PmError PM_USAGE for anything but seconds in (0, 3600] */
export function timeoutMs(text: string): number {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds <= 0 || seconds > maxTimeoutSeconds)
    throw usage(`--timeout: not a number of seconds: ${text}`, `above 0 and at most ${maxTimeoutSeconds}, such as 30`);
  return seconds * 1000;
}

/** @throws PmError PM_USAGE for a time or a file that cannot be read */
export async function collateralSettings(flags: CollateralValues) {
  const root = flags["insecure-trust-root"];
  return {
    offline: flags.offline === true,
    progress: process.stderr.isTTY === true,
    ...(flags.at === undefined ? {} : { at: parseTime(flags.at) }),
    ...(flags.timeout === undefined ? {} : { timeoutMs: timeoutMs(flags.timeout) }),
    ...(flags["kds-url"] === undefined ? {} : { kdsUrl: flags["kds-url"] }),
    ...(flags["pcs-url"] === undefined ? {} : { pcsUrl: flags["pcs-url"] }),
    ...(flags.collateral === undefined ? {} : { collateral: flags.collateral }),
    ...(root === undefined
      ? {}
      : { testRoot: { file: root, bytes: (await readInput(root, "a root certificate", 1024 * 1024)).bytes } }),
  };
}

/** Which of Intel's documents are asked for. */
export const tcbSelection = ({
  "tcb-update": update,
}: CollateralValues): { readonly selection?: { readonly update: "early" | "standard" } } =>
  update === "early" || update === "standard" ? { selection: { update } } : {};

/** Exact hex of a flag. @throws PmError PM_USAGE, never padded or cut */
export function hexFlag(text: string, length: number, flag: string): Uint8Array {
  try {
    return fromHex(text, length, flag);
  } catch (error) {
    throw usage(error instanceof Error ? error.message : `${flag}: not hex`, "values are never padded or cut");
  }
}

/** A nonce of 32 bytes: 64 hex digits, or base64 as requests carry it. @throws PmError PM_USAGE */
export function nonceFlag(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return hexFlag(text, 32, "--nonce");
  try {
    return fromBase64(text, "--nonce");
  } catch (error) {
    throw usage(error instanceof Error ? error.message : "--nonce: not base64");
  }
}

/** The expected manifest as a file with its digest, and as a digest. */
export async function manifestSettings(flags: {
  readonly manifest?: string | undefined;
  readonly "manifest-sha256"?: string | undefined;
}) {
  const held = flags.manifest === undefined ? undefined : await readInput(flags.manifest, "a Contrast manifest");
  const sha256 = flags["manifest-sha256"];
  return {
    ...(held === undefined ? {} : { manifest: { file: held.name, sha256: held.sha256 } }),
    ...(sha256 === undefined
      ? {}
      : { manifestSha256: Buffer.from(hexFlag(sha256, 32, "--manifest-sha256")).toString("hex") }),
  };
}

/** What `pm verify` and `pm capture` share. */
export const auditFlags = {
  profile: Flags.string({
    description: "The profile to judge a bundle by: a file, or contrast, privatemode.",
    helpGroup: evidence,
    helpValue: "FILE|NAME",
  }),
  coordinator: Flags.string({
    description: "Base URL of the Coordinator's HTTP API.",
    helpGroup: evidence,
    helpValue: "URL",
  }),
  "api-key-file": Flags.string({
    description: "Privatemode's API key, or - for stdin.",
    helpGroup: evidence,
    helpValue: "FILE",
  }),
  ...manifestFlags,
  measurement: Flags.string({
    description: "Launch measurement that you vouch for, 96 hex digits. Can be repeated.",
    helpGroup: evidence,
    helpValue: "HEX",
    multiple: true,
  }),
  nonce: nonceFlags.nonce,
  beacon: Flags.string({
    description: "Mix this public value into the nonce, so that others see that the report is younger.",
    helpGroup: evidence,
    helpValue: "TEXT",
    exclusive: ["nonce"],
  }),
  "exchange-public-key": Flags.string({
    description: "Make the secret exchange with this public key: somebody else keeps the private key.",
    helpGroup: evidence,
    helpValue: "FILE",
  }),
  ...collateralFlag,
  ...collateralFlags,
  ...pcsFlag,
};

/** @throws PmError PM_USAGE for keys, a nonce, a time or a file that cannot be used */
export async function auditSettings(
  flags: CollateralValues & {
    readonly "api-key-file"?: string | undefined;
    readonly nonce?: string | undefined;
    readonly beacon?: string | undefined;
    readonly "exchange-public-key"?: string | undefined;
  },
) {
  const { loadApiKey } = await import("./audit/api-key.ts");
  const { loadExchangeKey } = await import("./audit/exchange-key.ts");
  const key = flags["api-key-file"];
  const exchangeKey = flags["exchange-public-key"];
  return {
    ...(await collateralSettings(flags)),
    ...(key === undefined ? {} : { apiKey: await loadApiKey(key) }),
    ...(flags.nonce === undefined ? {} : { nonce: nonceFlag(flags.nonce) }),
    ...(flags.beacon === undefined ? {} : { beacon: flags.beacon }),
    ...(exchangeKey === undefined ? {} : { exchangeKey: await loadExchangeKey(exchangeKey) }),
  };
}

/** Launch measurements as lower-case hex. */
export const measurementValues = (values: readonly string[] | undefined): string[] =>
  (values ?? []).map((value) => Buffer.from(hexFlag(value, 48, "--measurement")).toString("hex"));
