/** Paths of AMD's key distribution service: document 57230, and spec notes snp.md 11. */

export type KdsItem =
  /** One chip's VCEK for one TCB. */
  | { readonly kind: "vcek"; readonly line: string; readonly hwid: string; readonly tcb: string }
  /** ASK and ARK (family `vcek`), or ASVK and ARK (family `vlek`). */
  | { readonly kind: "chain"; readonly family: "vcek" | "vlek"; readonly line: string }
  | { readonly kind: "crl"; readonly family: "vcek" | "vlek"; readonly line: string };

/** Order in the cache's file names; FMC is Turin's. */
const parts = ["fmc", "bl", "tee", "snp", "ucode"] as const;

/** What a request path asks for; undefined when it is none of KDS's. A TCB part may be zero-padded or not. */
export function decodeKdsPath(path: string): KdsItem | undefined {
  const shared = /^\/(vcek|vlek)\/v1\/([A-Za-z][A-Za-z0-9]{1,31})\/(cert_chain|crl)$/.exec(path);
  if (shared !== null) {
    const [, family, line = "", object] = shared;
    return { kind: object === "crl" ? "crl" : "chain", family: family === "vlek" ? "vlek" : "vcek", line };
  }
  const own =
    /^\/vcek\/v1\/([A-Za-z][A-Za-z0-9]{1,31})\/([0-9a-fA-F]{16}|[0-9a-fA-F]{128})\?([A-Za-z0-9=&]{1,128})$/.exec(path);
  const [, line = "", hwid = "", query = ""] = own ?? [];
  const tcb = decodeTcb(query);
  return tcb === undefined ? undefined : { kind: "vcek", line, hwid: hwid.toLowerCase(), tcb };
}

/** `blSPL=10&teeSPL=0&snpSPL=28&ucodeSPL=88` to `bl10-tee0-snp28-ucode88`. */
function decodeTcb(query: string): string | undefined {
  const values = new Map<string, number>();
  for (const term of query.split("&")) {
    const [, name = "", value = ""] = /^([a-z]+)SPL=(\d{1,3})$/.exec(term) ?? [];
    if (!parts.some((part) => part === name) || values.has(name) || Number(value) > 255) return undefined;
    values.set(name, Number(value));
  }
  const complete = parts.every((part) => values.has(part) || part === "fmc");
  return complete ? parts.flatMap((p) => (values.has(p) ? `${p}${values.get(p)}` : [])).join("-") : undefined;
}
