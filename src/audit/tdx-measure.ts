/** `pm tdx measure`: what a TDVF image and a direct boot's files give, and what nobody has confirmed of it. */
import { hex, hexNumber } from "../bytes/hex.ts";
import type { Result } from "../command.ts";
import { usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import { readInput } from "../input.ts";
import { factsJson, tree } from "../inspect.ts";
import { measureFile } from "../measure/files.ts";
import type { Json } from "../report/report.ts";
import { wrap } from "../report/text.ts";
import {
  authenticodeSha384,
  bootOptionEvents,
  cfvDigest,
  commandLineEvents,
  decodeTdvf,
  type EventDigest,
  kernelEvents,
  maxImageBytes,
  mrtd,
  rtmrOf,
  secureBootEvents,
  separator,
  type Tdvf,
  type TdvfSection,
} from "../verifiers/tdx/measure/index.ts";

export interface TdxMeasureFlags {
  readonly tdvf: string;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly append?: string | undefined;
  readonly expect?: readonly string[] | undefined;
}

/** Authenticode needs the kernel whole. */
const maxKernelBytes = 256 * 1024 * 1024;

/**
 * @throws PmError PM_USAGE for files that cannot be used; PM_EVIDENCE_MALFORMED and PM_EVIDENCE_UNSUPPORTED for an image
 * that cannot be measured
 */
export async function measureTdx(flags: TdxMeasureFlags): Promise<Result> {
  const expected = (flags.expect ?? []).map((e) => hex(hexFlag(e, 48, "--expect")));
  if (flags.initrd !== undefined && flags.append === undefined)
    throw usage("--initrd is measured behind the command line", "give --append too; it may be empty");
  const file = await readInput(flags.tdvf, "a TDVF image", maxImageBytes);
  const tdvf = decodeTdvf(file.bytes);
  const values = { mrtd: { twoPass: hex(mrtd(tdvf, "two-pass")), singlePass: hex(mrtd(tdvf, "single-pass")) } };
  const boot = await bootRegisters(flags);
  const matches = expected.map((e) => ({
    expected: e,
    match: e === values.mrtd.twoPass ? "two-pass" : e === values.mrtd.singlePass ? "single-pass" : null,
  }));
  const facts: { readonly [name: string]: Json } = {
    tdvf: { name: file.name, sha256: file.sha256 },
    ...values,
    sections: tdvf.sections.map(sectionFacts),
    rtmr0: rtmr0Facts(tdvf),
    rtmr1: boot.rtmr1 === undefined ? null : registerFacts(boot.rtmr1),
    rtmr2: boot.rtmr2 === undefined ? null : registerFacts(boot.rtmr2),
    expected: matches,
  };
  return result(facts, matches, notesOf(tdvf));
}

async function bootRegisters({ kernel, initrd, append }: TdxMeasureFlags) {
  const rtmr1 =
    kernel === undefined
      ? undefined
      : kernelEvents(authenticodeSha384((await readInput(kernel, "a kernel image", maxKernelBytes)).bytes));
  const sha384 = initrd === undefined ? undefined : (await measureFile(initrd, "an initrd")).sha384;
  const rtmr2 =
    append === undefined
      ? undefined
      : commandLineEvents(append, sha384 === undefined ? undefined : new Uint8Array(Buffer.from(sha384, "hex")));
  return { rtmr1, rtmr2 };
}

function sectionFacts(s: TdvfSection): Json {
  const measured = s.extend
    ? "content measured"
    : s.augmented
      ? "added later, not measured"
      : "pages measured, content not";
  return `${s.type} at ${hexNumber(s.address)}, ${s.memorySize} bytes of memory, ${s.rawSize} of data: ${measured}`;
}

const eventFacts = (events: readonly EventDigest[]): Json =>
  events.map(({ event, digest }) => ({ event, digest: hex(digest) }));
const registerFacts = (events: readonly EventDigest[]): Json => ({
  value: hex(rtmrOf(events)),
  events: eventFacts(events),
});

/** The value also needs the VMM's own inputs, so only what the files fix is listed. */
function rtmr0Facts(tdvf: Tdvf): Json {
  const cfv = cfvDigest(tdvf);
  const known = [
    ...(cfv === undefined ? [] : [{ event: "configuration volume (CFV)", digest: cfv }]),
    ...secureBootEvents(),
    separator,
    ...bootOptionEvents(),
  ];
  return {
    value: null,
    cfvDigest: cfv === undefined ? null : hex(cfv),
    knownEvents: eventFacts(known),
    unknownEvents: ["hand-off blocks (TD HOB)", "ACPI tables of the VMM: table-loader, rsdp, tables"],
  };
}

const notesOf = ({ sections }: Tdvf): readonly string[] => [
  "MRTD: the order of the VMM decides; two-pass is QEMU upstream. Both values are computed by the rule and not confirmed: no pair of an image and an MRTD from hardware was at hand.",
  "RTMR0 is not computed: it also covers what the VMM hands over.",
  "RTMR1 and RTMR2: extend rule and event texts were seen in logs of real TDs; that the files give the digests of kernel, command line and initrd was not. The kernel is taken as it is in the file: QEMU writes into its setup header before the firmware sees it, and builds that do not undo this give another RTMR1. The command line must be the one that the guest gets, with what loader and firmware add to it.",
  "RTMR3 belongs to the software that runs in the TD.",
  ...(sections.some((s) => s.augmented)
    ? [
        "This image has sections that are added later (PAGE.AUG). They are not measured here; a tool that counts their pages gives another MRTD.",
      ]
    : []),
];

interface Match {
  readonly expected: string;
  readonly match: string | null;
}
/** Exit status 1: an MRTD was expected and none of them is one of the two. */
function result(facts: { readonly [name: string]: Json }, matches: readonly Match[], notes: readonly string[]): Result {
  const found = matches.find((m) => m.match !== null);
  const line =
    matches.length === 0
      ? "measured; nothing was compared"
      : found === undefined
        ? "none of the expected values is the image's MRTD, in either order"
        : `MRTD equal in ${found.match} order: ${found.expected}`;
  return {
    exitCode: matches.length === 0 || found !== undefined ? 0 : 1,
    json: () => factsJson({ schemaVersion: 1, ...facts, notes, line }),
    text: ({ width }) =>
      `${[...tree(facts, width), "", ...notes.flatMap((n) => wrap(n, width, "- ", "  ")), "", line].join("\n")}\n`,
  };
}
