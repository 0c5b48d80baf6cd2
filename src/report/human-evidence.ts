/** Decoded facts that a reader wants beside the verdict; everything else of `evidence` is in the JSON report. */
import type { View } from "./human-claims.ts";
import type { Json } from "./report.ts";
import { safe, wrap } from "./text.ts";

type Facts = { readonly [key: string]: Json };
const isFacts = (j: Json | undefined): j is Facts => typeof j === "object" && j !== null && !Array.isArray(j);
const list = (j: Json | undefined): readonly Json[] => (Array.isArray(j) ? j : []);
const text = (j: Json | undefined): string | undefined =>
  (typeof j === "string" && j !== "") || typeof j === "number" ? String(j) : undefined;
/** Member by member; undefined where one is missing. */
const member = (facts: Facts, path: string): Json | undefined =>
  path.split(".").reduce<Json | undefined>((here, name) => (isFacts(here) ? here[name] : undefined), facts);

/** What is shown, in this order, of any subject that has it. A list is shown item by item. */
const worthReading: readonly (readonly [label: string, path: string])[] = [
  ["report version", "version"],
  ["report version", "report.version"],
  ["product line", "productLine"],
  ["product line", "report.productLine"],
  ["measurement", "measurement"],
  ["measurement", "report.measurement"],
  ["vCPUs", "vcpus"],
  ["host data", "hostData"],
  ["host data", "report.hostData"],
  ["reported TCB", "reportedTcb"],
  ["reported TCB", "report.reportedTcb"],
  ["chip id", "chipId"],
  ["chip id", "report.chipId"],
  ["version, by the server's own word", "unauthenticatedVersion"],
  ["manifest, SHA-256", "manifest.sha256"],
  ["manifest written again as compact JSON, SHA-256", "manifest.reserializedSha256"],
  ["manifests so far, SHA-256, oldest first", "history"],
  ["owner key, may change the manifest", "manifest.workloadOwners"],
  ["seed share key, may recover all secrets", "manifest.seedshareOwners"],
  ["root CA key, SHA-256", "rootCa.spkiSha256"],
  ["mesh CA key, SHA-256", "meshCa.spkiSha256"],
  ["name in the mesh", "sans"],
  ["workload secret", "workloadSecretId"],
  ["role", "role"],
  ["reference value that fits", "referenceValue"],
  ["the Coordinator", "coordinator"],
  ["policy rules, SHA-256", "initdata.rulesSha256"],
  ["Contrast CLI, SHA-256", "cli.sha256"],
  ["Contrast CLI, version by its own word", "cli.version"],
  ["command line", "commandLine"],
  ["manifest written to", "writtenTo"],
];

/** For each subject, one block: labels, each value alone and whole on its line. */
export function evidenceSummary(evidence: Facts, v: View): string[] {
  const blocks = Object.entries(evidence).flatMap(([subject, facts]) => {
    const lines = isFacts(facts) ? [...scalars(facts, v), ...images(facts, v)] : [];
    return lines.length === 0 ? [] : [...wrap(subject, v.width, "  "), ...lines];
  });
  return blocks.length === 0 ? [] : [...wrap(caution, v.width, "  "), ...blocks];
}

const caution = "As decoded: a fact only where the claims about it passed.";

function scalars(facts: Facts, v: View): string[] {
  return worthReading.flatMap(([label, path]) => {
    const found = member(facts, path);
    const values = (Array.isArray(found) ? list(found) : [found]).map(text).filter((value) => value !== undefined);
    return values.flatMap((value) => fact(label, value, v));
  });
}

/** Beside its label where there is room, else below it: never broken, so that it can be copied. */
function fact(label: string, value: string, v: View): string[] {
  const shown = safe(value);
  // The label may name a container: it comes out of evidence like the value.
  const line = `    ${safe(label)}: ${shown}`;
  return line.length <= v.width ? [line] : [...wrap(`${label}:`, v.width, "    "), `      ${shown}`];
}

/** Which images a policy pins: what will run, if everything above passed. */
function images(facts: Facts, v: View): string[] {
  const note = text(member(facts, "initdata.imagesNote") ?? member(facts, "imagesNote"));
  const found = list(member(facts, "initdata.images") ?? member(facts, "images")).filter(isFacts);
  return [
    ...(note === undefined ? [] : wrap(`no image is pinned: ${note}`, v.width, "    ")),
    ...found.flatMap((image) =>
      fact(
        `image of ${text(image["container"]) ?? "a container without a name"}`,
        imageText(text(image["image"]), text(image["digest"])),
        v,
      ),
    ),
  ];
}

function imageText(image: string | undefined, digest: string | undefined): string {
  if (image === undefined) return digest ?? "no image is named";
  return digest === undefined ? `${image} (no digest: not pinned)` : image;
}
