/** What the certificate says against one entry and one reference value of the manifest: never against two of them. */
import {
  type Answer,
  type Answers,
  cannot,
  equal,
  holds,
  type Origin,
  observed,
  type Sourced,
  skip,
} from "../../claims/answer.ts";
import type { meshStatements } from "./mesh-claims.ts";
import type { MeshLeaf, MeshTcb, SnpMeshValues, TdxMeshValues } from "./mesh-leaf.ts";
import { areNamesOf, namesText, sortedNames } from "./mesh-names.ts";
import { type MeshPlatform, ofTdx } from "./mesh-tdx.ts";
import type { Manifest, MinimumTcb, PolicyEntry, SnpReferenceValue } from "./model.ts";
import type { ManifestRules } from "./rules.ts";

type Statements = Answers<typeof meshStatements>;
type OfEntry = Pick<Statements, "contrast.mesh.host_data" | "contrast.mesh.sans" | "contrast.mesh.workload_secret_id">;
type OfReference = Pick<Statements, "contrast.mesh.measurement" | "contrast.mesh.tcb" | "contrast.mesh.chip">;

const found = (value: string, at: string): Sourced => observed(value, "certificate", at);
const noValue = cannot("not answered: the certificate's extensions do not give the value");

/** The entry that the host data names; its SANs and WorkloadSecretID are the only ones that count. */
export function entryAnswers(
  leaf: MeshLeaf,
  { policies }: Manifest,
  origin: Origin,
): { readonly answers: OfEntry; readonly entry: PolicyEntry | undefined } {
  const { values } = leaf;
  const hostData = values?.hostData;
  if (values === undefined || hostData === undefined) return { answers: sameForAll(noValue), entry: undefined };
  // MRCONFIGID is longer than a key; what follows the key must be zero.
  const tail = values.tee === "TDX" ? "0".repeat(32) : "";
  const entry = policies.find((p) => `${p.key}${tail}` === hostData);
  const place = values.tee === "TDX" ? "extension 1.3.9901.2.2.15" : "extension 1.3.9901.2.1.23";
  const expected: Sourced = {
    value: entry === undefined ? policies.map((p) => p.key).join(" or ") : `${entry.key}${tail}`,
    origin,
    at: entry?.at ?? "/Policies",
  };
  const hostDataAnswer = holds(entry !== undefined, expected, found(hostData, place), "host-data");
  if (entry === undefined)
    return {
      answers: { ...sameForAll(cannot("not answered: no manifest entry")), "contrast.mesh.host_data": hostDataAnswer },
      entry,
    };
  return {
    answers: {
      "contrast.mesh.host_data": hostDataAnswer,
      "contrast.mesh.sans": names(leaf, entry, origin),
      "contrast.mesh.workload_secret_id": secretId(leaf, entry, origin),
    },
    entry,
  };
}
const sameForAll = (answer: Answer<never>): OfEntry => ({
  "contrast.mesh.host_data": answer,
  "contrast.mesh.sans": answer,
  "contrast.mesh.workload_secret_id": answer,
});

function names(leaf: MeshLeaf, entry: PolicyEntry, origin: Origin): OfEntry["contrast.mesh.sans"] {
  const expected = sortedNames(entry.sans);
  return holds(
    areNamesOf(leaf.names, expected),
    { value: `${namesText(expected)}, and at most one IP address more`, origin, at: `${entry.at}/SANs` },
    found(namesText(leaf.names), "subjectAltName"),
    "sans",
  );
}

/** None is a value here: a certificate that has one where the entry has none is another workload's. */
const orNone = (id: string): string => (id === "" ? "none" : id);

function secretId(leaf: MeshLeaf, entry: PolicyEntry, origin: Origin): OfEntry["contrast.mesh.workload_secret_id"] {
  if (leaf.workloadSecretId === undefined) return noValue;
  return equal(
    { value: orNone(entry.workloadSecretId), origin, at: `${entry.at}/WorkloadSecretID` },
    found(orNone(leaf.workloadSecretId), "extension 1.3.9901.3.1"),
    "workload-secret-id",
  );
}

/** What only the TEE's own verifier can say of a repeated value; the chain hands it in. */
export interface MeshTee {
  /** The digest that an SNP measurement is compared with: an entry with APEIP stands for several. */
  readonly expectedMeasurement: (
    value: SnpReferenceValue,
    rules: ManifestRules,
    measured: string,
  ) => { readonly digest: string; readonly vcpus: number | undefined };
  /** What the PCK certificate of a chain (PEM) says of its platform, or why it cannot be read. Signatures are not looked at. */
  readonly platformOf: (chain: Uint8Array) => MeshPlatform | { readonly problem: string };
}

interface Demands {
  readonly manifest: Manifest;
  readonly rules: ManifestRules;
  readonly origin: Origin;
  readonly tee: MeshTee;
}

/** All three on one reference value: of several the one with the right measurement, then the one with the fewest open answers. */
export function referenceAnswers({ values }: MeshLeaf, demands: Demands): OfReference {
  if (values === undefined) return each(noValue);
  const judged = values.tee === "TDX" ? tdxAnswers(values, demands) : snpAnswers(values, demands);
  const open = (a: OfReference): number => Object.values(a).filter((x) => x.status !== "pass").length;
  const cost = (a: OfReference): number => (a["contrast.mesh.measurement"].status === "pass" ? 0 : 10) + open(a);
  const [first, ...others] = judged;
  return first === undefined
    ? each(cannot(`the manifest has no ${values.tee} reference value that can be used`))
    : others.reduce((best, next) => (cost(next) < cost(best) ? next : best), first);
}
const each = (answer: Answer<never>): OfReference => ({
  "contrast.mesh.measurement": answer,
  "contrast.mesh.tcb": answer,
  "contrast.mesh.chip": answer,
});

const snpAnswers = (values: SnpMeshValues, demands: Demands): OfReference[] =>
  demands.manifest.snp.map((value) => against(values, value, demands));
const tdxAnswers = (values: TdxMeshValues, { manifest, origin, tee }: Demands): OfReference[] =>
  manifest.tdx.map((value) => ofTdx(values, value, origin, tee.platformOf));

function against(values: SnpMeshValues, value: SnpReferenceValue, { rules, origin, tee }: Demands): OfReference {
  const { measurement, reportedTcb, launchTcb, chipId } = values;
  return {
    "contrast.mesh.measurement":
      measurement === undefined
        ? noValue
        : measured(measurement, value, tee.expectedMeasurement(value, rules, measurement), origin),
    "contrast.mesh.tcb":
      reportedTcb === undefined || launchTcb === undefined
        ? noValue
        : tcb(reportedTcb, launchTcb, value.minimumTcb, { value: "", origin, at: `${value.at}/MinimumTCB` }),
    "contrast.mesh.chip": chip(chipId, value, origin),
  };
}

const measured = (
  measurement: string,
  { at }: SnpReferenceValue,
  { digest, vcpus }: ReturnType<MeshTee["expectedMeasurement"]>,
  origin: Origin,
): OfReference["contrast.mesh.measurement"] =>
  equal(
    {
      value: digest,
      origin,
      at: `${at}/TrustedMeasurement${vcpus === undefined ? "" : ` and APEIP, vCPUs: ${vcpus}`}`,
    },
    found(measurement, "extension 1.3.9901.2.1.22"),
    "measurement",
  );

/** Order and names as in snp.tcb.minimum. */
const tcbText = (t: MeshTcb): string => `bl=${t.bootloader},tee=${t.tee},snp=${t.snp},ucode=${t.microcode}`;
const parts = ["bootloader", "tee", "snp", "microcode"] as const satisfies readonly (keyof MinimumTcb)[];

/** Component by component: as one number the microcode would hide a lower boot loader. */
function tcb(
  reported: MeshTcb,
  launch: MeshTcb,
  minimum: MinimumTcb,
  source: Sourced,
): OfReference["contrast.mesh.tcb"] {
  const low = Object.entries({ REPORTED: reported, LAUNCH: launch }).filter(([, t]) =>
    parts.some((part) => t[part] < minimum[part]),
  );
  return holds(
    low.length === 0,
    { ...source, value: `at least ${tcbText(minimum)}` },
    found(`REPORTED ${tcbText(reported)}; LAUNCH ${tcbText(launch)}`, "extensions 1.3.9901.2.1.28 to 31, 43 to 46"),
    "tcb-minimum",
    `below the minimum: ${low.map(([name]) => name).join(", ")}`,
  );
}

function chip(chipId: string | undefined, value: SnpReferenceValue, origin: Origin): OfReference["contrast.mesh.chip"] {
  if (chipId === undefined) return noValue;
  if (value.allowedChipIds.length === 0) return skip("the reference value allows every chip");
  const match = value.allowedChipIds.find((id) => id === chipId);
  return holds(
    match !== undefined,
    { value: match ?? value.allowedChipIds.join(" or "), origin, at: `${value.at}/AllowedChipIDs` },
    found(chipId, "extension 1.3.9901.2.1.32"),
    "chip-id-mismatch",
  );
}

export function expectedName(
  { names: n }: MeshLeaf,
  name: Sourced | undefined,
): Statements["contrast.mesh.expected_san"] {
  if (name === undefined) return skip("no reference value given");
  if (name.value === "") return cannot("the reference value is empty");
  const all = [...n.dns, ...n.ip, ...n.uri];
  return holds(all.includes(name.value), name, found(namesText(n), "subjectAltName"), "san-missing");
}

export function expectedWorkload(
  { workloadSecretId }: MeshLeaf,
  id: Sourced | undefined,
): Statements["contrast.mesh.expected_workload"] {
  if (id === undefined) return skip("no reference value given");
  if (workloadSecretId === undefined) return noValue;
  return equal(id, found(orNone(workloadSecretId), "extension 1.3.9901.3.1"), "workload-unexpected");
}
