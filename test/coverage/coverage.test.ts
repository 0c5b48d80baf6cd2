/** Every claim of every catalogue passes in one run of a command and fails in another, and every reason code is shown by one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entries } from "../../src/catalogues.ts";
import type { Status } from "../../src/claims/answer.ts";
import type { Report, ReportClaim } from "../../src/report/report.ts";
import { type Ran, reportOf } from "../command.ts";
import { removeEndpoints } from "../commands/endpoint-world.ts";
import { removeGenerated } from "../commands/generate-world.ts";
import { removeReleaseWorld } from "../commands/release-world.ts";
import { removeDisks } from "../disk-world.ts";
import { removeProbes } from "../probe-world.ts";
import { type Row, type RunName, rows, runs } from "./rows.ts";
import { removeWorld } from "./world.ts";

interface Shown {
  readonly ran: Ran;
  readonly report: Report;
}
const shown = new Map<string, Shown>();
const atOnce = 3;
/** What nobody knows leaves these open: nothing says that it is wrong. */
const onlyOpen: ReadonlySet<string> = new Set([
  "kata.safety.roles",
  "kata.source.known",
  "kata.probe.legitimate_allowed",
]);

beforeAll(async () => {
  const left = Object.entries(runs);
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [name, run] = next;
      const ran = await run();
      if (ran.stdout === "") throw new Error(`${name}: no report; ${ran.stderr}`);
      shown.set(name, { ran, report: reportOf(ran) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}, 900_000);
afterAll(() => {
  removeWorld();
  removeEndpoints();
  removeGenerated();
  removeReleaseWorld();
  removeDisks();
  removeProbes();
});

const claims = (run: RunName): readonly ReportClaim[] => shown.get(run)?.report.claims ?? [];
/** One of the run's subjects says this; of several statuses all are in the message. */
function says(run: RunName, id: string, status: Status, code?: string): void {
  const answers = claims(run).filter((c) => c.id === id);
  const texts = answers.map((a) => `${a.status} ${a.code ?? "-"} ${a.reason ?? ""}`);
  expect(
    answers.some((a) => a.status === status && a.code === code),
    `${run}: ${id} says ${texts.join(" | ") || "nothing"}`,
  ).toBe(true);
}

describe.each(Object.entries<Row>(rows))("%s", (id, row) => {
  it(`passes: ${row.passes}`, () => says(row.passes, id, "pass"));
  it.each(Object.entries(row.fails))("fails with %s: %s", (code, run) => {
    if (run !== undefined) says(run, id, "fail", code);
  });
  for (const [code, open] of Object.entries(row.open ?? {}))
    if (open !== undefined) it(`is ${open[0]} with ${code}: ${open[1]}`, () => says(open[1], id, open[0], code));
});

describe("over all catalogues", () => {
  const answered = (id: string, status: Status): readonly ReportClaim[] =>
    [...shown.values()].flatMap(({ report }) => report.claims.filter((c) => c.id === id && c.status === status));

  it("no claim is without a run in which it passes", () => {
    expect(entries.filter(({ id }) => answered(id, "pass").length === 0).map(({ id }) => id)).toEqual([]);
  });
  it("no claim is without a run in which it fails with a code of its own", () => {
    const unfailed = entries.filter(
      ({ id, question }) =>
        !onlyOpen.has(id) && !answered(id, "fail").some((c) => c.code !== undefined && c.code in question.codes),
    );
    expect(unfailed.map(({ id }) => id)).toEqual([]);
  });
  it("no reason code is without a run that shows it", () => {
    const seen = new Set([...shown.values()].flatMap(({ report }) => report.claims.map((c) => `${c.id} ${c.code}`)));
    const all = entries.flatMap(({ id, question }) => Object.keys(question.codes).map((code) => `${id} ${code}`));
    expect(all.filter((pair) => !seen.has(pair))).toEqual([]);
  });
  it("a claim that fails shows both values with who says them, or the reason why there are none", () => {
    const bare = [...shown.values()]
      .flatMap(({ report }) => report.claims)
      .filter((c) => c.status === "fail" && (!c.expected?.value || c.actual === undefined) && !c.reason);
    expect(bare).toEqual([]);
  });
  it("what is shown as expected differs from what is shown as found, wherever a claim fails", () => {
    const same = [...shown].flatMap(([name, { report }]) =>
      report.claims
        .filter((c) => c.status === "fail" && c.expected !== undefined && c.expected.value === c.actual?.value)
        .map((c) => `${name}: ${c.id} ${c.code}`),
    );
    expect(same).toEqual([]);
  });
  it.each<RunName>([
    "report as demanded",
    "Coordinator as demanded",
    "Coordinator after an update",
    "Coordinator on TDX as demanded",
    "manifest as it should be",
    "bundle as demanded",
    "live",
    "endpoint as demanded",
    "exchange as demanded",
    "live with the secret exchange",
    "policies as they should be",
    "manifest made anew",
    "enclave as demanded",
    "event log as demanded",
    "release as demanded",
    "disk as demanded",
    "model disks as demanded",
    "device as demanded",
    "probed policy as demanded",
    "probed policy as they usually are",
  ])("%s: every owed claim passes, and pm ends with 0", (run) => {
    expect(claims(run).filter((c) => c.owed && c.status !== "pass")).toEqual([]);
    expect(shown.get(run)?.ran.status).toBe(0);
  });
  it("a run with a failed claim that is owed ends with 1, and no run's status differs from its report", () => {
    const wrong = [...shown].filter(([, { ran, report }]) => {
      const failed = report.claims.some((c) => c.owed && c.status === "fail");
      return ran.status !== report.exitCode || failed !== (report.exitCode === 1);
    });
    expect(wrong.map(([name]) => name)).toEqual([]);
  });
});
