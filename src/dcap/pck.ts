/**
 * SGX extensions of a PCK certificate, 1.2.840.113741.1.13.1 (spec notes tdx.md 2.1): what the platform is. Read strictly,
 * each member once, because two readers that pick different ones would judge two platforms.
 */
import { hex } from "../bytes/hex.ts";
import { type Certificate, commonName } from "../crypto/certificate.ts";
import { type DerReader, decodeWhole, tags } from "../crypto/der.ts";
import { malformed } from "../errors.ts";
import type { PckCa } from "./requests.ts";

export interface PckExtensions {
  /** Lower-case hex, 16 bytes. */
  readonly ppid: string;
  /** 16 SVNs, 0 to 255: what a TCB level is compared with. */
  readonly components: readonly number[];
  readonly pceSvn: number;
  /** 16 bytes. In real certificates byte i is component i; the components count. */
  readonly cpuSvn: Uint8Array;
  /** Lower-case hex, 2 bytes. */
  readonly pceId: string;
  /** Lower-case hex, 6 bytes. */
  readonly fmspc: string;
  /** 0 standard, 1 scalable, 2 scalable with integrity. */
  readonly sgxType: number;
  /** Platform instance id, lower-case hex, 16 bytes; certificates of the Platform CA only. */
  readonly piid?: string;
  /** Certificates of the Platform CA only. */
  readonly configuration?: {
    readonly dynamicPlatform: boolean;
    readonly cachedKeys: boolean;
    readonly smtEnabled: boolean;
  };
}

export const sgxExtensionsOid = "1.2.840.113741.1.13.1";
export const pckName = "Intel SGX PCK Certificate";
const caNames: Readonly<Record<PckCa, string>> = {
  platform: "Intel SGX PCK Platform CA",
  processor: "Intel SGX PCK Processor CA",
};
export const pckCaNames: readonly string[] = Object.values(caNames);

/** Which of the two CAs issued this certificate, by the issuer's name. */
export function pckCaOf(certificate: Certificate): PckCa | undefined {
  const issuer = commonName(certificate.issuer);
  return issuer === caNames.platform ? "platform" : issuer === caNames.processor ? "processor" : undefined;
}

/** Pairs of OID suffix and value, each at most once; `read` must take one value. */
function readPairs(list: DerReader, prefix: string, read: (suffix: string, value: DerReader) => void): void {
  const seen = new Set<string>();
  while (list.more) {
    const pair = list.sequence(prefix);
    const oid = pair.oid(prefix);
    if (seen.has(oid)) throw malformed(`SGX extension ${oid} occurs twice`);
    seen.add(oid);
    if (!oid.startsWith(`${prefix}.`)) throw malformed(`SGX extension ${oid} is not under ${prefix}`);
    read(oid.slice(prefix.length + 1), pair);
    pair.end(`SGX extension ${oid}`);
  }
}

function octets(r: DerReader, length: number, name: string): Uint8Array {
  const value = r.octetString(name);
  if (value.length !== length) throw malformed(`${name}: ${value.length} bytes, needs ${length}`);
  return value;
}

interface Tcb {
  readonly components: readonly number[];
  readonly pceSvn: number;
  readonly cpuSvn: Uint8Array;
}
function readTcb(list: DerReader): Tcb {
  const components: (number | undefined)[] = Array.from({ length: 16 }, () => undefined);
  let pceSvn: number | undefined;
  let cpuSvn: Uint8Array | undefined;
  readPairs(list, `${sgxExtensionsOid}.2`, (suffix, value) => {
    const n = /^([1-9]|1[0-8])$/.test(suffix) ? Number(suffix) : 0;
    if (n === 17) pceSvn = value.smallInteger("PCESVN", 65535);
    else if (n === 18) cpuSvn = octets(value, 16, "CPUSVN");
    else if (n > 0) components[n - 1] = value.smallInteger(`TCB component ${n}`, 255);
    else throw malformed(`SGX extension TCB.${suffix} is not defined`);
  });
  const whole = components.filter((c) => c !== undefined);
  if (whole.length !== 16 || pceSvn === undefined || cpuSvn === undefined)
    throw malformed("SGX extension TCB: not all of 16 components, PCESVN and CPUSVN are there");
  return { components: whole, pceSvn, cpuSvn };
}

function readConfiguration(list: DerReader): NonNullable<PckExtensions["configuration"]> {
  const flags = new Map<string, boolean>();
  readPairs(list, `${sgxExtensionsOid}.7`, (suffix, value) => {
    if (!["1", "2", "3"].includes(suffix)) throw malformed(`SGX extension configuration.${suffix} is not defined`);
    flags.set(suffix, value.boolean(`configuration.${suffix}`));
  });
  const [dynamicPlatform, cachedKeys, smtEnabled] = ["1", "2", "3"].map((n) => flags.get(n));
  if (dynamicPlatform === undefined || cachedKeys === undefined || smtEnabled === undefined)
    throw malformed("SGX extension configuration: not all of its three members are there");
  return { dynamicPlatform, cachedKeys, smtEnabled };
}

const memo = new WeakMap<Certificate, PckExtensions>();

/**
 * @throws PmError PM_EVIDENCE_MALFORMED PCK_CHAIN_INVALID when the extension is missing, there twice or not well formed.
 * Members that are not defined yet are refused: whoever reads them later may read another platform.
 */
export function decodePck(certificate: Certificate): PckExtensions {
  const before = memo.get(certificate);
  if (before !== undefined) return before;
  const [extension, ...more] = certificate.extensions.filter((e) => e.oid === sgxExtensionsOid);
  if (extension === undefined || more.length > 0)
    throw malformed(`PCK certificate: ${extension ? "two SGX extensions" : "no SGX extension"}`, "PCK_CHAIN_INVALID");
  const decoded = decodeWhole(extension.value, "SGX extensions", readExtension);
  memo.set(certificate, decoded);
  return decoded;
}

function readExtension(whole: DerReader): PckExtensions {
  const list = whole.sequence("SGX extensions");
  const found: { -readonly [K in keyof PckExtensions]?: PckExtensions[K] } = {};
  readPairs(list, sgxExtensionsOid, (suffix, value) => {
    switch (suffix) {
      case "1":
        found.ppid = hex(octets(value, 16, "PPID"));
        break;
      case "2":
        Object.assign(found, readTcb(value.sequence("TCB")));
        break;
      case "3":
        found.pceId = hex(octets(value, 2, "PCEID"));
        break;
      case "4":
        found.fmspc = hex(octets(value, 6, "FMSPC"));
        break;
      case "5":
        found.sgxType = value.smallInteger("SGX type", 255, tags.enumerated);
        break;
      case "6":
        found.piid = hex(octets(value, 16, "platform instance id"));
        break;
      case "7":
        found.configuration = readConfiguration(value.sequence("configuration"));
        break;
      default:
        throw malformed(`SGX extension member ${suffix} is not defined`);
    }
  });
  const { ppid, components, pceSvn, cpuSvn, pceId, fmspc, sgxType } = found;
  if (
    ppid === undefined ||
    components === undefined ||
    pceSvn === undefined ||
    cpuSvn === undefined ||
    pceId === undefined ||
    fmspc === undefined ||
    sgxType === undefined
  )
    throw malformed("SGX extensions: PPID, TCB, PCEID, FMSPC and SGX type are not all there");
  const { piid, configuration } = found;
  return {
    ppid,
    components,
    pceSvn,
    cpuSvn,
    pceId,
    fmspc,
    sgxType,
    ...(piid === undefined ? {} : { piid }),
    ...(configuration === undefined ? {} : { configuration }),
  };
}
