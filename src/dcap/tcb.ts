/**
 * The TCB of a quote: platform level, TDX module and quoting enclave converged into one status (spec notes tdx.md 4). The
 * documents must be authentic and for this platform; that is the caller's to know.
 */
import type { QeIdentity, SvnLevel, TcbInfo, TcbLevel } from "./documents.ts";
import type { PckExtensions } from "./pck.ts";
import {
  type ComponentTcb,
  chooseModule,
  componentTcb,
  type Matched,
  moduleMajor,
  moduleMinor,
  moduleTcb,
  type PlatformSvns,
  platformLevel,
  type Shortfall,
  sgxLevel,
  shortfalls,
} from "./tcb-level.ts";
import {
  converge,
  current,
  isTerminal,
  levelStatus,
  needsConfiguration,
  outOfDate,
  type TcbStatus,
} from "./tcb-status.ts";

export interface TcbInput {
  readonly info: TcbInfo;
  readonly qeIdentity: QeIdentity;
  /** ISVSVN of the quoting enclave's report. */
  readonly qeIsvSvn: number;
  readonly pck: Pick<PckExtensions, "components" | "pceSvn">;
  /** TDX only. `teeTcbSvn2` is there for TD report 1.5. */
  readonly td?: { readonly teeTcbSvn: Uint8Array; readonly teeTcbSvn2?: Uint8Array | undefined };
}
export interface Advisory {
  readonly id: string;
  readonly from: "platform" | "TDX module" | "quoting enclave" | "TEE_TCB_SVN2";
}
/** The next level above the matched one (the lowest one, where none matched), and what is missing for it. */
export interface NextLevel {
  readonly index: number;
  readonly status: string;
  readonly tcbDate: string;
  readonly missing: readonly Shortfall[];
}
export interface Tcb {
  /** Everything converged: what is accepted or refused. */
  readonly status: TcbStatus;
  readonly platform: { readonly matched: Matched<TcbLevel> | undefined; readonly status: TcbStatus };
  /** Level of the SGX part alone. */
  readonly sgx: Matched<TcbLevel> | undefined;
  /** TDX only. */
  readonly module: (ComponentTcb & { readonly name: string; readonly major: number }) | undefined;
  readonly qe: ComponentTcb;
  /** Platform and module, before relaunch and quoting enclave. */
  readonly converged: TcbStatus;
  /** The same by TEE_TCB_SVN2, the module that runs now; TD report 1.5 only. */
  readonly running: PlatformTcb | undefined;
  readonly advisories: readonly Advisory[];
  /** tcbDate of the matched platform level: advisories up to this date are covered. */
  readonly tcbDate: string | undefined;
  readonly next: NextLevel | undefined;
}

interface PlatformTcb {
  readonly matched: Matched<TcbLevel> | undefined;
  readonly status: TcbStatus;
  readonly module: ComponentTcb | undefined;
  /** With the module. */
  readonly converged: TcbStatus;
}
function platformTcb(platform: PlatformSvns, info: TcbInfo): PlatformTcb {
  const matched = platformLevel(platform, info);
  const status = matched === undefined ? "NotSupported" : levelStatus(matched.level.tcbStatus);
  if (platform.teeTcbSvn === undefined) return { matched, status, module: undefined, converged: status };
  const module = moduleTcb(info, platform.teeTcbSvn);
  return { matched, status, module, converged: converge(status, module.status) };
}

/** Total: any documents and SVNs in, a status out. */
export function evaluateTcb(input: TcbInput): Tcb {
  const { info, td, pck } = input;
  const platform: PlatformSvns = { pck, teeTcbSvn: td?.teeTcbSvn };
  const launch = platformTcb(platform, info);
  const qe = componentTcb(input.qeIdentity.levels, input.qeIsvSvn);
  const sgx = sgxLevel(platform, info);
  const running = td?.teeTcbSvn2 === undefined ? undefined : platformTcb({ pck, teeTcbSvn: td.teeTcbSvn2 }, info);
  const status =
    td?.teeTcbSvn2 === undefined || running === undefined
      ? converge(launch.converged, qe.status)
      : withRelaunch({ launch, sgx, qe: qe.status, running: running.converged, svn2: td.teeTcbSvn2, info });
  return {
    status,
    platform: { matched: launch.matched, status: launch.status },
    sgx,
    module:
      td === undefined || launch.module === undefined
        ? undefined
        : { ...launch.module, name: chooseModule(info, td.teeTcbSvn).name, major: moduleMajor(td.teeTcbSvn) },
    qe,
    converged: launch.converged,
    running,
    advisories: [
      ...advisoriesOf(launch.matched, "platform"),
      ...advisoriesOf(launch.module?.matched, "TDX module"),
      ...advisoriesOf(qe.matched, "quoting enclave"),
      ...otherLevels(running, launch).flatMap((matched) => advisoriesOf(matched, "TEE_TCB_SVN2")),
    ],
    tcbDate: launch.matched?.level.tcbDate,
    next: nextLevel(platform, info, launch.matched),
  };
}

/** Levels that count by TEE_TCB_SVN2 alone, where they lack something: a newer module takes no advisory away, an older one adds its own. */
const otherLevels = (running: PlatformTcb | undefined, launch: PlatformTcb): Matched<SvnLevel | TcbLevel>[] =>
  [
    { now: running?.matched, before: launch.matched },
    { now: running?.module?.matched, before: launch.module?.matched },
  ].flatMap(({ now, before }) =>
    now === undefined || now.level === before?.level || levelStatus(now.level.tcbStatus) === "UpToDate" ? [] : [now],
  );

/** A level that an accepted status may rest on, with the day up to which its advisories are covered. */
export interface DatedLevel {
  readonly of: string;
  /** undefined: no level matched. */
  readonly tcbDate: string | undefined;
}
/** The platform level, and each level of the module or quoting enclave (and by TEE_TCB_SVN2) that is not UpToDate. */
export function datedLevels({ platform, module, qe, running }: Tcb): DatedLevel[] {
  const dated = (of: string, matched: Matched<Pick<SvnLevel, "tcbDate">> | undefined): DatedLevel => ({
    of,
    tcbDate: matched?.level.tcbDate,
  });
  const lacking = [
    { of: module?.name ?? "TDX module", part: module },
    { of: "quoting enclave", part: qe },
    { of: "platform by TEE_TCB_SVN2", part: running },
    { of: "running module (TEE_TCB_SVN2)", part: running?.module },
  ];
  return [
    dated("platform", platform.matched),
    ...lacking.flatMap(({ of, part }) =>
      part === undefined || part.status === "UpToDate" ? [] : [dated(of, part.matched)],
    ),
  ];
}

const advisoriesOf = (
  matched: Matched<Pick<SvnLevel, "advisoryIds">> | undefined,
  from: Advisory["from"],
): Advisory[] => (matched?.level.advisoryIds ?? []).map((id) => ({ id, from }));

function nextLevel(
  platform: PlatformSvns,
  info: TcbInfo,
  matched: Matched<TcbLevel> | undefined,
): NextLevel | undefined {
  const index = (matched?.index ?? info.levels.length) - 1;
  const level = info.levels[index];
  if (level === undefined) return undefined;
  return { index, status: level.tcbStatus, tcbDate: level.tcbDate, missing: shortfalls(platform, level) };
}

interface Relaunch {
  readonly launch: PlatformTcb;
  readonly sgx: Matched<TcbLevel> | undefined;
  readonly qe: TcbStatus;
  readonly running: TcbStatus;
  readonly svn2: Uint8Array;
  readonly info: TcbInfo;
}

/**
 * TD report 1.5: the machine may be fixed although this TD was started on an out-of-date module. Two forms of the rule are
 * known (tdx.md 4.3): Intel's published one, and a newer one that evaluates everything a second time with TEE_TCB_SVN2, whose
 * source at Intel was not seen. Relaunch is advised only where both say so, and a running module that the newer form refuses
 * is refused. Neither ever answers UpToDate for such a TD.
 * Both look at a launch that is out of date only. Where the module that runs now is the older one, pm is stricter than either:
 * what runs counts as much as what was launched, so that the TD lacks all that either lacks. Not confirmed by another verifier.
 */
function withRelaunch(r: Relaunch): TcbStatus {
  const launched = converge(r.launch.converged, r.qe);
  if (isTerminal(launched)) return launched;
  const running = converge(r.running, r.qe);
  if (isTerminal(running)) return running;
  if (!outOfDate(launched) || outOfDate(running)) return converge(launched, running);
  if (!current(running) || !publishedRelaunch(r)) return launched;
  const sgx = r.sgx === undefined ? "NotSupported" : levelStatus(r.sgx.level.tcbStatus);
  const configuration = [launched, running, sgx, r.launch.converged].some(needsConfiguration);
  return configuration ? "TDRelaunchAdvisedConfigurationNeeded" : "TDRelaunchAdvised";
}

/** Intel's published rule (TDRelaunchCheck.cpp). */
function publishedRelaunch({ launch, sgx, qe, svn2, info }: Relaunch): boolean {
  const [latest] = info.levels;
  const sgxStatus = sgx === undefined ? "NotSupported" : levelStatus(sgx.level.tcbStatus);
  if (latest?.tdx === undefined || isTerminal(qe) || qe === "OutOfDate" || !current(sgxStatus)) return false;
  if (!outOfDate(launch.converged) || launch.module?.status !== "OutOfDate") return false;
  if ((svn2[2] ?? -1) < (latest.tdx[2]?.svn ?? 256)) return false;
  if (moduleMajor(svn2) === 0) return moduleMinor(svn2) >= (latest.tdx[0]?.svn ?? 256);
  const choice = chooseModule(info, svn2);
  const newest = "missing" in choice ? undefined : choice.identity.levels[0];
  return newest !== undefined && moduleMinor(svn2) >= newest.isvSvn;
}
