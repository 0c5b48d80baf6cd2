/** `pm snp measure`: files and parameters in, launch digests out, and which of them an expected digest is. */
import { hexNumber } from "../bytes/hex.ts";
import type { Result } from "../command.ts";
import { usage } from "../errors.ts";
import { hexFlag } from "../flags.ts";
import { type Input, readInput } from "../input.ts";
import { type MeasuredFile, measureFile } from "../measure/files.ts";
import type { Json } from "../report/report.ts";
import {
  type Boot,
  cpuModels,
  cpuText,
  decodeOvmf,
  explain,
  type Launch,
  maxImageBytes,
  type Ovmf,
  signatureOfModel,
  type Variation,
  type Vmm,
} from "../verifiers/snp/measure/index.ts";
import { measuredResult } from "./snp-measured.ts";

export interface MeasureFlags {
  readonly ovmf: string;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly append?: string | undefined;
  readonly "append-file"?: string | undefined;
  readonly vcpus: string;
  readonly "vcpu-type"?: string | undefined;
  readonly "cpu-signature"?: string | undefined;
  readonly "guest-features": string;
  readonly vmm: Vmm;
  readonly expect?: readonly string[] | undefined;
  readonly "try-ovmf"?: readonly string[] | undefined;
  readonly "try-kernel"?: readonly string[] | undefined;
  readonly "try-initrd"?: readonly string[] | undefined;
  readonly "try-append"?: readonly string[] | undefined;
}

const maxVcpus = 4096;
const maxAppendBytes = 64 * 1024;

/** `4`, or `1..8`. @throws PmError PM_USAGE */
export function vcpuRange(text: string): { readonly from: number; readonly to: number } {
  const [, low, , high] = /^(\d{1,4})(\.\.(\d{1,4}))?$/.exec(text) ?? [];
  const from = Number(low);
  const to = high === undefined ? from : Number(high);
  if (!(from >= 1 && to >= from && to <= maxVcpus))
    throw usage(`--vcpus: not a count or a range: ${text}`, `such as 4 or 1..8, at most ${maxVcpus}`);
  return { from, to };
}

/** Hex with or without 0x, at most `digits`. @throws PmError PM_USAGE */
export function hexNumberFlag(text: string, digits: number, flag: string): bigint {
  const [, body] = /^(?:0[xX])?([0-9a-fA-F]+)$/.exec(text) ?? [];
  if (body === undefined || body.length > digits)
    throw usage(`${flag}: not a hexadecimal number of at most ${digits} digits: ${text}`);
  return BigInt(`0x${body}`);
}

function cpuSignatureOf({ vmm, "vcpu-type": name, "cpu-signature": number }: MeasureFlags): number {
  if (number !== undefined) return Number(hexNumberFlag(number, 8, "--cpu-signature"));
  if (name === undefined) {
    // EC2 and GCE put a number of their own in the register.
    if (vmm !== "qemu") return 0;
    throw usage("no CPU: QEMU measures the model that it shows", "give --vcpu-type NAME or --cpu-signature HEX");
  }
  const signature = signatureOfModel(name);
  if (signature === undefined)
    throw usage(
      `--vcpu-type: unknown model ${name}`,
      `known: ${cpuModels.map((m) => m.name).join(", ")}, each with -vN; any other with --cpu-signature`,
    );
  return signature;
}

const digest = ({ sha256 }: MeasuredFile): Uint8Array => new Uint8Array(Buffer.from(sha256, "hex"));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What the flags name, read. */
interface Files {
  readonly ovmf: Input;
  readonly kernel: MeasuredFile | undefined;
  readonly initrd: MeasuredFile | undefined;
  readonly append: Uint8Array | undefined;
}

async function readFiles(flags: MeasureFlags): Promise<Files> {
  const { kernel, initrd, append, "append-file": appendFile } = flags;
  if (kernel === undefined && (initrd ?? append ?? appendFile) !== undefined)
    throw usage("--initrd and --append are measured beside a kernel only", "give --kernel too");
  return {
    ovmf: await readInput(flags.ovmf, "an OVMF image", maxImageBytes),
    kernel: kernel === undefined ? undefined : await measureFile(kernel, "a kernel"),
    initrd: initrd === undefined ? undefined : await measureFile(initrd, "an initrd"),
    append:
      append !== undefined
        ? utf8(append)
        : appendFile === undefined
          ? undefined
          : (await readInput(appendFile, "a kernel command line", maxAppendBytes)).bytes,
  };
}

/** Launches with one other file each; read only when a digest did not match. */
async function otherLaunches(flags: MeasureFlags, launch: Launch): Promise<Variation[]> {
  const others: Variation[] = [];
  const boot: Boot = launch.boot ?? { kernel: new Uint8Array(32), initrd: undefined, append: undefined };
  for (const path of flags["try-ovmf"] ?? []) {
    const { name, bytes } = await readInput(path, "an OVMF image", maxImageBytes);
    others.push({ input: "firmware", value: name, launch: { ...launch, ovmf: decodeOvmf(bytes) } });
  }
  for (const path of flags["try-kernel"] ?? []) {
    const kernel = await measureFile(path, "a kernel");
    others.push({
      input: "kernel",
      value: kernel.name,
      launch: { ...launch, boot: { ...boot, kernel: digest(kernel) } },
    });
  }
  if (launch.boot === undefined && (flags["try-initrd"] ?? flags["try-append"]) !== undefined)
    throw usage("--try-initrd and --try-append vary a launch with a kernel", "give --kernel too");
  for (const path of flags["try-initrd"] ?? []) {
    const initrd = await measureFile(path, "an initrd");
    others.push({
      input: "initrd",
      value: initrd.name,
      launch: { ...launch, boot: { ...boot, initrd: digest(initrd) } },
    });
  }
  for (const text of flags["try-append"] ?? [])
    others.push({ input: "command line", value: text, launch: { ...launch, boot: { ...boot, append: utf8(text) } } });
  return others;
}

/**
 * @throws PmError PM_USAGE for flags and files that cannot be used; PM_EVIDENCE_MALFORMED and PM_EVIDENCE_UNSUPPORTED for
 * a firmware that cannot be measured, or not with this kernel
 */
export async function measureSnp(flags: MeasureFlags): Promise<Result> {
  const range = vcpuRange(flags.vcpus);
  const features = hexNumberFlag(flags["guest-features"], 16, "--guest-features");
  const cpuSignature = cpuSignatureOf(flags);
  const expected = (flags.expect ?? []).map((e) => Buffer.from(hexFlag(e, 48, "--expect")).toString("hex"));
  const files = await readFiles(flags);
  const { kernel, initrd, append } = files;
  const boot = kernel && { kernel: digest(kernel), initrd: initrd && digest(initrd), append };
  const ovmf = decodeOvmf(files.ovmf.bytes);
  const launch: Launch = { ovmf, boot, vmm: flags.vmm, cpuSignature, features };
  const asked = explain(launch, range, expected, []);
  const open = asked.found.some((f) => f.match === null && f.explained === null);
  const explained = open ? explain(launch, range, expected, await otherLaunches(flags, launch)) : asked;
  return measuredResult(inputFacts(files, launch), explained);
}

const fileFacts = ({ name, sha256 }: { readonly name: string; readonly sha256: string }): Json => ({ name, sha256 });

/** The parameter set, as it is measured. */
function inputFacts(
  { ovmf: file, kernel, initrd, append }: Files,
  { ovmf, vmm, cpuSignature, features }: Launch,
): {
  readonly [name: string]: Json;
} {
  return {
    vmm,
    ovmf: fileFacts(file),
    kernel: kernel === undefined ? null : fileFacts(kernel),
    initrd: initrd === undefined ? null : fileFacts(initrd),
    append: kernel === undefined ? null : Buffer.from(append ?? []).toString("utf8"),
    guestFeatures: hexNumber(features),
    cpu: vmm === "qemu" ? cpuText(cpuSignature) : null,
    apEip: ovmf.apEip === undefined ? null : hexNumber(ovmf.apEip, 8).slice(2),
    sections: sectionFacts(ovmf),
  };
}

const sectionFacts = ({ sections }: Ovmf): Json =>
  sections.map(({ kind, gpa, size }) => `${kind} at ${hexNumber(gpa)}, ${size} bytes`);
