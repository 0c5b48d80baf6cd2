/**
 * `--collateral FILE|DIR`: vendor certificates, CRLs and signed documents that the auditor holds. They answer before any
 * network or bundle does, and nothing newer is looked for: who gives a CRL for a past time wants that one judged.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Certificate, commonName, decodeCertificates } from "../crypto/certificate.ts";
import { decodeCrl } from "../crypto/crl.ts";
import { PmError, usage } from "../errors.ts";
import type { Request, Response } from "../run.ts";
import { type LoadedFile, loadBounded } from "./files.ts";
import { type IntelGiven, loadIntelFile, loadIntelFolder } from "./intel-collateral.ts";
import { cachePath } from "./kds-cache.ts";
import { decodeKdsPath, type KdsItem } from "./kds-path.ts";

export interface Collateral {
  /** Answer to a request of service `amd-kds` or `intel-pcs`; undefined when nothing that was given answers it. */
  answer(request: Request): Promise<Response | undefined>;
}

type Kind = KdsItem["kind"];
const flatNames: Readonly<Record<Kind, string>> = { vcek: "vcek.der", chain: "cert_chain.pem", crl: "crl.der" };
const maxFileBytes = 16 * 1024 * 1024;

/**
 * A folder with `cert_chain.pem`, `vcek.der` or `crl.der` of AMD's (each answers for every product line and chip: which
 * one it fits is for the verifier to find), with Intel's documents (intel-collateral.ts), or with the cache's layout, or
 * with several of these; or one file, recognised by its content.
 * @throws PmError PM_USAGE when nothing in it is usable, or two files answer one question and neither is the newer
 */
export async function loadCollateral(path: string): Promise<Collateral> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) throw usage(`collateral: ${path}: no such file or folder`);
  return status.isDirectory() ? loadFolder(path) : loadSingle(path);
}

async function loadSingle(path: string): Promise<Collateral> {
  const file = await loadBounded(path, maxFileBytes);
  const intel = file === undefined ? undefined : await loadIntelFile(path, file);
  if (intel !== undefined) return collateral(new Map(), undefined, intel);
  const kind = file === undefined ? undefined : recognise(file.bytes);
  if (file === undefined || kind === undefined)
    throw usage(
      `collateral: ${path}: neither an AMD certificate, nor a certificate chain, nor a CRL, nor collateral of Intel's`,
      "give a file as AMD's or Intel's service hands it out, a JSON file of collateral for a quote, or a folder of them",
    );
  return collateral(new Map([[kind, file]]), undefined, undefined);
}

async function loadFolder(path: string): Promise<Collateral> {
  const flat = new Map<Kind, LoadedFile>();
  for (const kind of ["vcek", "chain", "crl"] as const) {
    const file = await loadBounded(join(path, flatNames[kind]), maxFileBytes);
    if (file !== undefined) flat.set(kind, file);
  }
  const layout = (await hasFile(join(path, "vcek"), 2)) || (await hasFile(join(path, "vlek"), 2));
  const intel = await loadIntelFolder(path);
  if (flat.size === 0 && !layout && intel === undefined)
    throw usage(
      `collateral: ${path}: holds neither ${Object.values(flatNames).join(", ")}, nor collateral of Intel's, nor the layout of pm's cache`,
      "the cache's layout is vcek/<line>/cert_chain.pem, vcek/<line>/crl.der, vcek/<line>/<chip id>/<tcb>.der, pcs/*.json",
    );
  return collateral(flat, layout ? path : undefined, intel);
}

/** The exact file of the layout wins over the flat one, which may be for another chip. */
function collateral(
  flat: ReadonlyMap<Kind, LoadedFile>,
  layout: string | undefined,
  intel: IntelGiven | undefined,
): Collateral {
  return {
    async answer(request) {
      if (request.service === "intel-pcs") return bounded(intel?.answer(request), request);
      if (request.service !== "amd-kds") return undefined;
      const item = decodeKdsPath(request.path);
      if (item === undefined) return undefined;
      const exact = layout === undefined ? undefined : await loadExact(layout, item);
      const file = exact ?? flat.get(item.kind);
      if (file === undefined) return undefined;
      return bounded({ status: "ok", bytes: file.bytes, at: file.modified.toISOString(), given: true }, request);
    },
  };
}

const bounded = (response: Response | undefined, { maxBytes }: Request): Response | undefined =>
  response?.status === "ok" && response.bytes.length > maxBytes
    ? { status: "refused", reason: `the collateral given has more than the ${maxBytes} bytes allowed` }
    : response;

/** pm's own name, or the one under which operators keep VCEKs for verifiers without network: by chip id alone. */
async function loadExact(layout: string, item: KdsItem): Promise<LoadedFile | undefined> {
  const own = await loadBounded(cachePath(layout, item), maxFileBytes);
  if (own !== undefined || item.kind !== "vcek") return own;
  // Turin's names are not confirmed: with an FMC part there is no such name.
  const [, bl, tee, snp, ucode] = /^bl(\d+)-tee(\d+)-snp(\d+)-ucode(\d+)$/.exec(item.tcb) ?? [];
  if (bl === undefined || tee === undefined || snp === undefined || ucode === undefined) return undefined;
  const two = (part: string): string => part.padStart(2, "0");
  const name = `bl${two(bl)}_tee${two(tee)}_snp${two(snp)}_ucode${two(ucode)}_vcek.der`;
  return loadBounded(join(layout, "vcek", item.hwid, name), maxFileBytes);
}

async function hasFile(folder: string, depth: number): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  if (entries.some((entry) => entry.isFile() && /\.(der|pem)$/.test(entry.name))) return true;
  if (depth === 0) return false;
  for (const entry of entries)
    if (entry.isDirectory() && (await hasFile(join(folder, entry.name), depth - 1))) return true;
  return false;
}

/** A CRL; one certificate of a chip (its subject says VCEK); anything else that is certificates: a chain. */
function recognise(bytes: Uint8Array): Kind | undefined {
  if (attempt(() => decodeCrl(bytes)) !== undefined) return "crl";
  const certificates: readonly Certificate[] = attempt(() => decodeCertificates(bytes)) ?? [];
  const [first, ...others] = certificates;
  if (first === undefined) return undefined;
  return others.length === 0 && commonName(first.subject) === "SEV-VCEK" ? "vcek" : "chain";
}

function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}
