/**
 * Intel's part of `--collateral FILE|DIR`: JSON files of collateral for a quote (intel-set.ts), responses of the service as
 * it serves them with their issuer chain in `<name>_chain.txt` beside them, CRLs in DER, PEM or hex, and pm's own cache.
 */
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { sameBytes } from "../bytes/hex.ts";
import { usage } from "../errors.ts";
import type { Request, Response } from "../run.ts";
import { type LoadedFile, loadBounded } from "./files.ts";
import { chainText, decodeSet } from "./intel-set.ts";
import { decodeAnswer, pcsFolder } from "./pcs-cache.ts";
import { crlSubjectOf, decodeDocument, newer, type PcsDocument } from "./pcs-document.ts";
import { decodePcsPath, type PcsItem, type PcsKind, subjectOf } from "./pcs-path.ts";

export interface IntelGiven {
  /** Answer to a request of service `intel-pcs`; undefined when nothing that was given answers it. */
  answer(request: Request): Response | undefined;
}

interface Given {
  readonly file: string;
  readonly kind: PcsKind;
  /** What it answers for; undefined: it does not say, and only its set does. */
  readonly subject: string | undefined;
  readonly document: PcsDocument | undefined;
  readonly bytes: Uint8Array;
  readonly issuerChain?: string | undefined;
  /** RFC 3339. */
  readonly at: string;
  /** The file is a whole set for one quote, or the only file: it answers whatever is asked of its kind. */
  readonly set: boolean;
}

const maxFileBytes = 16 * 1024 * 1024;
const maxFiles = 2000;
const endings = /\.(json|crl|der|pem|hex)$/i;

/** One file; undefined when it is none of Intel's. @throws PmError PM_USAGE for a set or a chain that cannot be read */
export async function loadIntelFile(path: string, file: LoadedFile): Promise<IntelGiven | undefined> {
  const given = await recognise(path, file);
  return given.length === 0 ? undefined : answers(given.map((one) => ({ ...one, set: true })));
}

/**
 * Every file of a folder, and of the cache's folder in it; undefined when none is Intel's.
 * @throws PmError PM_USAGE for too many files, or two that answer one question and neither is the newer
 */
export async function loadIntelFolder(folder: string): Promise<IntelGiven | undefined> {
  const given: Given[] = [];
  for (const dir of [folder, join(folder, pcsFolder)]) {
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
    const names = entries.filter((e) => !e.isDirectory() && endings.test(e.name)).map((e) => e.name);
    if (names.length > maxFiles) throw usage(`collateral: ${dir}: more than ${maxFiles} files`);
    for (const name of names.sort()) {
      const path = join(dir, name);
      const file = await loadBounded(path, maxFileBytes);
      if (file === undefined) continue;
      const found = await recognise(path, file);
      const silent = found.every((one) => !one.set && one.subject === undefined);
      given.push(...(silent ? await damaged(path, file) : found));
    }
  }
  return given.length === 0 ? undefined : answers(given);
}

/** By content: empty when it is nothing of Intel's. A set says by its form what each part is; a raw response by what it says about itself. */
async function recognise(path: string, file: LoadedFile): Promise<Given[]> {
  const at = file.modified.toISOString();
  const cached = decodeAnswer(file.bytes);
  if (cached !== undefined) {
    const item = decodePcsPath(cached.path);
    return item === undefined ? [] : [fromItem(path, item, cached)];
  }
  const document = decodeDocument(file.bytes);
  if (document !== undefined) {
    const { kind, subject } = document;
    const issuerChain = await chainBeside(path);
    return [{ file: path, kind, subject, document, bytes: file.bytes, issuerChain, at, set: false }];
  }
  return (decodeSet(file.bytes, path) ?? []).map(({ kind, bytes, issuerChain }) => {
    const inside = decodeDocument(bytes);
    // The chain says whose list it is meant to be: one of the other CA must come to be judged as this one's.
    const crlOf = kind === "pck-crl" && issuerChain !== undefined ? crlSubjectOf(issuerChain) : undefined;
    const own = inside?.kind === kind ? inside : undefined;
    const subject = kind === "root-crl" ? subjectOf({ kind }) : (crlOf ?? own?.subject);
    return { file: path, kind, subject, document: inside, bytes, issuerChain, at, set: true };
  });
}

const fromItem = (file: string, item: PcsItem, from: Pick<Given, "bytes" | "at" | "issuerChain">): Given => ({
  file,
  kind: item.kind,
  subject: subjectOf(item),
  document: decodeDocument(from.bytes),
  bytes: from.bytes,
  issuerChain: from.issuerChain,
  at: from.at,
  set: false,
});

/**
 * A file whose name says what it is meant to be, with a content that does not: it is handed to the verifier, so that the
 * damage shows and nothing else silently takes its place.
 */
async function damaged(path: string, file: LoadedFile): Promise<Given[]> {
  const name = basename(path).toLowerCase();
  const ca = /^pck_?crl_(platform|processor)\./.exec(name)?.[1];
  const fmspc = /^tcb_?info_([0-9a-f]{12})\./.exec(name)?.[1];
  const issuerChain = await chainBeside(path);
  const from = { bytes: file.bytes, at: file.modified.toISOString(), issuerChain };
  const tees = ["sgx", "tdx"] as const;
  const items: PcsItem[] =
    ca !== undefined
      ? [{ kind: "pck-crl", ca: ca === "platform" ? "platform" : "processor" }]
      : fmspc !== undefined
        ? tees.map((tee) => ({ kind: "tcb-info", tee, fmspc }))
        : /^qe_?identity\./.test(name)
          ? tees.map((tee) => ({ kind: "qe-identity", tee }))
          : /^(root_?(ca_?)?crl|root_?ca|intelsgxrootca)\.(crl|der|hex)$/.test(name)
            ? [{ kind: "root-crl" }]
            : [];
  return items.map((item) => fromItem(path, item, from));
}

/** `tcb_info_90c06f000000.json` has its chain in `tcb_info_90c06f000000_chain.txt`, as the header had it or as PEM. */
async function chainBeside(path: string): Promise<string | undefined> {
  const stem = join(dirname(path), basename(path).replace(/\.[^.]*$/, ""));
  for (const name of [`${stem}_chain.txt`, `${stem}_chain.pem`]) {
    const file = await loadBounded(name, maxFileBytes);
    if (file !== undefined) return chainText(file.bytes, name);
  }
  return undefined;
}

/**
 * The document for the subject asked for goes first, the newest of several. Where one file is a whole set for a quote and
 * nothing else fits, its part answers all the same: that it is for another platform is for the verifier to say.
 */
function answers(given: readonly Given[]): IntelGiven {
  const bySubject = new Map<string, Given[]>();
  for (const one of given)
    if (one.subject !== undefined) bySubject.set(one.subject, [...(bySubject.get(one.subject) ?? []), one]);
  const ordered = new Map([...bySubject].map(([subject, list]) => [subject, newestFirst(list)]));
  const sets = given.filter((one) => one.set);
  const only = new Set(sets.map((one) => one.file)).size === 1 ? sets : [];
  return {
    answer(request) {
      const item = decodePcsPath(request.path);
      if (item === undefined || request.post !== undefined) return undefined;
      const list = ordered.get(subjectOf(item)) ?? only.filter((one) => one.kind === item.kind);
      const [chosen] = list;
      if (chosen === undefined) return undefined;
      const { bytes, at, issuerChain } = chosen;
      return { status: "ok", bytes, at, given: true, ...(issuerChain === undefined ? {} : { issuerChain }) };
    },
  };
}

/** @throws PmError PM_USAGE naming two files that differ and have no order */
function newestFirst(list: readonly Given[]): readonly Given[] {
  const sorted: Given[] = [];
  for (const one of list) {
    const same = sorted.findIndex((other) => isSame(one, other));
    const older = sorted.findIndex((other) => same < 0 && isNewer(one, other));
    if (same >= 0) sorted[same] = sorted[same]?.issuerChain === undefined ? one : (sorted[same] ?? one);
    else sorted.splice(older < 0 ? sorted.length : older, 0, one);
  }
  return sorted;
}

/** One document with two chains is two answers: Intel's signing certificates share serial and key (tdx.md 2). */
function isSame(a: Given, b: Given): boolean {
  if (!sameBytes(a.bytes, b.bytes)) return false;
  const [x, y] = [a.issuerChain?.trim(), b.issuerChain?.trim()];
  if (x !== undefined && y !== undefined && x !== y)
    throw unordered(a, b, "hold one document with different issuer chains");
  return true;
}

function isNewer(a: Given, b: Given): boolean {
  const order = a.document === undefined || b.document === undefined ? undefined : newer(a.document, b.document);
  if (order === undefined)
    throw unordered(a, b, "answer the same question, differ, and neither is the newer by its own date");
  return order;
}

const unordered = (a: Given, b: Given, what: string) =>
  usage(`collateral: ${a.file} and ${b.file} ${what}`, "give one of them");
