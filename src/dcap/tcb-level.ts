/** Which of Intel's levels a platform, a TDX module and a quoting enclave have (spec notes tdx.md 4.1 and 4.2). */
import type { Component, ModuleIdentity, SvnLevel, TcbInfo, TcbLevel } from "./documents.ts";
import type { PckExtensions } from "./pck.ts";
import { levelStatus, type TcbStatus } from "./tcb-status.ts";

/** The platform as its certificate and, on TDX, the quote state it. */
export interface PlatformSvns {
  readonly pck: Pick<PckExtensions, "components" | "pceSvn">;
  /** TEE_TCB_SVN, 16 bytes; undefined for SGX. */
  readonly teeTcbSvn: Uint8Array | undefined;
}
/** One SVN that is below what a level wants. */
export interface Shortfall {
  /** "SGX component 8 (OS/VMM, SEAMLDR ACM)", "PCESVN", "TDX component 3 (…)", "TDX module". */
  readonly what: string;
  readonly is: number;
  readonly needs: number;
}
export interface Matched<L> {
  /** 0 is the newest. */
  readonly index: number;
  readonly level: L;
}

const labelled = (kind: string, i: number, { name }: Component): string =>
  `${kind} component ${i + 1}${name === "" ? "" : ` (${name})`}`;

function sgxShortfalls({ pck }: PlatformSvns, level: TcbLevel): Shortfall[] {
  const components = level.sgx.flatMap((wanted, i) => {
    const is = pck.components[i] ?? -1;
    return is >= wanted.svn ? [] : [{ what: labelled("SGX", i, wanted), is, needs: wanted.svn }];
  });
  const pce = pck.pceSvn >= level.pceSvn ? [] : [{ what: "PCESVN", is: pck.pceSvn, needs: level.pceSvn }];
  return [...components, ...pce];
}

/** Components 0 and 1 belong to the module identity when the module's major version is not 0: comparing them is wrong on real machines. */
function tdxShortfalls(teeTcbSvn: Uint8Array, level: TcbLevel): Shortfall[] {
  const from = moduleMajor(teeTcbSvn) === 0 ? 0 : 2;
  // A level of TDX without TDX components matches nothing.
  if (level.tdx === undefined) return [{ what: "TDX components of the level", is: 0, needs: 16 }];
  return level.tdx.flatMap((wanted, i) => {
    const is = teeTcbSvn[i] ?? -1;
    return i < from || is >= wanted.svn ? [] : [{ what: labelled("TDX", i, wanted), is, needs: wanted.svn }];
  });
}

export const moduleMinor = (teeTcbSvn: Uint8Array): number => teeTcbSvn[0] ?? 0;
export const moduleMajor = (teeTcbSvn: Uint8Array): number => teeTcbSvn[1] ?? 0;

/** What keeps this platform from having this level; [] means that it has it. */
export const shortfalls = (platform: PlatformSvns, level: TcbLevel): Shortfall[] => [
  ...sgxShortfalls(platform, level),
  ...(platform.teeTcbSvn === undefined ? [] : tdxShortfalls(platform.teeTcbSvn, level)),
];

function firstLevel<L>(levels: readonly L[], has: (level: L) => boolean): Matched<L> | undefined {
  const index = levels.findIndex(has);
  const level = levels[index];
  return level === undefined ? undefined : { index, level };
}

/** The first level, from the newest, that the whole platform has. Genuine documents are in descending order. */
export const platformLevel = (platform: PlatformSvns, info: TcbInfo): Matched<TcbLevel> | undefined =>
  firstLevel(info.levels, (level) => shortfalls(platform, level).length === 0);
/** The same with the SGX part alone. */
export const sgxLevel = (platform: PlatformSvns, info: TcbInfo): Matched<TcbLevel> | undefined =>
  firstLevel(info.levels, (level) => sgxShortfalls(platform, level).length === 0);

export const svnLevel = (levels: readonly SvnLevel[], svn: number): Matched<SvnLevel> | undefined =>
  firstLevel(levels, (level) => level.isvSvn <= svn);

/** A component's level and status; NotSupported when it is below the lowest. */
export interface ComponentTcb {
  readonly isvSvn: number;
  readonly matched: Matched<SvnLevel> | undefined;
  readonly status: TcbStatus;
}
export function componentTcb(levels: readonly SvnLevel[], isvSvn: number): ComponentTcb {
  const matched = svnLevel(levels, isvSvn);
  return { isvSvn, matched, status: matched === undefined ? "NotSupported" : levelStatus(matched.level.tcbStatus) };
}

/** The identity that a module must have: of tdxModule for major version 0, else the listed one. */
export type ModuleChoice =
  | { readonly identity: ModuleIdentity; readonly name: string }
  | { readonly missing: "list" | "entry" | "module"; readonly name: string };

export function chooseModule(info: TcbInfo, teeTcbSvn: Uint8Array): ModuleChoice {
  const major = moduleMajor(teeTcbSvn);
  if (major === 0) {
    const name = "tdxModule";
    return info.module === undefined ? { missing: "module", name } : { identity: info.module, name };
  }
  const name = `TDX_${major.toString(16).toUpperCase().padStart(2, "0")}`;
  if (info.modules === undefined) return { missing: "list", name };
  const identity = info.modules.find((m) => m.id?.toUpperCase() === name);
  return identity === undefined ? { missing: "entry", name } : { identity, name };
}

/** For major version 0 the TDX components of the platform level carry the module, so it counts as UpToDate. */
export function moduleTcb(info: TcbInfo, teeTcbSvn: Uint8Array): ComponentTcb {
  const isvSvn = moduleMinor(teeTcbSvn);
  const choice = chooseModule(info, teeTcbSvn);
  if ("missing" in choice) return { isvSvn, matched: undefined, status: "NotSupported" };
  if (moduleMajor(teeTcbSvn) === 0) return { isvSvn, matched: undefined, status: "UpToDate" };
  return componentTcb(choice.identity.levels, isvSvn);
}
