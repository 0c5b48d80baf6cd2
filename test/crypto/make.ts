/** Makes certificates and CRLs for tests: a small DER writer that can also write what strict DER rules out. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export const bytes = (...octets: number[]): Uint8Array => Uint8Array.from(octets);
export const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** One element with a definite length in its shortest form. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(...parts);
  if (content.length < 0x80) return concat(bytes(tag, content.length), content);
  const length: number[] = [];
  for (let rest = content.length; rest > 0; rest >>>= 8) length.unshift(rest & 0xff);
  return concat(bytes(tag, 0x80 | length.length, ...length), content);
}
export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x31, ...parts);
export const octetString = (content: Uint8Array): Uint8Array => tlv(0x04, content);
export const bitString = (content: Uint8Array, unused = 0): Uint8Array => tlv(0x03, bytes(unused), content);
export const utf8 = (text: string): Uint8Array => tlv(0x0c, new TextEncoder().encode(text));
export const ascii = (tag: number, text: string): Uint8Array => tlv(tag, new TextEncoder().encode(text));
export const boolean = (value: boolean): Uint8Array => tlv(0x01, bytes(value ? 0xff : 0));

/** INTEGER in its shortest two's complement form. */
export function integer(value: bigint | number): Uint8Array {
  let n = BigInt(value);
  const octets: number[] = [];
  do {
    octets.unshift(Number(n & 0xffn));
    n >>= 8n;
  } while (!((n === 0n && (octets[0] ?? 0) < 0x80) || (n === -1n && (octets[0] ?? 0) >= 0x80)));
  return tlv(0x02, bytes(...octets));
}

export function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tlv(0x06, bytes(...octets));
}

/** UTCTime until 2049, GeneralizedTime from 2050. */
export function time(iso: string): Uint8Array {
  const digits = new Date(iso).toISOString().slice(0, 19).replace(/[-:T]/g, "");
  return Number(digits.slice(0, 4)) < 2050 ? ascii(0x17, `${digits.slice(2)}Z`) : ascii(0x18, `${digits}Z`);
}

export const name = (commonName: string): Uint8Array =>
  commonName === "" ? sequence() : sequence(set(sequence(oid("2.5.4.3"), utf8(commonName))));

export const extension = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));

export const basicConstraints = (ca: boolean, pathLength?: number, critical = true): Uint8Array =>
  extension(
    "2.5.29.19",
    sequence(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])),
    critical,
  );

/** 0x04 is keyCertSign, 0x02 is cRLSign, 0x80 is digitalSignature. */
export const keyUsage = (bits: number): Uint8Array => {
  const unused = bits === 0 ? 0 : 31 - Math.clz32(bits & -bits);
  return extension("2.5.29.15", bits === 0 ? bitString(bytes()) : bitString(bytes(bits), unused), true);
};
export const subjectKeyId = (id: Uint8Array): Uint8Array => extension("2.5.29.14", octetString(id));
export const authorityKeyId = (id: Uint8Array): Uint8Array => extension("2.5.29.35", sequence(tlv(0x80, id)));

export const algorithms = {
  "ecdsa-sha256": fromHex("300a06082a8648ce3d040302"),
  "ecdsa-sha384": fromHex("300a06082a8648ce3d040303"),
  "ecdsa-sha512": fromHex("300a06082a8648ce3d040304"),
} as const;

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
export const ecKey = (namedCurve = "P-256"): KeyPair => generateKeyPairSync("ec", { namedCurve });
export const spkiOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ format: "der", type: "spki" }));
export const keyId = (key: KeyPair): Uint8Array =>
  new Uint8Array(createHash("sha1").update(spkiOf(key.publicKey)).digest());

export interface CertificateSpec {
  readonly version: 1 | 2 | 3;
  /** INTEGER, encoded. */
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Uint8Array;
  readonly notAfter: Uint8Array;
  readonly spki: Uint8Array;
  /** Encoded extensions by a name of the test's choice; undefined leaves one out. */
  readonly extensions: Readonly<Record<string, Uint8Array | undefined>>;
  readonly algorithm: Uint8Array;
  readonly outerAlgorithm?: Uint8Array;
  readonly signer: KeyPair;
  readonly hash: "sha256" | "sha384" | "sha512";
  /** Changes the signed bytes or the signature after signing. */
  readonly spoil?: (tbs: Uint8Array, signature: Uint8Array) => void;
}

const signed = (
  tbs: Uint8Array,
  spec: Pick<CertificateSpec, "algorithm" | "outerAlgorithm" | "signer" | "hash" | "spoil">,
) => {
  const signature = new Uint8Array(sign(spec.hash, tbs, spec.signer.privateKey));
  spec.spoil?.(tbs, signature);
  return sequence(tbs, spec.outerAlgorithm ?? spec.algorithm, bitString(signature));
};

export function certificate(spec: CertificateSpec): Uint8Array {
  const extensions = Object.values(spec.extensions).filter((one) => one !== undefined);
  return signed(
    sequence(
      ...(spec.version === 1 ? [] : [tlv(0xa0, integer(spec.version - 1))]),
      spec.serial,
      spec.algorithm,
      spec.issuer,
      sequence(spec.notBefore, spec.notAfter),
      spec.subject,
      spec.spki,
      ...(spec.version === 3 && extensions.length > 0 ? [tlv(0xa3, sequence(...extensions))] : []),
    ),
    spec,
  );
}

export interface CrlSpec {
  readonly version: 1 | 2;
  readonly issuer: Uint8Array;
  readonly thisUpdate: Uint8Array;
  readonly nextUpdate: Uint8Array | undefined;
  /** Encoded entries. */
  readonly entries: readonly Uint8Array[];
  readonly extensions: readonly Uint8Array[];
  readonly algorithm: Uint8Array;
  readonly outerAlgorithm?: Uint8Array;
  readonly signer: KeyPair;
  readonly hash: "sha256" | "sha384" | "sha512";
  readonly spoil?: (tbs: Uint8Array, signature: Uint8Array) => void;
}

export function crl(spec: CrlSpec): Uint8Array {
  return signed(
    sequence(
      ...(spec.version === 2 ? [integer(1)] : []),
      spec.algorithm,
      spec.issuer,
      spec.thisUpdate,
      ...(spec.nextUpdate === undefined ? [] : [spec.nextUpdate]),
      ...(spec.entries.length === 0 ? [] : [sequence(...spec.entries)]),
      ...(spec.extensions.length === 0 ? [] : [tlv(0xa0, sequence(...spec.extensions))]),
    ),
    spec,
  );
}

export const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${(
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  ).join("\n")}\n-----END ${label}-----\n`;

/** A root, an intermediate and a leaf that break no rule, and each of them with changes. */
export const keys = { root: ecKey(), intermediate: ecKey(), leaf: ecKey(), other: ecKey() };
type Changes = Partial<CertificateSpec>;

const common = {
  version: 3,
  notBefore: time("2026-01-01T00:00:00Z"),
  notAfter: time("2027-01-01T00:00:00Z"),
  algorithm: algorithms["ecdsa-sha256"],
  hash: "sha256",
} as const;
const with_ = (base: CertificateSpec, changes: Changes): Uint8Array =>
  certificate({ ...base, ...changes, extensions: { ...base.extensions, ...changes.extensions } });

export const rootCertificate = (changes: Changes = {}): Uint8Array =>
  with_(
    {
      ...common,
      serial: integer(1),
      issuer: name("Test Root"),
      subject: name("Test Root"),
      spki: spkiOf(keys.root.publicKey),
      signer: keys.root,
      extensions: { basic: basicConstraints(true), usage: keyUsage(0x06), ski: subjectKeyId(keyId(keys.root)) },
    },
    changes,
  );
export const intermediateCertificate = (changes: Changes = {}): Uint8Array =>
  with_(
    {
      ...common,
      serial: integer(0x8001),
      issuer: name("Test Root"),
      subject: name("Test Intermediate"),
      spki: spkiOf(keys.intermediate.publicKey),
      signer: keys.root,
      extensions: {
        basic: basicConstraints(true, 0),
        usage: keyUsage(0x04),
        ski: subjectKeyId(keyId(keys.intermediate)),
        aki: authorityKeyId(keyId(keys.root)),
      },
    },
    changes,
  );
export const leafCertificate = (changes: Changes = {}): Uint8Array =>
  with_(
    {
      ...common,
      serial: integer(0x77),
      issuer: name("Test Intermediate"),
      subject: name("Test Leaf"),
      spki: spkiOf(keys.leaf.publicKey),
      signer: keys.intermediate,
      extensions: { usage: keyUsage(0x80), aki: authorityKeyId(keyId(keys.intermediate)) },
    },
    changes,
  );
