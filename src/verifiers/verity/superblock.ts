/** The dm-verity superblock, version 1 (cryptsetup, lib/verity/verity.c, struct verity_sb). Its words are the disk's own: nothing covers them. */
import { Reader } from "../../bytes/reader.ts";
import { malformed, unsupported } from "../../errors.ts";

export interface VeritySuperblock {
  /** 0: Chrome OS, salt behind the block. 1: salt before it. */
  readonly hashType: number;
  /** 16 bytes in the order of the text form. */
  readonly uuid: Uint8Array;
  readonly algorithm: string;
  /** Bytes. */
  readonly dataBlockSize: number;
  readonly hashBlockSize: number;
  readonly dataBlocks: bigint;
  readonly salt: Uint8Array;
  /** Offset of the first reserved byte that is not zero; undefined: all are. */
  readonly reserved: number | undefined;
}

export const superblockBytes = 512;
const signature = "verity\0\0";
const code = "superblock-malformed";
const nameBytes = 32;
const maxSaltBytes = 256;

/** @throws PmError superblock-malformed; PM_EVIDENCE_UNSUPPORTED for another version */
export function decodeSuperblock(bytes: Uint8Array): VeritySuperblock {
  const r = new Reader(bytes, code);
  if (Buffer.from(r.bytes(8, "signature")).toString("latin1") !== signature)
    throw malformed('signature: not "verity": there is no verity superblock at this offset', code);
  const version = r.u32le("version");
  if (version !== 1) throw unsupported(`version ${version} of the verity superblock; known: 1`, code);
  const hashType = r.u32le("hash type");
  if (hashType > 1) throw malformed(`hash type: ${hashType}, neither 0 nor 1`, code);
  const uuid = r.bytes(16, "UUID");
  const algorithm = nameOf(r.bytes(nameBytes, "hash algorithm"));
  const dataBlockSize = r.u32le("data block size");
  const hashBlockSize = r.u32le("hash block size");
  const dataBlocks = r.u64le("data blocks");
  const saltBytes = r.u16le("salt length");
  if (saltBytes > maxSaltBytes) throw malformed(`salt length: ${saltBytes}, more than ${maxSaltBytes}`, code);
  const reserved: number[] = [];
  const zeros = (length: number, field: string): void => {
    const start = r.offset;
    const at = r.bytes(length, field).findIndex((b) => b !== 0);
    if (at >= 0) reserved.push(start + at);
  };
  zeros(6, "reserved");
  const salt = r.bytes(saltBytes, "salt");
  zeros(maxSaltBytes - saltBytes, "rest of the salt");
  zeros(168, "reserved");
  r.end("verity superblock");
  return { hashType, uuid, algorithm, dataBlockSize, hashBlockSize, dataBlocks, salt, reserved: reserved[0] };
}

/** Up to the first NUL; a name may fill the field and have none. What stands behind a NUL is padding. */
function nameOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  const end = text.indexOf("\0");
  const name = end < 0 ? text : text.slice(0, end);
  if (!/^[a-z0-9_-]+$/.test(name)) throw malformed(`hash algorithm: not a name in lower case: ${name}`, code);
  if (end >= 0 && /[^\0]/.test(text.slice(end)))
    throw malformed("hash algorithm: bytes behind the end of the name", code);
  return name;
}

/** As `veritysetup` prints it. */
export const uuidText = (uuid: Uint8Array): string =>
  Buffer.from(uuid)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
