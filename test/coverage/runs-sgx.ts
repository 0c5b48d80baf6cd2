/** `pm sgx verify` and `pm tdx replay`: one good run each, made states with one thing wrong, and values that differ. */

import type { IntelCase } from "../../fixtures/generator/intel-edits.ts";
import {
  type IntelDraft,
  type IntelEvidence,
  intelDraft,
  makeIntelEvidence,
} from "../../fixtures/generator/intel-evidence.ts";
import { type IntelStateName, intelNow, intelStates } from "../../fixtures/generator/intel-states.ts";
import { decodeEventLog, replay } from "../../src/verifiers/tdx/eventlog/index.ts";
import { intelFile, written } from "../audit/intel-files.ts";
import { type Ran, runPm } from "../command.ts";
import { ccel, logEvents, type Made } from "../verifiers/tdx/eventlog-make.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const draftOf = (version: 4 | 5 = 4): IntelDraft => intelDraft("coverage of sgx", intelNow, { tee: "sgx", version });

function sgx(evidence: IntelEvidence, args: readonly string[] = ["--authentic-only"]): Promise<Ran> {
  const { quote, flags } = written(evidence);
  return runPm([
    ...["sgx", "verify", quote, "--offline", "--json", "--at", flags.at],
    ...["--collateral", flags.collateral, "--insecure-trust-root", flags["insecure-trust-root"]],
    ...args,
  ]);
}
/** A state of the table, made for an enclave. */
function state(name: IntelStateName): Promise<Ran> {
  const { edit, after, options }: IntelCase = intelStates[name];
  const made = makeIntelEvidence(edit(draftOf(options?.version === 5 ? 5 : 4)));
  return sgx(after?.(made) ?? made);
}
const good = (args: readonly string[]): Promise<Ran> => sgx(makeIntelEvidence(draftOf()), args);
const { sgx: enclave } = draftOf();
const signer = ["--mrsigner", hex(enclave.mrSigner)];
const product = ["--isv-prod-id", String(enclave.isvProdId)];
const other = (bytes: number): string => "ab".repeat(bytes);

/** Each shows the codes of the claims that are about it. */
export const sgxStateNames = [
  ...["truncated", "attestationKeyOffCurve", "version2", "keyTypeP384", "bodyType4", "innerType1", "teeTypeUnknown"],
  ...["otherVendor", "leafBadSignature", "foreignRoot", "noFmspc", "qeReportSignature", "keyBinding", "quoteSignature"],
  ...["trailingText", "leafNotYetValid", "leafExpired", "rootCrlSignedByOther", "rootCrlExpired", "rootCrlNotYetValid"],
  ...["rootCrlMissing", "pckCrlSignedByOther", "pckCrlExpired", "pckCrlNotYetValid", "pckCrlMissing"],
  ...["intermediateRevoked", "pckRevoked", "tcbSigningNotYetValid", "tcbSigningExpired", "tcbSigningRevoked"],
  ...["noLevels", "tcbInfoSignedByPlatformCa", "tcbInfoSpace", "tcbInfoNotYetValid", "tcbInfoExpired"],
  ...["tcbInfoOtherFmspc", "qeNoLevels", "tcbSigningOtherName", "qeIdentitySpace", "qeIdentityNotYetValid"],
  ...["qeIdentityExpired", "qeOtherSigner", "noSgxLevel", "unknownStatus", "levelRevoked", "platformOutOfDate"],
  ...["outOfDateConfigurationNeeded", "configurationNeeded", "swHardeningNeeded", "configurationAndSwHardeningNeeded"],
  ...["sgxDebug"],
] as const satisfies readonly IntelStateName[];
type SgxStateName = (typeof sgxStateNames)[number];
type SgxStateRun = `SGX: ${SgxStateName}`;
const stateRuns = Object.fromEntries(
  sgxStateNames.map((name) => [`SGX: ${name}`, () => state(name)] as const),
) as unknown as Readonly<Record<SgxStateRun, () => Promise<Ran>>>;

const events = logEvents();
const registers = replay(decodeEventLog(ccel(events))).registers.flatMap((r, i) => [`--rtmr${i}`, hex(r)]);
const log = (bytes: Uint8Array, values: readonly string[] = registers): Promise<Ran> =>
  runPm(["tdx", "replay", intelFile("ccel.bin", bytes), "--json", ...values]);
const rewritten = events.map(
  (e): Made => (e.type === 0x80000007 ? { ...e, digest: Buffer.from(other(48), "hex") } : e),
);
/** The header's one algorithm, SHA-384, said to be SHA-256. */
const sha256Log = ccel(events).with(60, 0x0b);

export const sgxRuns = {
  ...stateRuns,
  "enclave as demanded": () =>
    good([
      ...["--mrenclave", hex(enclave.mrEnclave), ...signer, ...product, "--min-isv-svn", String(enclave.isvSvn)],
      ...["--report-data", hex(enclave.reportData), "--config-id", hex(enclave.configId), "--config-svn", "0"],
      ...["--isv-ext-prod-id", hex(enclave.isvExtProdId), "--isv-family-id", hex(enclave.isvFamilyId)],
      ...["--attributes", hex(enclave.attributes), "--misc-select", "00000000", "--min-tcb-evaluation", "1"],
    ]),
  "enclave, every value another": () =>
    good([
      ...["--mrenclave", other(32), "--mrsigner", other(32), "--isv-prod-id", "99", "--min-isv-svn", "99"],
      ...["--report-data", other(64), "--config-id", other(64), "--config-svn", "9"],
      ...["--isv-ext-prod-id", other(16), "--isv-family-id", other(16), "--attributes", other(16)],
      ...["--misc-select", "00000001", "--min-tcb-evaluation", "99"],
    ]),
  "enclave of another author": () => good(["--mrsigner", other(32), ...product, "--min-isv-svn", "0"]),
  "enclave of another product": () => good([...signer, "--isv-prod-id", "99", "--min-isv-svn", "0"]),
  "enclave of an old version": () => good([...signer, ...product, "--min-isv-svn", "99"]),
  "enclave whose author alone is named": () => good(signer),
  "event log as demanded": () => log(ccel(events)),
  "event log of other registers": () =>
    log(
      ccel(events),
      [0, 1, 2, 3].flatMap((i) => [`--rtmr${i}`, other(48)]),
    ),
  "event log that is none": () => log(new Uint8Array(100)),
  "event log without SHA-384": () => log(sha256Log),
  "event log with a rewritten event": () => log(ccel(rewritten)),
  "event log with an event for MRTD": () => log(ccel([...events, { register: -1, type: 4, data: new Uint8Array(4) }])),
} as const;
