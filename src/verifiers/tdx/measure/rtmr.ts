/**
 * RTMRs of a direct boot under OVMF (notes 7.2, 7.3). The extend rule, and the digests of the events that are named here,
 * were seen in logs of real TDs; that kernel, initrd and command line give these digests was read in programs, and no
 * file with a log of its own was there to confirm it. RTMR0 also has the hand-off blocks and the ACPI tables of the VMM,
 * so it cannot be computed from files alone; RTMR3 belongs to the software that runs.
 */
import { hash } from "node:crypto";
import { guidBytes } from "../../../bytes/guid-table.ts";
import { PmError, usage } from "../../../errors.ts";

const sha384 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash("sha384", bytes, "buffer"));
const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const utf16 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf16le"));

export interface EventDigest {
  readonly event: string;
  /** SHA-384, 48 bytes. */
  readonly digest: Uint8Array;
}

/** RTMR after events, from zero: SHA-384(RTMR || digest) for each. */
export function rtmrOf(events: readonly EventDigest[]): Uint8Array {
  let rtmr: Uint8Array = new Uint8Array(48);
  for (const { digest } of events) {
    if (digest.length !== 48) throw new PmError("PM_BUG", `event digest of ${digest.length} bytes`);
    rtmr = sha384(new Uint8Array([...rtmr, ...digest]));
  }
  return rtmr;
}

const globalVariable = guidBytes("8be4df61-93ca-11d2-aa0d-00e098032b8c");
const imageSecurity = guidBytes("d719b2cb-3d3a-4596-a3bc-dad00e67656f");

/** UEFI_VARIABLE_DATA: GUID, u64 characters of the name, u64 bytes of the value, name in UTF-16, value. */
function variableDigest(guid: Uint8Array, name: string, value: Uint8Array = new Uint8Array()): Uint8Array {
  const sizes = Buffer.alloc(16);
  sizes.writeBigUInt64LE(BigInt(name.length), 0);
  sizes.writeBigUInt64LE(BigInt(value.length), 8);
  return sha384(new Uint8Array(Buffer.concat([guid, sizes, utf16(name), value])));
}

/** Secure Boot's variables without content, in the order in which OVMF measures them into RTMR0. */
export const secureBootEvents = (): EventDigest[] =>
  (
    [
      [globalVariable, "SecureBoot"],
      [globalVariable, "PK"],
      [globalVariable, "KEK"],
      [imageSecurity, "db"],
      [imageSecurity, "dbx"],
    ] as const
  ).map(([guid, name]) => ({ event: `${name}, empty`, digest: variableDigest(guid, name) }));

export const separator: EventDigest = { event: "separator", digest: sha384(new Uint8Array(4)) };
const action = (text: string): EventDigest => ({ event: text, digest: sha384(ascii(text)) });

/** UiApp's load option: attributes 0x109, path of 44 bytes (firmware volume and file), its name. */
function uiAppOption(): Uint8Array {
  const head = Buffer.alloc(6);
  head.writeUInt32LE(0x109, 0);
  head.writeUInt16LE(44, 4);
  const node = (kind: number, guid: string): Uint8Array => Uint8Array.of(4, kind, 20, 0, ...Buffer.from(guid, "hex"));
  return new Uint8Array(
    Buffer.concat([
      head,
      utf16("UiApp\0"),
      node(7, "c9bdb87cebf8344faaea3ee4af6516a1"),
      node(6, "21aa2c4614760345836e8ab6f4662331"),
      Uint8Array.of(0x7f, 0xff, 4, 0),
    ]),
  );
}
/** What OVMF adds to RTMR0 for its boot menu: digests over the variables' values alone. */
export const bootOptionEvents = (): EventDigest[] => [
  { event: "BootOrder, 0000", digest: sha384(new Uint8Array(2)) },
  { event: "Boot0000, UiApp", digest: sha384(uiAppOption()) },
];

/** RTMR1 of a direct boot. @param kernel Authenticode SHA-384 of the kernel as it was loaded */
export const kernelEvents = (kernel: Uint8Array): EventDigest[] => [
  { event: "kernel image (Authenticode)", digest: kernel },
  action("Calling EFI Application from Boot Option"),
  separator,
  action("Exit Boot Services Invocation"),
  action("Exit Boot Services Returned with Success"),
];

/**
 * SHA-384 of the command line in UTF-16LE with a NUL behind it.
 * @throws PmError PM_USAGE for a NUL inside it
 */
function commandLineDigest(text: string): Uint8Array {
  if (text.includes("\0")) throw usage("command line: holds a NUL, at which the guest would stop reading");
  return sha384(utf16(`${text}\0`));
}

/** RTMR2 of a direct boot. @param initrd SHA-384 of the initrd; undefined where there is none: no event */
export const commandLineEvents = (text: string, initrd: Uint8Array | undefined): EventDigest[] => [
  { event: "kernel command line", digest: commandLineDigest(text) },
  ...(initrd === undefined ? [] : [{ event: "initrd", digest: initrd }]),
];
