/** What a quote brings along: the PCK chain, decoded and path-checked once, and the platform that the certificate names. */
import type { Certificate } from "../crypto/certificate.ts";
import { PmError } from "../errors.ts";
import { decodeChain, judgePckChain, type PathFindings } from "./chain.ts";
import { decodePck, type PckExtensions, pckCaOf } from "./pck.ts";
import type { Quote } from "./quote.ts";
import type { PckCa } from "./requests.ts";
import type { IntelRoot } from "./root.ts";

export interface DcapMaterial {
  readonly quote: Quote;
  readonly root: IntelRoot;
  /** Leaf first; or why there is none: `unsupported` where the quote does not carry it. */
  readonly chain: readonly Certificate[] | { readonly problem: string; readonly unsupported: boolean };
  readonly findings: PathFindings | undefined;
  readonly pck: PckExtensions | { readonly problem: string };
  readonly ca: PckCa | undefined;
}

const nothing = { findings: undefined, ca: undefined } as const;

/** A quote that only names its platform (certification data types 1 to 4) is not handled. */
export function gatherPck(quote: Quote, root: IntelRoot, at: Date): DcapMaterial {
  const { type, data } = quote.certification;
  if (type !== 5) {
    const problem = `certification data type ${type}: the quote does not carry its PCK chain; known: 5`;
    return { ...nothing, quote, root, chain: { problem, unsupported: true }, pck: { problem } };
  }
  let chain: readonly Certificate[];
  try {
    chain = decodeChain(data, "PCK chain in the quote", false);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    const problem = error.message;
    return { ...nothing, quote, root, chain: { problem, unsupported: false }, pck: { problem } };
  }
  const [leaf] = chain;
  return {
    quote,
    root,
    chain,
    findings: judgePckChain(chain, root, at),
    pck: leaf === undefined ? { problem: "no PCK certificate" } : readPck(leaf),
    ca: leaf === undefined ? undefined : pckCaOf(leaf),
  };
}

function readPck(leaf: Certificate): DcapMaterial["pck"] {
  try {
    return decodePck(leaf);
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { problem: error.message };
  }
}

export const certificatesOf = ({ chain }: DcapMaterial): readonly Certificate[] => ("problem" in chain ? [] : chain);
