/**
 * One event of a TD's event log: which register it was extended into, with what digest, and what the log says it was.
 * Types: TCG PC Client Platform Firmware Profile, section 10.4.1; the digest of each is SHA-384 in a TD.
 */
import { malformed, unsupported } from "../../../errors.ts";

export interface LogEvent {
  /** Place in the log among the events that extend something, from 0. */
  readonly index: number;
  /** RTMR 0 to 3; undefined: MRTD, which nothing is extended into after launch. */
  readonly register: number | undefined;
  readonly type: number;
  /** Name that dstack gives its runtime events; empty otherwise. */
  readonly name: string;
  /** 48 bytes: what the register is extended with. */
  readonly digest: Uint8Array;
  /** False: the log leaves the digest out, and `digest` is what the shown fields make. That it fits them shows nothing. */
  readonly stated: boolean;
  /** What the log says was measured; undefined where the log leaves it out. */
  readonly data: Uint8Array | undefined;
  /** Bytes that the log says the digest is of (dstack); untrusted like everything else in it. */
  readonly preimage?: Uint8Array;
  /** Byte range or JSON pointer. */
  readonly place: string;
}

export interface EventLog {
  readonly form: "ccel" | "dstack";
  /** In log order, EV_NO_ACTION left out. */
  readonly events: readonly LogEvent[];
  /** How many events extend nothing (EV_NO_ACTION), the header left out. */
  readonly notExtended: number;
}

export const digestSize = 48;
/** More than any log has; bounds what a hostile one can cost. */
export const maxEvents = 20_000;

export const eventType = {
  noAction: 0x3,
  separator: 0x4,
  ipl: 0xd,
  variableDriverConfig: 0x80000001,
  variableBoot: 0x80000002,
  gpt: 0x80000006,
  action: 0x80000007,
  /** dstack's own, extended into RTMR3. */
  dstackRuntime: 0x08000001,
} as const;

const names: Readonly<Record<number, string>> = {
  0: "EV_PREBOOT_CERT",
  1: "EV_POST_CODE",
  3: "EV_NO_ACTION",
  4: "EV_SEPARATOR",
  5: "EV_ACTION",
  6: "EV_EVENT_TAG",
  7: "EV_S_CRTM_CONTENTS",
  8: "EV_S_CRTM_VERSION",
  9: "EV_CPU_MICROCODE",
  10: "EV_PLATFORM_CONFIG_FLAGS",
  11: "EV_TABLE_OF_DEVICES",
  12: "EV_COMPACT_HASH",
  13: "EV_IPL",
  14: "EV_IPL_PARTITION_DATA",
  15: "EV_NONHOST_CODE",
  16: "EV_NONHOST_CONFIG",
  17: "EV_NONHOST_INFO",
  18: "EV_OMIT_BOOT_DEVICE_EVENTS",
  134217729: "dstack runtime event",
  2147483649: "EV_EFI_VARIABLE_DRIVER_CONFIG",
  2147483650: "EV_EFI_VARIABLE_BOOT",
  2147483651: "EV_EFI_BOOT_SERVICES_APPLICATION",
  2147483652: "EV_EFI_BOOT_SERVICES_DRIVER",
  2147483653: "EV_EFI_RUNTIME_SERVICES_DRIVER",
  2147483654: "EV_EFI_GPT_EVENT",
  2147483655: "EV_EFI_ACTION",
  2147483656: "EV_EFI_PLATFORM_FIRMWARE_BLOB",
  2147483657: "EV_EFI_HANDOFF_TABLES",
  2147483658: "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
  2147483659: "EV_EFI_HANDOFF_TABLES2",
  2147483660: "EV_EFI_VARIABLE_BOOT2",
  2147483664: "EV_EFI_HCRTM_EVENT",
  2147483872: "EV_EFI_VARIABLE_AUTHORITY",
};

/** Name of the type, and its number where it has none. */
export const typeName = (type: number): string => names[type] ?? `0x${type.toString(16).padStart(8, "0")}`;

export const logMalformed = (message: string) => malformed(message, "eventlog-malformed");
export const logUnsupported = (message: string) => unsupported(message, "eventlog-unsupported");
