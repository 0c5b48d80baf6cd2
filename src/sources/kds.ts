/** Client of AMD's key distribution service, with its cache. It never judges: the SNP verifier checks every byte. */
import type { Request, Response } from "../run.ts";
import { errorCode, type LoadedFile, writeWhole } from "./files.ts";
import { cachePath, decodes, loadCached, newerCrl, outdatedCrl } from "./kds-cache.ts";
import { decodeKdsPath, type KdsItem } from "./kds-path.ts";
import type { Net } from "./net.ts";
import { defaultKdsUrl, secureUrl, under } from "./paths.ts";

export interface KdsOptions {
  /** Default AMD's own; https, or http to a loopback address. */
  readonly url?: string;
  /** Folder of the cache (`collateralDir`); absent: nothing is kept. */
  readonly cacheDir?: string;
}

/** A CRL older than this is asked for again (design.md 5). */
const crlMaxAgeMs = 24 * 3600 * 1000;
const label = "AMD's key distribution service";
const explain = {
  400: "the service does not know this chip id or TCB",
  404: "the service has no such certificate: wrong product line, chip id or TCB",
};

/**
 * VCEKs and chains never change and come from the cache first. CRLs are asked for again after a day; of the cached and
 * the fetched one the newer wins, and the cached one also serves where the service gives no answer.
 * @throws PmError PM_USAGE for a URL that is not allowed
 */
export function kdsFetcher(options: KdsOptions, net: Net): (request: Request) => Promise<Response> {
  const base = secureUrl(options.url ?? defaultKdsUrl, "KDS URL");
  const ask = async (request: Request, item: KdsItem): Promise<Response> => {
    const answer = await net.fetch(under(base, request.path), {
      label,
      method: "GET",
      maxBytes: request.maxBytes,
      retry: true,
      explain,
    });
    if (answer.status !== "ok" || decodes(item, answer.bytes)) return answer;
    const wanted = item.kind === "crl" ? "a CRL" : "a certificate";
    return { status: "refused", reason: `${label} answered with something that is not ${wanted}` };
  };
  return async (request) => {
    const item = decodeKdsPath(request.path);
    if (item === undefined) return { status: "refused", reason: `${label} has no such path` };
    const dir = options.cacheDir;
    const cached = dir === undefined ? undefined : await loadCached(dir, item, request.maxBytes);
    if (cached !== undefined && (item.kind !== "crl" || fresh(cached, net.now()))) return fromCache(cached);
    const answer = await ask(request, item);
    if (answer.status !== "ok") return cached === undefined ? answer : fromCache(cached);
    if (cached !== undefined && newerCrl(cached.bytes, answer.bytes))
      return { ...fromCache(cached), offered: answer.bytes };
    if (dir !== undefined) await keep(cachePath(dir, item), answer.bytes, net);
    return answer;
  };
}

/** Fetched within the last day, and not in the future: a clock that was set back must not keep a CRL for ever. */
function fresh(crl: LoadedFile, now: Date): boolean {
  const age = now.getTime() - crl.modified.getTime();
  return age >= 0 && age < crlMaxAgeMs && !outdatedCrl(crl.bytes, now);
}

const fromCache = (file: LoadedFile): Response & { status: "ok" } => ({
  status: "ok",
  bytes: file.bytes,
  at: file.modified.toISOString(),
});

/** A full or read-only disk costs a round trip next time, never the run. */
async function keep(path: string, bytes: Uint8Array, net: Net): Promise<void> {
  try {
    await writeWhole(path, bytes);
  } catch (error) {
    net.notice(`the collateral cache cannot be written (${errorCode(error)})`);
  }
}
