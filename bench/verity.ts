/**
 * `pm verity hash` beside `veritysetup format` on the same disks and `openssl speed` on the same cores:
 * `npm run bench:verity [-- --size 4GiB --rounds 5]`. Ratios are made in each round; the targets are for their median.
 * Ends with 1 when a target was missed. What a missing program leaves open is said.
 */
import { availableParallelism, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { temporaryFolder } from "./fixture.ts";
import { cleanEnv } from "./measure.ts";
import { randomDisk, sparseDisk } from "./verity-disks.ts";
import { installed } from "./verity-programs.ts";
import { alternatingRun, processes, type Setting } from "./verity-run.ts";
import { coresLine, isBusy, judgements, numberLines, type Outcome } from "./verity-table.ts";

const gib = 1024 ** 3;
const targetBytes = 4 * gib;
const targetRounds = 5;
const repeats = 3;

const { values: given } = parseArgs({
  options: { size: { type: "string", default: "4GiB" }, rounds: { type: "string", default: String(targetRounds) } },
});
const [, digits, unit] = /^([1-9]\d{0,4})(MiB|GiB)$/.exec(given.size) ?? [];
if (digits === undefined) throw new Error(`--size ${given.size}: wanted is a number of MiB or GiB, such as 4GiB`);
if (!/^[1-9]\d?$/.test(given.rounds)) throw new Error(`--rounds ${given.rounds}: wanted is 1 to 99`);
const sizeBytes = Number(digits) * (unit === "GiB" ? gib : 1024 ** 2);
const rounds = Number(given.rounds);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** What makes the numbers of this run others than those that the targets are for. */
function* cautions(): Generator<string> {
  if (sizeBytes < targetBytes)
    yield `note: the targets are for 4 GiB. On ${given.size} the start of Node, pm and its workers weighs, and they may be missed.`;
  if (rounds < targetRounds) yield `note: the targets are for the median of ${targetRounds} rounds.`;
  if (availableParallelism() < processes) yield `note: the targets are for ${processes} cores.`;
  // Two disks, and room for what else runs.
  if (totalmem() < 3 * sizeBytes) yield "note: the disks do not fit into memory, so that reading them is in the times.";
}

// A signal would end this process without its exit handlers, and leave gigabytes behind.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
const folder = temporaryFolder();
// As in bench/run.ts: the user's compile cache is neither used nor filled.
cleanEnv["HOME"] = folder;
cleanEnv["XDG_CACHE_HOME"] = join(folder, "cache");

const load = (): string => (loadavg()[0] ?? Number.NaN).toFixed(2);
const [veritysetup, openssl] = [installed("veritysetup", "--version"), installed("openssl", "version")];
say(
  `Node ${process.version}, ${veritysetup ?? "no veritysetup"}, ${openssl ?? "no openssl"}, ${availableParallelism()} cores, load ${load()}`,
);
const setting: Setting = {
  folder,
  rounds,
  veritysetup,
  openssl,
  random: randomDisk(folder, sizeBytes),
  sparse: sparseDisk(folder, sizeBytes),
};
for (const { name, what } of [setting.random, setting.sparse]) say(`${name}: ${given.size}, ${what}`);
for (const caution of cautions()) say(caution);

const measured = () =>
  alternatingRun(setting, (round) => process.stderr.write(`round ${round} of ${rounds}, load ${load()}\n`));
let run = await measured();
for (let again = 1; again <= repeats && isBusy(run); again++) {
  say(coresLine(run));
  say(`the machine is busy: the run is repeated, ${again} of ${repeats}`);
  run = await measured();
}

say("");
for (const line of numberLines(run)) say(line);
say("");
say(coresLine(run));
const rows = judgements(run);
for (const { line } of rows) say(line);
const count = (wanted: Outcome): number => rows.filter(({ outcome }) => outcome === wanted).length;
// A root that differs would have ended the run.
const same = veritysetup === undefined ? "pm gave one root a disk" : "pm and veritysetup gave the same root each time";
say(`${count("met")} targets met, ${count("MISSED")} missed, ${count("open")} open; ${same}`);
if (count("MISSED") > 0) process.exitCode = 1;
