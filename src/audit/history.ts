/** `pm manifest history`: the manifests of a recorded exchange or of the proxy's log, one after the other. Nothing is authenticated. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { hex } from "../bytes/hex.ts";
import { type Change, countGrades } from "../claims/change.ts";
import type { Result } from "../command.ts";
import { malformed, PmError, usage } from "../errors.ts";
import { changeLines, changesJson, comparisonLine, countsText } from "../report/changes.ts";
import { safe, safeJson, wrap } from "../report/text.ts";
import { keyOf } from "../run.ts";
import { type Bundle, readBundle } from "../sources/bundle.ts";
import { isManifestLog, readManifestLog } from "../sources/manifest-log.ts";
import { diffManifests } from "../verifiers/contrast/diff.ts";
import { transitions } from "../verifiers/contrast/history.ts";
import { decodeManifest } from "../verifiers/contrast/manifest.ts";
import type { DecodedManifest } from "../verifiers/contrast/model.ts";
import { decodeState } from "../verifiers/contrast/response.ts";
import { type ManifestRules, manifestRules } from "../verifiers/contrast/rules.ts";
import type { ApiForm } from "../verifiers/contrast/types.ts";
import { problemsOf } from "./diff.ts";

/** A manifest with what its source says beside it. */
interface Listed {
  readonly bytes: Uint8Array | undefined;
  /** What the source calls it. */
  readonly from: { readonly [name: string]: string };
  /** SHA-256 of this and all before it, hex; only where a Coordinator answered with the whole history. */
  readonly transition?: string;
}
interface History {
  readonly kind: "bundle" | "manifest log";
  /** Identity of a bundle. */
  readonly sha256: string | null;
  readonly manifests: readonly Listed[];
  readonly problems: readonly string[];
}

/**
 * @param source folder or tar of a bundle, folder of a proxy's log, or the proxy's folder with `manifests` in it
 * @throws PmError PM_USAGE for anything else; PM_EVIDENCE_MALFORMED for a bundle or an answer that cannot be read
 */
export async function manifestHistory(source: string, contrastVersion: string | undefined): Promise<Result> {
  const rules = manifestRules(contrastVersion);
  const history = await openHistory(source);
  const rows = rowsOf(history.manifests, rules);
  const broken = history.problems.length > 0 || rows.some((r) => r.manifest?.manifest === undefined);
  return {
    exitCode: broken ? 1 : 0,
    json: () => historyJson(history, rows, rules),
    text: ({ width }) => historyText(history, rows, source, width),
  };
}

async function openHistory(source: string): Promise<History> {
  const status = await stat(source).catch(() => undefined);
  if (status === undefined)
    throw usage(`${source}: no such file or folder`, "name a bundle, or a proxy's folder of manifests");
  if (status.isDirectory()) {
    for (const folder of [source, join(source, "manifests")]) if (await isManifestLog(folder)) return fromLog(folder);
  }
  return fromBundle(await readBundle(source));
}

async function fromLog(folder: string): Promise<History> {
  const { entries, problems } = await readManifestLog(folder);
  return {
    kind: "manifest log",
    sha256: null,
    manifests: entries.map(({ time, file, bytes }) => ({ bytes, from: { time, file } })),
    problems: entries.length === 0 ? [...problems, "the log names no manifest"] : problems,
  };
}

const forms: Readonly<Record<string, ApiForm>> = {
  "coordinator /attest": "attest",
  "coordinator /v1/attest": "v1",
  "coordinator /privatemode/v1/attest": "privatemode",
};

/** A bundle holds one answer of a Coordinator; several would be several histories. */
function fromBundle(bundle: Bundle): History {
  const answers = bundle.exchanges.flatMap(({ request, response }) => {
    const form = Object.hasOwn(forms, keyOf(request)) ? forms[keyOf(request)] : undefined;
    return form === undefined ? [] : [{ form, response }];
  });
  const [answer, ...more] = answers;
  if (answer === undefined || more.length > 0)
    throw malformed(`bundle: ${answers.length} answers of a Coordinator, needs one`);
  const { form, response } = answer;
  if (response.status !== "ok")
    throw new PmError("PM_SOURCE_REFUSED", `bundle: the Coordinator did not answer: ${response.reason}`);
  const { manifests } = decodeState(response.bytes, form);
  const chained = transitions(manifests);
  return {
    kind: "bundle",
    sha256: bundle.sha256,
    manifests: manifests.map((bytes, i) => ({
      bytes,
      from: {},
      ...(chained[i] === undefined ? {} : { transition: hex(chained[i].digest) }),
    })),
    problems: manifests.length === 0 ? ["the answer shows no manifest"] : [],
  };
}

interface Row {
  readonly listed: Listed;
  readonly manifest: DecodedManifest | undefined;
  /** From the one before to this one; undefined for the first, and where one of them cannot be read. */
  readonly diff: { readonly equal: boolean; readonly changes: readonly Change[] } | undefined;
}

function rowsOf(manifests: readonly Listed[], rules: ManifestRules): Row[] {
  const known = new Map<Uint8Array, DecodedManifest>();
  const decoded = manifests.map(({ bytes }) => {
    if (bytes === undefined) return undefined;
    const manifest = known.get(bytes) ?? decodeManifest(bytes, rules);
    known.set(bytes, manifest);
    return manifest;
  });
  return manifests.map((listed, i) => {
    const [before, manifest] = [decoded[i - 1], decoded[i]];
    const both = before?.manifest !== undefined && manifest?.manifest !== undefined;
    return { listed, manifest, diff: both ? diffManifests(before, manifest) : undefined };
  });
}

/** readable: in one way. valid: by the rules of the release besides. */
const readable = (m: DecodedManifest | undefined): boolean => m?.manifest !== undefined;
const valid = (m: DecodedManifest | undefined): boolean => readable(m) && m?.problems.length === 0;

function historyJson({ kind, sha256, problems }: History, rows: readonly Row[], rules: ManifestRules): string {
  const document = {
    schemaVersion: 1,
    source: { kind, sha256 },
    rules: rules.version,
    problems,
    manifests: rows.map(({ listed, manifest, diff }, index) => ({
      index,
      ...listed.from,
      sha256: manifest?.sha256 ?? null,
      size: listed.bytes?.length ?? null,
      ...(listed.transition === undefined ? {} : { transition: listed.transition }),
      readable: readable(manifest),
      valid: valid(manifest),
      problems: manifest === undefined ? [] : problemsOf(manifest),
      fromPrevious: diff === undefined ? null : changesJson(diff),
    })),
  };
  return `${safeJson(JSON.stringify(document, null, 2))}\n`;
}

const trailer =
  "Read only: that a Coordinator enforced these manifests, and that none is left out, is for `pm verify` to answer.";

function historyText({ kind, sha256, problems }: History, rows: readonly Row[], source: string, width: number): string {
  const lines = [
    ...wrap(`${kind} ${source}`, width),
    ...(sha256 === null ? [] : [`SHA-256 ${sha256}`]),
    ...problems.flatMap((p) => wrap(p, width, "problem: ")),
    "",
    ...rows.flatMap((row, i) => rowLines(row, i, width)),
    ...wrap(trailer, width, "", ""),
    summary(rows, problems),
  ];
  return `${lines.join("\n")}\n`;
}

function rowLines({ listed, manifest, diff }: Row, index: number, width: number): string[] {
  const from = Object.values(listed.from).map(safe).join("  ");
  const word = !readable(manifest) ? "cannot be read in one way" : valid(manifest) ? "valid" : "breaks rules";
  return [
    `${index}  ${[from, manifest === undefined ? "missing" : word].filter((x) => x !== "").join("  ")}`,
    ...(manifest === undefined ? [] : [`   SHA-256 ${manifest.sha256}`]),
    ...(listed.transition === undefined ? [] : [`   transition ${listed.transition}`]),
    ...(manifest === undefined
      ? []
      : problemsOf(manifest).flatMap((p) => wrap(p, width, "   against the rules: ", "     "))),
    ...(index === 0
      ? []
      : diff === undefined
        ? ["   not compared with the one before: one of them cannot be read"]
        : [`   from the one before: ${comparisonLine(diff)}`, ...changeLines(diff.changes, width, "     ")]),
    "",
  ];
}

function summary(rows: readonly Row[], problems: readonly string[]): string {
  const all = rows.flatMap((r) => r.diff?.changes ?? []);
  const distinct = new Set(rows.flatMap((r) => r.manifest?.sha256 ?? [])).size;
  return `${rows.length} listed, ${distinct} different manifests, ${problems.length} problems; changes: ${countsText(countGrades(all))}`;
}
