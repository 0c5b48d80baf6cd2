/** Paths of Intel's Provisioning Certification Service, version 4, that pm asks (spec notes tdx.md 8); no other is ever asked. */

interface Selected {
  readonly update?: "early" | "standard";
}
export type PcsItem =
  | ({ readonly kind: "tcb-info"; readonly tee: "sgx" | "tdx"; readonly fmspc: string } & Selected)
  | ({ readonly kind: "qe-identity"; readonly tee: "sgx" | "tdx" } & Selected)
  | { readonly kind: "pck-crl"; readonly ca: "platform" | "processor" }
  | { readonly kind: "root-crl" };
export type PcsKind = PcsItem["kind"];

const teeOf = (text: string | undefined): "sgx" | "tdx" => (text === "tdx" ? "tdx" : "sgx");

/** What a request path asks for; undefined when it is none of the service's, spelled in any other way included. */
export function decodePcsPath(path: string): PcsItem | undefined {
  if (path === "/IntelSGXRootCA.der") return { kind: "root-crl" };
  const crl = /^\/sgx\/certification\/v4\/pckcrl\?ca=(platform|processor)&encoding=der$/.exec(path);
  if (crl !== null) return { kind: "pck-crl", ca: crl[1] === "platform" ? "platform" : "processor" };
  const tcb = /^\/(sgx|tdx)\/certification\/v4\/tcb\?fmspc=([0-9a-f]{12})(?:&(.+))?$/.exec(path);
  const identity = /^\/(sgx|tdx)\/certification\/v4\/qe\/identity(?:\?(.+))?$/.exec(path);
  const selected = decodeSelection(tcb?.[3] ?? identity?.[2]);
  if (selected === undefined) return undefined;
  if (tcb !== null) return { kind: "tcb-info", tee: teeOf(tcb[1]), fmspc: tcb[2] ?? "", ...selected };
  return identity === null ? undefined : { kind: "qe-identity", tee: teeOf(identity[1]), ...selected };
}

function decodeSelection(query: string | undefined): Selected | undefined {
  if (query === undefined) return {};
  if (query === "update=early") return { update: "early" };
  return query === "update=standard" ? { update: "standard" } : undefined;
}

/** What an answer is about, selections aside: two documents with one subject are of different dates or numbers. */
export function subjectOf(item: PcsItem): string {
  switch (item.kind) {
    case "tcb-info":
      return `${item.tee}-tcb-${item.fmspc}`;
    case "qe-identity":
      return `${item.tee}-qe-identity`;
    case "pck-crl":
      return `pck-crl-${item.ca}`;
    case "root-crl":
      return "root-crl";
    default:
      return item satisfies never;
  }
}

/** Subject and selection, fit for a file name. */
export function nameOf(item: PcsItem): string {
  const { update }: Selected = "update" in item ? item : {};
  return update === undefined ? subjectOf(item) : `${subjectOf(item)}-${update}`;
}

/** For messages. */
export const documentName: Readonly<Record<PcsKind, string>> = {
  "tcb-info": "TCB info",
  "qe-identity": "a QE identity",
  "pck-crl": "a PCK CRL",
  "root-crl": "the root CA's CRL",
};
