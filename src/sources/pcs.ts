/**
 * Client of Intel's Provisioning Certification Service, version 4 (spec notes tdx.md 8), of a mirror or of a PCCS, with its
 * cache. It never judges: the verifiers check every byte and every chain.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Request, Response } from "../run.ts";
import { errorCode } from "./files.ts";
import type { FetchOptions } from "./http.ts";
import type { Net } from "./net.ts";
import { defaultPcsUrl, defaultRootCrlUrl, secureUrl, under } from "./paths.ts";
import { type CachedAnswer, keepAnswer, loadAnswer, pcsFolder } from "./pcs-cache.ts";
import { decodeDocument, inWindow, newer } from "./pcs-document.ts";
import { decodePcsPath, documentName, type PcsItem, type PcsKind, subjectOf } from "./pcs-path.ts";

export interface PcsOptions {
  /** Base URL of a PCCS or a mirror; https, or http to a loopback address. Default Intel's own service. */
  readonly url?: string;
  /** Folder of the cache (`collateralDir`); absent: nothing is kept. */
  readonly cacheDir?: string;
}

/** Answers older than this are asked for again (design.md 5). */
const maxAgeMs = 24 * 3600 * 1000;
const label = "Intel's certification service";

/** Headers that carry the issuer chain, lower-case. The second name of the first is what API version 3 and some PCCS send. */
const chainHeaders: Readonly<Record<PcsKind, FetchOptions["issuerChain"]>> = {
  "tcb-info": { headers: ["tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"], required: true },
  "qe-identity": { headers: ["sgx-enclave-identity-issuer-chain"], required: true },
  // The CA that signed this list is in the quote's own chain.
  "pck-crl": { headers: ["sgx-pck-crl-issuer-chain"], required: false },
  "root-crl": undefined,
};

const explainSigned = {
  400: "the service does not take this question: an FMSPC has 12 hex digits",
  404: "unknown FMSPC: the service knows no such platform",
  410: "the service no longer serves this document",
};
const explainCrl = {
  400: "the service does not take this question",
  404: "the service has no such CRL",
  410: "the service no longer serves this CRL",
};

/**
 * The cached answer serves while it is younger than a day and inside its own window of validity. After that the service is
 * asked; of the cached and the fetched document the newer wins, and a cached one that is still valid also serves where the
 * service cannot be reached. That the service says no (400, 404, 410) is its answer, and no cache covers it up.
 * @throws PmError PM_USAGE for a URL that is not allowed
 */
export function pcsFetcher(options: PcsOptions, net: Net): (request: Request) => Promise<Response> {
  const base = secureUrl(options.url ?? defaultPcsUrl, "PCS URL");
  const own = base.href === secureUrl(defaultPcsUrl, "PCS URL").href;
  // Intel has the root's CRL on a host of its own; a PCCS has it under its base, as hex text.
  const rootCrl = own ? new URL(defaultRootCrlUrl) : under(base, "/sgx/certification/v4/rootcacrl");
  const dir = options.cacheDir === undefined ? undefined : folderOf(options.cacheDir, own ? undefined : base);
  return async (request) => {
    const item = decodePcsPath(request.path);
    if (item === undefined || request.post !== undefined)
      return { status: "refused", reason: `${label} has no such path` };
    const cached = dir === undefined ? undefined : await loadAnswer(dir, item, request.maxBytes);
    const valid = cached !== undefined && inWindow(cached.document, net.now()) ? cached : undefined;
    if (valid !== undefined && isFresh(valid, net.now())) return fromCache(valid);
    const url = item.kind === "root-crl" ? rootCrl : under(base, request.path);
    const answer = await ask(url, item, request.maxBytes, net);
    if (answer.status === "unavailable" && valid !== undefined) return fromCache(valid);
    const fetched = answer.status === "ok" ? decodeDocument(answer.bytes) : undefined;
    if (answer.status !== "ok" || fetched === undefined) return answer;
    if (valid !== undefined && newer(valid.document, fetched) === true)
      return { ...fromCache(valid), offered: answer.bytes };
    // Only what answers the question: the document of another platform must not answer for this one for a day.
    if (dir !== undefined && fetched.subject === subjectOf(item) && inWindow(fetched, net.now()))
      await keep(() => keepAnswer(dir, item, { path: request.path, ...answer }), net);
    return answer;
  };
}

async function ask(url: URL, item: PcsItem, maxBytes: number, net: Net): Promise<Response> {
  const signed = item.kind !== "pck-crl" && item.kind !== "root-crl";
  const chain = chainHeaders[item.kind];
  const answer = await net.fetch(url, {
    label,
    method: "GET",
    maxBytes,
    retry: true,
    explain: signed ? explainSigned : explainCrl,
    ...(chain === undefined ? {} : { issuerChain: chain }),
  });
  if (answer.status === "unavailable" && net.offline)
    return { ...answer, reason: `${answer.reason}; give ${documentName[item.kind]} with --collateral FILE|DIR` };
  if (answer.status !== "ok" || decodeDocument(answer.bytes)?.kind === item.kind) return answer;
  return { status: "refused", reason: `${label} answered with something that is not ${documentName[item.kind]}` };
}

/** Received within the last day and not in the future: a clock that was set back must not keep an answer for ever. */
function isFresh({ at }: CachedAnswer, now: Date): boolean {
  const age = now.getTime() - Date.parse(at);
  return age >= 0 && age < maxAgeMs;
}

const fromCache = ({ bytes, at, issuerChain }: CachedAnswer): Response & { status: "ok" } => ({
  status: "ok",
  bytes,
  at,
  ...(issuerChain === undefined ? {} : { issuerChain }),
});

/** What another service says about dates and numbers must not stand in for Intel's own answers. */
function folderOf(cacheDir: string, url: URL | undefined): string {
  if (url === undefined) return join(cacheDir, pcsFolder);
  return join(cacheDir, pcsFolder, createHash("sha256").update(url.href).digest("hex").slice(0, 32));
}

/** A full or read-only disk costs a round trip next time, never the run. */
async function keep(write: () => Promise<void>, net: Net): Promise<void> {
  try {
    await write();
  } catch (error) {
    net.notice(`the collateral cache cannot be written (${errorCode(error)})`);
  }
}
