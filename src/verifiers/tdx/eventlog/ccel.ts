/**
 * CCEL: the confidential computing event log of ACPI, a TCG crypto-agile log (TCG PC Client Platform Firmware Profile,
 * section 10) whose register index is 1 to 4 for RTMR0 to RTMR3 and 0 for MRTD (UEFI 2.10, section 38.4.1).
 */
import { Reader } from "../../../bytes/reader.ts";
import {
  digestSize,
  type EventLog,
  eventType,
  type LogEvent,
  logMalformed,
  logUnsupported,
  maxEvents,
} from "./event.ts";

const code = "eventlog-malformed";
/** TPM_ALG_SHA384 of the TCG algorithm registry. */
const sha384 = 0x000c;
const signature = "Spec ID Event03\0";
/** Area that firmware reserves for a log; real ones have 64 and 256 KiB. */
const maxBytes = 16 * 1024 * 1024;
const maxAlgorithms = 16;
const maxDataBytes = 4 * 1024 * 1024;

/** A log begins with the header event in the old form: index 0 or 1, EV_NO_ACTION, a digest of zeros, Spec ID Event03. */
export const looksLikeCcel = (bytes: Uint8Array): boolean =>
  bytes.length >= 48 && Buffer.from(bytes.subarray(32, 48)).toString("latin1") === signature;

/** The ACPI table says where the log lies and holds none of it. */
export const looksLikeCcelTable = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "CCEL";

export interface CcelTable {
  /** 2 is TDX. */
  readonly type: number;
  readonly subType: number;
  /** Bytes. */
  readonly areaLength: bigint;
  /** Guest physical. */
  readonly areaAddress: bigint;
}

/** ACPI 6.5, section 5.2.34: 56 bytes. @throws PmError PM_EVIDENCE_MALFORMED */
export function decodeCcelTable(bytes: Uint8Array): CcelTable {
  const r = new Reader(bytes, code);
  if (Buffer.from(r.bytes(4, "Signature")).toString("latin1") !== "CCEL") throw logMalformed("CCEL: no such signature");
  const length = r.u32le("Length");
  if (length !== 56) throw logMalformed(`CCEL: Length ${length}, needs 56`);
  r.bytes(28, "table header");
  const type = r.u8("CC Type");
  const subType = r.u8("CC Sub Type");
  r.bytes(2, "Reserved");
  const areaLength = r.u64le("LAML");
  const areaAddress = r.u64le("LASA");
  r.end("CCEL");
  return { type, subType, areaLength, areaAddress };
}

/**
 * @throws PmError PM_EVIDENCE_MALFORMED also for anything but fill behind the end of the log: events that one reader sees
 * and another does not; PM_EVIDENCE_UNSUPPORTED for a log without SHA-384
 */
export function decodeCcel(bytes: Uint8Array): EventLog {
  if (bytes.length > maxBytes) throw logMalformed(`event log: ${bytes.length} bytes, more than ${maxBytes}`);
  const r = new Reader(bytes, code);
  const sizes = header(r);
  const events: LogEvent[] = [];
  let notExtended = 0;
  while (!atEnd(bytes, r.offset)) {
    if (events.length + notExtended >= maxEvents) throw logMalformed(`event log: more than ${maxEvents} events`);
    const event = oneEvent(r, sizes, events.length);
    if (event.type === eventType.noAction) notExtended++;
    else events.push(event);
  }
  return { form: "ccel", events, notExtended };
}

/** TCG_PCR_EVENT with TCG_EfiSpecIdEvent: digest sizes by algorithm. */
function header(r: Reader): ReadonlyMap<number, number> {
  r.u32le("header index");
  const type = r.u32le("header type");
  if (type !== eventType.noAction)
    throw logMalformed(`event log: the header event has type ${type}, needs EV_NO_ACTION`);
  r.zeros(20, "header digest");
  const size = r.u32le("header size");
  if (size > 1024) throw logMalformed(`event log: header event of ${size} bytes`);
  const h = new Reader(r.bytes(size, "header event"), code);
  if (Buffer.from(h.bytes(16, "signature")).toString("latin1") !== signature)
    throw logMalformed("event log: no Spec ID Event03");
  h.bytes(8, "platform class, version, errata, uintn size");
  const count = h.u32le("number of algorithms");
  if (count === 0 || count > maxAlgorithms) throw logMalformed(`event log: ${count} digest algorithms`);
  const sizes = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const algorithm = h.u16le("algorithm");
    if (sizes.has(algorithm)) throw logMalformed(`event log: algorithm 0x${algorithm.toString(16)} twice`);
    sizes.set(algorithm, h.u16le("digest size"));
  }
  h.bytes(h.u8("vendor info size"), "vendor info");
  h.end("event log header");
  const own = sizes.get(sha384);
  if (own === undefined) throw logUnsupported("event log: no SHA-384 among its algorithms, so no log of a TD");
  if (own !== digestSize) throw logMalformed(`event log: SHA-384 digests of ${own} bytes`);
  return sizes;
}

/** The log ends with index 0xffffffff, with zeros, or with its bytes; nothing but that fill may follow. */
function atEnd(bytes: Uint8Array, offset: number): boolean {
  const [first] = bytes.subarray(offset, offset + 1);
  if (first === undefined) return true;
  const head = bytes.subarray(offset, offset + 4);
  const filled = (value: number): boolean => bytes.subarray(offset).every((b) => b === value);
  if (first === 0xff && head.every((b) => b === 0xff)) {
    if (!filled(0xff)) throw logMalformed(`event log: something behind its end at offset ${offset}`);
    return true;
  }
  // Index 0, type 0 and no digest is no event; a shorter rest is no event either.
  return first === 0 && bytes.subarray(offset, offset + 12).every((b) => b === 0) && filled(0);
}

/** TCG_PCR_EVENT2. */
function oneEvent(r: Reader, sizes: ReadonlyMap<number, number>, index: number): LogEvent {
  const start = r.offset;
  const mr = r.u32le("MR index");
  if (mr > 4) throw logMalformed(`event at offset ${start}: MR index ${mr}, known: 0 to 4`);
  const type = r.u32le("event type");
  const count = r.u32le("digest count");
  if (count > sizes.size) throw logMalformed(`event at offset ${start}: ${count} digests, at most ${sizes.size}`);
  const digests = new Map<number, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const algorithm = r.u16le("digest algorithm");
    const size = sizes.get(algorithm);
    if (size === undefined || digests.has(algorithm))
      throw logMalformed(
        `event at offset ${start}: algorithm 0x${algorithm.toString(16)} is not in the header, or twice`,
      );
    digests.set(algorithm, r.bytes(size, "digest"));
  }
  const digest = digests.get(sha384);
  if (digest === undefined) throw logMalformed(`event at offset ${start}: no SHA-384 digest`);
  const size = r.u32le("event size");
  if (size > maxDataBytes)
    throw logMalformed(`event at offset ${start}: ${size} bytes of data, at most ${maxDataBytes}`);
  const data = r.bytes(size, "event data");
  const place = `0x${start.toString(16)}..0x${(r.offset - 1).toString(16)}`;
  return { index, register: mr === 0 ? undefined : mr - 1, type, name: "", digest, stated: true, data, place };
}
