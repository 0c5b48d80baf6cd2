/**
 * A workload's mesh certificate (Contrast v1.20, certificates): names, usages, and the attested values that the Coordinator
 * repeats in extensions of its own. Extensions that are missing, double or of another type are told, not thrown: they do
 * not make the certificate unreadable.
 */
import { hex } from "../../bytes/hex.ts";
import type { Certificate, Extension } from "../../crypto/certificate.ts";
import { contextTag, type DerReader, decodeWhole } from "../../crypto/der.ts";
import { malformed, PmError } from "../../errors.ts";
import { ipText, type Names, sortedNames } from "./mesh-names.ts";

const oids = {
  subjectAltName: "2.5.29.17",
  extKeyUsage: "2.5.29.37",
  snp: "1.3.9901.2.1",
  tdx: "1.3.9901.2.2",
  workloadSecretId: "1.3.9901.3.1",
} as const;
const maxNames = 256;
const maxUsages = 32;
/** Three certificates of some 1 KB each, as PEM. */
const maxChainBytes = 64 * 1024;

/** Levels of an SNP TCB_VERSION, each 0 to 255. */
export interface MeshTcb {
  readonly bootloader: number;
  readonly snp: number;
  readonly tee: number;
  readonly microcode: number;
}
/** Undefined members are those of which `problems` speaks. Hex is lower case. */
export interface SnpMeshValues {
  readonly tee: "SNP";
  /** HOST_DATA, 32 bytes. */
  readonly hostData: string | undefined;
  readonly measurement: string | undefined;
  readonly chipId: string | undefined;
  readonly reportedTcb: MeshTcb | undefined;
  readonly launchTcb: MeshTcb | undefined;
}
export interface TdxMeshValues {
  readonly tee: "TDX";
  /** MRCONFIGID, 48 bytes. */
  readonly hostData: string | undefined;
  /** 48 bytes. */
  readonly mrTd: string | undefined;
  readonly mrSeam: string | undefined;
  readonly rtmrs: readonly (string | undefined)[];
  /** 8 bytes, in memory order. */
  readonly tdAttributes: string | undefined;
  readonly xfam: string | undefined;
  /** As the quote carries it, PEM; also undefined where the certificate has none. */
  readonly pckChain: Uint8Array | undefined;
}
export type MeshValues = SnpMeshValues | TdxMeshValues;
export interface ExtensionProblem {
  readonly kind: "missing" | "duplicate" | "malformed";
  readonly message: string;
}
export interface MeshLeaf {
  readonly certificate: Certificate;
  readonly names: Names;
  /** OIDs in their order; undefined without the extension. */
  readonly usages: readonly string[] | undefined;
  /** Undefined when the certificate speaks of no TEE or of two. */
  readonly values: MeshValues | undefined;
  /** "" when the extension is absent, as a manifest entry has an empty value for none; undefined when it is broken. */
  readonly workloadSecretId: string | undefined;
  readonly problems: readonly ExtensionProblem[];
}

const ascii = (octets: Uint8Array, field: string): string => {
  if (octets.some((octet) => octet < 0x20 || octet > 0x7e)) throw malformed(`${field}: not printable ASCII`);
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("latin1");
};

/** GeneralNames (RFC 5280 4.2.1.6): dNSName [2], URI [6], iPAddress [7]; Contrast writes no other. */
function readNames(whole: DerReader): Names {
  const list = whole.sequence("subjectAltName");
  const [dns, uri, ip]: [string[], string[], string[]] = [[], [], []];
  let count = 0;
  do {
    const { tag, content } = list.element("subjectAltName");
    if (tag === contextTag(2, false)) dns.push(ascii(content, "dNSName"));
    else if (tag === contextTag(6, false)) uri.push(ascii(content, "uniformResourceIdentifier"));
    else if (tag === contextTag(7, false)) ip.push(ipText(content));
    else throw malformed(`subjectAltName: name of a kind that Contrast does not write (tag 0x${tag.toString(16)})`);
    if (++count > maxNames) throw malformed(`subjectAltName: more than ${maxNames} names`);
  } while (list.more);
  return { dns, ip, uri };
}

function readUsages(whole: DerReader): string[] {
  const list = whole.sequence("extKeyUsage");
  const usages: string[] = [];
  do {
    usages.push(list.oid("extKeyUsage"));
    if (usages.length > maxUsages) throw malformed(`extKeyUsage: more than ${maxUsages} usages`);
  } while (list.more);
  return usages;
}

/**
 * Reads names, usages and Contrast's extensions of a decoded certificate.
 * @throws PmError PM_EVIDENCE_MALFORMED for names or usages that are not strict DER
 */
export function readLeaf(certificate: Certificate): MeshLeaf {
  const { extensions } = certificate;
  const first = (oid: string): Extension | undefined => extensions.find((e) => e.oid === oid);
  const [sans, usages] = [first(oids.subjectAltName), first(oids.extKeyUsage)];
  const reader = new Values(extensions);
  const tee = reader.tee();
  const workloadSecretId = reader.text(oids.workloadSecretId, "WorkloadSecretID");
  return {
    certificate,
    names: sans === undefined ? sortedNames([]) : decodeWhole(sans.value, "subjectAltName", readNames),
    usages: usages === undefined ? undefined : decodeWhole(usages.value, "extKeyUsage", readUsages),
    values: tee === undefined ? undefined : reader.values(tee),
    workloadSecretId,
    problems: reader.problems,
  };
}

/** Reads single values and collects what is wrong with them. */
class Values {
  readonly problems: ExtensionProblem[] = [];
  readonly #extensions: readonly Extension[];

  constructor(extensions: readonly Extension[]) {
    this.#extensions = extensions;
  }

  tee(): "SNP" | "TDX" | undefined {
    const under = (arc: string): boolean => this.#extensions.some(({ oid }) => oid.startsWith(`${arc}.`));
    const [snp, tdx] = [under(oids.snp), under(oids.tdx)];
    if (snp && tdx) this.#say("duplicate", "values of SNP and of TDX");
    else if (!snp && !tdx) this.#say("missing", "no value of any TEE");
    return snp === tdx ? undefined : snp ? "SNP" : "TDX";
  }

  values(tee: "SNP" | "TDX"): MeshValues {
    if (tee === "TDX")
      return {
        tee,
        mrSeam: this.#octets(`${oids.tdx}.9`, 48, "MRSEAM"),
        tdAttributes: this.#octets(`${oids.tdx}.12`, 8, "TDATTRIBUTES"),
        xfam: this.#octets(`${oids.tdx}.13`, 8, "XFAM"),
        mrTd: this.#octets(`${oids.tdx}.14`, 48, "MRTD"),
        hostData: this.#octets(`${oids.tdx}.15`, 48, "MRCONFIGID"),
        rtmrs: [0, 1, 2, 3].map((i) => this.#octets(`${oids.tdx}.${18 + i}`, 48, `RTMR${i}`)),
        // The number is Contrast v1.20's; no recorded certificate has shown it, so none is demanded.
        pckChain: this.#optional(`${oids.tdx}.46`, "PCK chain"),
      };
    return {
      tee,
      measurement: this.#octets(`${oids.snp}.22`, 48, "measurement"),
      hostData: this.#octets(`${oids.snp}.23`, 32, "host data"),
      reportedTcb: this.#tcb(28, "reported TCB"),
      chipId: this.#octets(`${oids.snp}.32`, 64, "chip id"),
      launchTcb: this.#tcb(43, "launch TCB"),
    };
  }

  /** "" when absent. */
  text(oid: string, name: string): string | undefined {
    if (!this.#extensions.some((e) => e.oid === oid)) return "";
    return this.#read(oid, name, (r) => ascii(r.octetString(name), name));
  }

  #say(kind: ExtensionProblem["kind"], message: string): void {
    this.problems.push({ kind, message });
  }

  #optional(oid: string, name: string): Uint8Array | undefined {
    if (!this.#extensions.some((e) => e.oid === oid)) return undefined;
    return this.#read(oid, name, (reader) => {
      const octets = reader.octetString(name);
      if (octets.length > maxChainBytes)
        throw malformed(`${name}: ${octets.length} bytes are more than any known chain has`);
      return octets;
    });
  }

  #octets(oid: string, length: number, name: string): string | undefined {
    return this.#read(oid, name, (reader) => {
      const octets = reader.octetString(name);
      if (octets.length !== length) throw malformed(`${name}: ${octets.length} bytes, needs ${length}`);
      return hex(octets);
    });
  }

  /** Four extensions from `from` on: boot loader, SNP firmware, TEE, microcode. */
  #tcb(from: number, name: string): MeshTcb | undefined {
    const [bootloader, snp, tee, microcode] = ["bootloader", "SNP", "TEE", "microcode"].map((part, i) =>
      this.#read(`${oids.snp}.${from + i}`, `${name} ${part}`, (r) => r.smallInteger(`${name} ${part}`, 255)),
    );
    return bootloader === undefined || snp === undefined || tee === undefined || microcode === undefined
      ? undefined
      : { bootloader, snp, tee, microcode };
  }

  #read<T>(oid: string, name: string, read: (reader: DerReader) => T): T | undefined {
    const [one, ...more] = this.#extensions.filter((e) => e.oid === oid);
    if (one === undefined || more.length > 0) {
      this.#say(one === undefined ? "missing" : "duplicate", `${oid} (${name})`);
      return undefined;
    }
    try {
      return decodeWhole(one.value, name, read);
    } catch (error) {
      if (!(error instanceof PmError)) throw error;
      this.#say("malformed", `${oid} (${name}): ${error.message}`);
      return undefined;
    }
  }
}
