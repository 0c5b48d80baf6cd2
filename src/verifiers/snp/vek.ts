/** AMD's extensions in a VCEK or VLEK, VCEK specification (57230) chapter 3, table of X.509 extensions. */
import { type Certificate, commonName } from "../../crypto/certificate.ts";
import { lineOfIntermediateName, type VekKind } from "./product.ts";
import type { Tcb } from "./tcb.ts";

const arc = "1.3.6.1.4.1.3704.1";
const oids = {
  structVersion: `${arc}.1`,
  productName: `${arc}.2`,
  blSPL: `${arc}.3.1`,
  teeSPL: `${arc}.3.2`,
  snpSPL: `${arc}.3.3`,
  spl4: `${arc}.3.4`,
  spl5: `${arc}.3.5`,
  spl6: `${arc}.3.6`,
  spl7: `${arc}.3.7`,
  ucodeSPL: `${arc}.3.8`,
  fmcSPL: `${arc}.3.9`,
  HWID: `${arc}.4`,
  CSP_ID: `${arc}.5`,
} as const;
export type VekExtension = keyof typeof oids;
const nameOf = new Map<string, VekExtension>(Object.entries(oids).map(([name, oid]) => [oid, name as VekExtension]));
const numeric = [
  "structVersion",
  "blSPL",
  "teeSPL",
  "snpSPL",
  "spl4",
  "spl5",
  "spl6",
  "spl7",
  "ucodeSPL",
  "fmcSPL",
] as const satisfies readonly VekExtension[];
type Numeric = (typeof numeric)[number];

/** In the order of preference when several are true. */
export type VekCode = "vek-ext-missing" | "vek-ext-duplicate" | "vek-ext-malformed" | "vek-ext-unexpected";
export const vekCodes: readonly VekCode[] = [
  "vek-ext-missing",
  "vek-ext-duplicate",
  "vek-ext-malformed",
  "vek-ext-unexpected",
];
export interface VekProblem {
  readonly code: VekCode;
  readonly message: string;
}

export interface Vek {
  readonly kind: VekKind;
  /** Judged by the extensions of the Turin line. */
  readonly turin: boolean;
  readonly numbers: Readonly<Partial<Record<Numeric, number>>>;
  readonly productName: string | undefined;
  /** VCEK only: 64 bytes, on Turin 8. */
  readonly hwid: Uint8Array | undefined;
  /** VLEK only. */
  readonly cspId: string | undefined;
  readonly present: readonly VekExtension[];
  readonly problems: readonly VekProblem[];
}

/** Turin has fmcSPL where the other lines have spl4. */
export function requiredExtensions(kind: VekKind, turin: boolean): VekExtension[] {
  const own: VekExtension = turin ? "fmcSPL" : "spl4";
  return (Object.keys(oids) as VekExtension[]).filter((name) =>
    name === "fmcSPL" || name === "spl4"
      ? name === own
      : name === "HWID"
        ? kind === "VCEK"
        : name !== "CSP_ID" || kind === "VLEK",
  );
}

/**
 * Reads every extension by its OID; their order differs between generations. Nothing is thrown: problems are listed.
 * The layout follows the line that the issuer's name says. structVersion is no guide: certificates of the Genoa line exist
 * with 0 and with 1. It decides only where the issuer names no line.
 */
export function decodeVek(certificate: Certificate, kind: VekKind): Vek {
  const problems: VekProblem[] = [];
  const values = new Map<VekExtension, Uint8Array>();
  const seen = new Set<string>();
  for (const { oid, value } of certificate.extensions) {
    const name = nameOf.get(oid);
    // A map by OID would keep one of two values without a word.
    if (seen.has(oid)) problems.push({ code: "vek-ext-duplicate", message: `${name ?? oid} occurs twice` });
    else if (name !== undefined) values.set(name, value);
    else if (oid.startsWith(`${arc}.`))
      problems.push({ code: "vek-ext-unexpected", message: `AMD extension ${oid} is unknown` });
    seen.add(oid);
  }
  const read = <T>(name: VekExtension, decode: (value: Uint8Array) => T | undefined, shape: string): T | undefined => {
    const value = values.get(name);
    if (value === undefined) return undefined;
    const decoded = decode(value);
    if (decoded === undefined) problems.push({ code: "vek-ext-malformed", message: `${name} is not ${shape}` });
    return decoded;
  };
  const numbers: Partial<Record<Numeric, number>> = {};
  for (const name of numeric) {
    const number = read(name, decodeInteger, "a canonical INTEGER from 0 to 255");
    if (number !== undefined) numbers[name] = number;
  }
  const { structVersion } = numbers;
  if (structVersion !== undefined && structVersion > 1)
    problems.push({ code: "vek-ext-unexpected", message: `structVersion ${structVersion} is unknown` });
  const line = lineOfIntermediateName(commonName(certificate.issuer));
  const turin = line === undefined ? structVersion === 1 : line === "Turin";
  problems.push(...presence(new Set(values.keys()), requiredExtensions(kind, turin)));
  const hwidSize = turin ? 8 : 64;
  return {
    kind,
    turin,
    numbers,
    productName: read("productName", decodeIa5String, "a printable IA5String"),
    hwid: read("HWID", (value) => decodeHwid(value, hwidSize), `${hwidSize} bytes`),
    cspId: read("CSP_ID", decodeIa5String, "a printable IA5String"),
    present: (Object.keys(oids) as VekExtension[]).filter((name) => values.has(name)),
    problems: problems.sort((a, b) => vekCodes.indexOf(a.code) - vekCodes.indexOf(b.code)),
  };
}

function presence(present: ReadonlySet<VekExtension>, required: readonly VekExtension[]): VekProblem[] {
  const missing = required.filter((name) => !present.has(name));
  const surplus = [...present].filter((name) => !required.includes(name));
  return [
    ...missing.map((name): VekProblem => ({ code: "vek-ext-missing", message: `${name} is missing` })),
    ...surplus.map((name): VekProblem => ({ code: "vek-ext-unexpected", message: `${name} does not belong here` })),
  ];
}

/** The TCB that the key was derived from; undefined when an extension of it is missing or malformed. */
export function vekTcb({ numbers, turin }: Vek): Tcb | undefined {
  const { fmcSPL, blSPL, teeSPL, snpSPL, spl4, spl5, spl6, spl7, ucodeSPL } = numbers;
  const reserved = turin ? [spl5, spl6, spl7] : [spl4, spl5, spl6, spl7];
  const known = reserved.filter((n) => n !== undefined);
  if (blSPL === undefined || teeSPL === undefined || snpSPL === undefined || ucodeSPL === undefined) return undefined;
  if (known.length !== reserved.length) return undefined;
  const tcb = { bootloader: blSPL, tee: teeSPL, snp: snpSPL, microcode: ucodeSPL, reserved: known };
  if (!turin) return tcb;
  return fmcSPL === undefined ? undefined : { fmc: fmcSPL, ...tcb };
}

/** DER INTEGER in its one shortest form. */
function decodeInteger(value: Uint8Array): number | undefined {
  const [tag, length, first, second] = value;
  if (tag !== 0x02 || first === undefined) return undefined;
  if (value.length === 3 && length === 1 && first < 0x80) return first;
  if (value.length === 4 && length === 2 && first === 0 && second !== undefined && second >= 0x80) return second;
  return undefined;
}

function decodeIa5String(value: Uint8Array): string | undefined {
  const text = value.subarray(2);
  if (value[0] !== 0x16 || value[1] !== text.length || text.length === 0 || text.length > 127) return undefined;
  return text.every((b) => b >= 0x20 && b < 0x7f) ? Buffer.from(text).toString("latin1") : undefined;
}

/** Raw bytes without a tag. A chip id may begin like a DER tag, so the length decides first, then an OCTET STRING. */
function decodeHwid(value: Uint8Array, size: number): Uint8Array | undefined {
  if (value.length === size) return value.slice();
  return value.length === size + 2 && value[0] === 0x04 && value[1] === size ? value.slice(2) : undefined;
}
