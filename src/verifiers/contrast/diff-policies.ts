/** Policies of two manifests: which keys came and went, and whom an entry lets a workload be. */
import type { Grade } from "../../claims/answer.ts";
import type { Change } from "../../claims/change.ts";
import type { Json } from "../../report/report.ts";
import type { PolicyEntry } from "./model.ts";

/** Keys are compared as written: the mesh looks up lower-case hex, so another case is another key. */
export function policyChanges(before: readonly PolicyEntry[], after: readonly PolicyEntry[]): Change[] {
  const had = new Map(before.map((p) => [p.key, p]));
  const has = new Map(after.map((p) => [p.key, p]));
  const removed = before.filter((p) => !has.has(p.key));
  const added = after.filter((p) => !had.has(p.key));
  const replaced = replacements(removed, added);
  const successors = new Map([...replaced].map(([successor, old]) => [old, successor]));
  return [
    ...removed.map((p): Change => {
      const by = successors.get(p);
      const meaning =
        by === undefined
          ? "a workload with this policy is let in no more; nobody said here what it was for"
          : `the policy of ${p.workloadSecretId} is now ${by.key}`;
      return { at: p.at, grade: "unknown", before: entryValue(p), after: null, meaning };
    }),
    ...added.flatMap((p): Change[] => {
      const old = replaced.get(p);
      const meaning =
        old === undefined
          ? "a workload with a further policy is let in: unknown until somebody explains the policy"
          : `the policy of ${p.workloadSecretId} was ${old.key}: pm policy diff compares the two documents`;
      const change: Change = { at: p.at, grade: "unknown", before: null, after: entryValue(p), meaning };
      // A coordinator that comes with a new policy hands out every secret of the mesh.
      return [change, ...(old === undefined ? role("", p) : entryChanges(old, p))];
    }),
    ...after.flatMap((p) => {
      const old = had.get(p.key);
      return old === undefined ? [] : entryChanges(old, p);
    }),
  ];
}

/** The new policy of a workload that had another: told by a WorkloadSecretID that one came with and one went with. */
function replacements(removed: readonly PolicyEntry[], added: readonly PolicyEntry[]): Map<PolicyEntry, PolicyEntry> {
  const gone = Map.groupBy(removed, (p) => p.workloadSecretId);
  const came = Map.groupBy(added, (p) => p.workloadSecretId);
  return new Map(
    [...came].flatMap(([id, [successor, ...more]]): [PolicyEntry, PolicyEntry][] => {
      const [old, ...others] = gone.get(id) ?? [];
      const certain = id !== "" && more.length === 0 && others.length === 0;
      return successor === undefined || old === undefined || !certain ? [] : [[successor, old]];
    }),
  );
}

const entryValue = (p: PolicyEntry): Json => ({
  SANs: p.sans,
  WorkloadSecretID: p.workloadSecretId,
  Role: p.role,
});

function entryChanges(before: PolicyEntry, after: PolicyEntry): Change[] {
  return [
    ...sans(before, after),
    ...(before.workloadSecretId === after.workloadSecretId
      ? []
      : [
          {
            at: `${after.at}/WorkloadSecretID`,
            grade: "unknown" as const,
            before: before.workloadSecretId || null,
            after: after.workloadSecretId || null,
            meaning: "the workload derives other secrets, maybe those of another workload",
          },
        ]),
    ...role(before.role, after),
  ];
}

function role(before: string, { role: after, at }: PolicyEntry): Change[] {
  if (before === after) return [];
  const [grade, meaning]: readonly [Grade, string] =
    after === "coordinator"
      ? ["weaker", "a workload with this policy can be the Coordinator"]
      : before === "coordinator" && after === ""
        ? ["stronger", "a workload with this policy can be the Coordinator no more"]
        : ["unknown", "a role that pm does not know"];
  return [{ at: `${at}/Role`, grade, before: before || null, after: after || null, meaning }];
}

const places = (names: readonly string[]): ReadonlyMap<string, number> =>
  new Map(names.map((name, i): [string, number] => [name, i]).reverse());

function sans(before: PolicyEntry, after: PolicyEntry): Change[] {
  const [had, has] = [places(before.sans), places(after.sans)];
  const gone = [...new Set(before.sans)]
    .filter((san) => !has.has(san))
    .map((san): Change => {
      const meaning = "one name less stands in the workload's certificate";
      return { at: `${before.at}/SANs/${had.get(san)}`, grade: "stronger", before: san, after: null, meaning };
    });
  const came = [...new Set(after.sans)]
    .filter((san) => !had.has(san))
    .map((san): Change => {
      const meaning = "the workload may use a further name";
      return { at: `${after.at}/SANs/${has.get(san)}`, grade: "weaker", before: null, after: san, meaning };
    });
  const reordered: Change[] =
    gone.length + came.length === 0 && JSON.stringify(before.sans) !== JSON.stringify(after.sans)
      ? [
          {
            at: `${after.at}/SANs`,
            grade: before.sans[0] === after.sans[0] ? "neutral" : "unknown",
            before: before.sans,
            after: after.sans,
            meaning: "the same names in another order; the first DNS name is the certificate's common name",
          },
        ]
      : [];
  return [...gone, ...came, ...reordered];
}
