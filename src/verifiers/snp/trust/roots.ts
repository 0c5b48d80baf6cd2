/** Trust anchors: AMD's root keys (ARK), one a product line, or the one that a test put in their place. */
import { fromBase64 } from "../../../bytes/hex.ts";
import type { Origin } from "../../../claims/answer.ts";
import { type Certificate, commonName, decodeCertificates } from "../../../crypto/certificate.ts";
import { PmError, usage } from "../../../errors.ts";
import { sha256 } from "../digest.ts";
import { lineOfRootName, type ProductLine, rootName, type VekKind } from "../product.ts";
import * as genoa from "./genoa.ts";
import * as milan from "./milan.ts";
import * as turin from "./turin.ts";

export interface Root {
  readonly line: ProductLine;
  /** Common name, `ARK-<line>`. */
  readonly name: string;
  /** The whole certificate, DER: pinned by its bytes, not by its key. */
  readonly certificate: Uint8Array;
  readonly sha256: string;
  /** Where the anchor comes from, for the report. */
  readonly source: string;
  /** Who says so, for expected values. */
  readonly origin: Origin;
  /** ASK and ASVK as published, for convenience: path-checked like any other, not trusted. */
  readonly intermediates?: Readonly<Record<VekKind, Uint8Array>>;
}
/** A line without a root cannot be authenticated. */
export type Roots = Readonly<Partial<Record<ProductLine, Root>>>;

interface Constant {
  readonly sha256: string;
  readonly der: string;
}
const bytesOf = (c: Constant, field: string): Uint8Array => fromBase64(c.der.replaceAll("\n", ""), field);

function amdRoot(line: ProductLine, c: { ark: Constant; ask: Constant; asvk: Constant }): Root {
  const name = rootName(line);
  return {
    line,
    name,
    certificate: bytesOf(c.ark, name),
    sha256: c.ark.sha256,
    source: `AMD, https://kdsintf.amd.com/vcek/v1/${line}/cert_chain`,
    origin: { kind: "vendor-root", name },
    intermediates: { VCEK: bytesOf(c.ask, `SEV-${line}`), VLEK: bytesOf(c.asvk, `SEV-VLEK-${line}`) },
  };
}

/** AMD's own roots. */
export const amdRoots: Roots = {
  Milan: amdRoot("Milan", milan),
  Genoa: amdRoot("Genoa", genoa),
  Turin: amdRoot("Turin", turin),
};

/**
 * One certificate of somebody's choice in place of all of AMD's: for test rigs only, and named in every report.
 * @param certificate exactly one, DER or PEM, common name `ARK-<line>`
 * @throws PmError PM_USAGE when it is not that
 */
export function testRoot(certificate: Uint8Array, file: string): Roots {
  const found = oneCertificate(certificate, file);
  const line = lineOfRootName(commonName(found.subject));
  if (line === undefined) throw notARoot(file, "its common name is not that of a known line");
  const root: Root = {
    line,
    name: rootName(line),
    certificate: found.raw,
    sha256: sha256(found.raw),
    source: `test root from ${file}`,
    origin: { kind: "flag", name: `--insecure-trust-root ${file}` },
  };
  return { [line]: root };
}

const notARoot = (file: string, why: string): PmError =>
  usage(`${file}: no test root: ${why}`, "give one certificate whose common name is ARK-Milan, ARK-Genoa or ARK-Turin");

function oneCertificate(bytes: Uint8Array, file: string): Certificate {
  try {
    const [found, ...more] = decodeCertificates(bytes, file);
    if (found !== undefined && more.length === 0) return found;
  } catch (error) {
    throw notARoot(file, error instanceof PmError ? error.message : "not a certificate");
  }
  throw notARoot(file, "more than one certificate");
}
