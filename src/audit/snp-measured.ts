/** What `pm snp measure` says: digests with their parameter set, and for each expected digest which launch gives it. */
import type { Result } from "../command.ts";
import { factsJson, tree } from "../inspect.ts";
import type { Json } from "../report/report.ts";
import { count, wrap } from "../report/text.ts";
import type { Explained, Found } from "../verifiers/snp/measure/index.ts";

type Facts = { readonly [name: string]: Json };

const measured = (kernel: boolean): readonly string[] => [
  "Measured: each page of the firmware image, the pages that its metadata names, and each vCPU's start: CPU model (QEMU), SEV features, entry point.",
  kernel
    ? "Kernel, initrd and command line are measured as digests in one page: they count only where the firmware compares what it loads with them."
    : "No kernel was given: what the firmware boots is not measured at all.",
];
const notMeasured =
  "Not measured: ACPI tables and other configuration from the VMM, devices, memory size, NVRAM; disks only through a verity root hash on the command line.";

const explainedText = ({ match, explained }: Found): string =>
  match !== null
    ? `equal, with ${count(match.vcpus, "vCPU")}`
    : explained === null
      ? "not equal, and no single other input that was tried gives it"
      : explained.input === "vcpus"
        ? `not equal: the input "vcpus" differs: ${explained.value} gives it`
        : `not equal: the input "${explained.input}" differs: ${explained.value} gives it, with ${count(explained.vcpus, "vCPU")}`;

/** Exit status 0: no digest was expected, or one of them matches; 1: none does. */
export function measuredResult(inputs: Facts, { digests, found, tried }: Explained): Result {
  const matched = found.find((f) => f.match !== null);
  const line =
    found.length === 0
      ? `measured ${count(digests.length, "launch digest")}; nothing was compared`
      : matched === undefined
        ? `none of ${count(found.length, "expected digest")} is the launch's`
        : `launch digest equal: ${matched.expected}`;
  const sentences = [...measured(inputs["kernel"] !== null), notMeasured];
  const document = {
    schemaVersion: 1,
    inputs,
    digests,
    expected: found,
    tried,
    notes: sentences,
    line,
  };
  return {
    exitCode: found.length === 0 || matched !== undefined ? 0 : 1,
    json: () => factsJson(document),
    text: ({ width }) => `${[...textLines(inputs, { digests, found, tried }, width, sentences), line].join("\n")}\n`,
  };
}

function textLines(
  inputs: Facts,
  { digests, found, tried }: Explained,
  width: number,
  sentences: readonly string[],
): string[] {
  return [
    ...tree(inputs, width),
    "",
    ...digests.flatMap(({ vcpus, digest }) => [`${count(vcpus, "vCPU")}:`, `    ${digest}`]),
    "",
    ...found.flatMap((f) => ["expected:", `    ${f.expected}`, ...wrap(explainedText(f), width, "    ", "    ")]),
    ...(found.length === 0 ? [] : [""]),
    ...triedLines(tried, width),
    ...sentences.flatMap((s) => wrap(s, width, "", "")),
    "",
  ];
}

/** The counts are a long list: its bounds are shown here, each digest is in the JSON document. */
function triedLines(tried: Explained["tried"], width: number): string[] {
  if (tried.length === 0) return [];
  return [
    "tried, each with one other input:",
    ...tried.flatMap(({ input, value, digests, reason }) => [
      ...wrap(
        `${input}: ${value}${reason === undefined ? "" : `: cannot be measured: ${reason}`}`,
        width,
        "  ",
        "    ",
      ),
      ...(input === "vcpus" ? [] : digests.map((d) => `    ${d.digest}`)),
    ]),
    "",
  ];
}
