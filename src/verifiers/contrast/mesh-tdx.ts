/**
 * What a mesh certificate repeats of TDX evidence, against one TDX reference value (Contrast v1.20, certificates; spec notes
 * contrast.md 6). Its extensions hold no TCB status and no collateral, so that is not judged here.
 */
import { type Answers, cannot, holds, type Origin, observed, skip } from "../../claims/answer.ts";
import type { meshStatements } from "./mesh-claims.ts";
import type { TdxMeshValues } from "./mesh-leaf.ts";
import type { TdxReferenceValue } from "./model.ts";

type Statements = Answers<typeof meshStatements>;
export type OfTdx = Pick<Statements, "contrast.mesh.measurement" | "contrast.mesh.tcb" | "contrast.mesh.chip">;

/** Of a PCK certificate. */
export interface MeshPlatform {
  /** Lower-case hex, 16 bytes; undefined in certificates of the Processor CA. */
  readonly piid: string | undefined;
  /** 2: scalable with integrity. */
  readonly sgxType: number;
  /** Undefined: not stated, which shows nothing. */
  readonly smtEnabled: boolean | undefined;
  readonly dynamicPlatform: boolean | undefined;
}
type PlatformOf = (chain: Uint8Array) => MeshPlatform | { readonly problem: string };

/** SEPT_VE_DISABLE and nothing else, fixed in Contrast's code: a TD that may be debugged has another value. */
const contrastAttributes = "0000001000000000";

export const ofTdx = (
  values: TdxMeshValues,
  value: TdxReferenceValue,
  origin: Origin,
  platformOf: PlatformOf,
): OfTdx => ({
  "contrast.mesh.measurement": measurements(values, value, origin),
  "contrast.mesh.tcb": skip(
    "a mesh certificate repeats no TCB status of TDX: only the Coordinator saw the evidence and Intel's documents",
  ),
  "contrast.mesh.chip": machine(values, value, origin, platformOf),
});

/** Which difference gives the answer its code: what says most about the image first. */
const fields = [
  ["MRTD", "MRTD_MISMATCH"],
  ["RTMR0", "RTMR_MISMATCH"],
  ["RTMR1", "RTMR_MISMATCH"],
  ["RTMR2", "RTMR_MISMATCH"],
  ["RTMR3", "RTMR_MISMATCH"],
  ["MRSEAM", "MRSEAM_MISMATCH"],
  ["TDATTRIBUTES", "TD_ATTRIBUTES_MISMATCH"],
  ["XFAM", "XFAM_MISMATCH"],
] as const;

function measurements(
  values: TdxMeshValues,
  value: TdxReferenceValue,
  origin: Origin,
): OfTdx["contrast.mesh.measurement"] {
  const actual = [values.mrTd, ...values.rtmrs, values.mrSeam, values.tdAttributes, values.xfam];
  const expected = [
    value.mrTd,
    ...[0, 1, 2, 3].map((i) => value.rtmrs[i] ?? ""),
    value.mrSeam,
    contrastAttributes,
    value.xfam,
  ];
  if (actual.length !== fields.length || actual.some((v) => v === undefined))
    return cannot("not answered: the certificate's extensions do not give every value");
  const differing = fields.filter((_, i) => actual[i] !== expected[i]);
  const text = (list: readonly (string | undefined)[]): string =>
    fields.map(([name], i) => `${name} ${list[i] || "none"}`).join(", ");
  return holds(
    differing.length === 0,
    { value: text(expected), origin, at: `${value.at}/MrTd, Rtmrs, MrSeam, Xfam; TDATTRIBUTES as Contrast demands` },
    observed(text(actual), "certificate", "extensions 1.3.9901.2.2.9, 12 to 14, 18 to 21"),
    differing[0]?.[1] ?? "MRTD_MISMATCH",
    `${differing.map(([name]) => name).join(", ")} differ`,
  );
}

/** Whether a reference value asks which machine it is, or how it is configured. */
export const namesMachines = (value: TdxReferenceValue): boolean =>
  value.allowedPiids.length > 0 || demandsOf(value).length > 0;

const demandsOf = (value: TdxReferenceValue): string[] => [
  ...(value.memoryIntegrity ? ["SGX type 2"] : []),
  ...(value.smtDisabled ? ["SMT off"] : []),
  ...(value.staticPlatform ? ["static platform"] : []),
];

function machine(
  { pckChain }: TdxMeshValues,
  value: TdxReferenceValue,
  origin: Origin,
  platformOf: PlatformOf,
): OfTdx["contrast.mesh.chip"] {
  if (!namesMachines(value)) return skip("the reference value allows every platform");
  if (pckChain === undefined) return cannot("the certificate repeats no PCK chain, extension 1.3.9901.2.2.46");
  const platform = platformOf(pckChain);
  if ("problem" in platform) return cannot(`the PCK chain in the certificate cannot be read: ${platform.problem}`);
  const { piid, sgxType, smtEnabled, dynamicPlatform } = platform;
  const listed = value.allowedPiids.length === 0 || (piid !== undefined && value.allowedPiids.includes(piid));
  const options = [
    ...(value.memoryIntegrity && sgxType !== 2 ? ["memory is not integrity protected"] : []),
    ...(value.smtDisabled && smtEnabled !== false ? ["SMT is not off"] : []),
    ...(value.staticPlatform && dynamicPlatform !== false ? ["the platform is not static"] : []),
  ];
  const piids = value.allowedPiids.length === 0 ? ["every platform"] : [`PIID ${value.allowedPiids.join(" or ")}`];
  const shown = [
    `PIID ${piid ?? "none"}`,
    `SGX type ${sgxType}`,
    `SMT ${stated(smtEnabled, "on", "off")}`,
    `${stated(dynamicPlatform, "dynamic", "static")} platform`,
  ];
  return holds(
    listed && options.length === 0,
    { value: [...piids, ...demandsOf(value)].join(", "), origin, at: `${value.at}/AllowedPIIDs and PCK options` },
    observed(shown.join(", "), "certificate", "extension 1.3.9901.2.2.46, PCK certificate"),
    listed ? "PCK_OPTIONS_MISMATCH" : "PIID_NOT_ALLOWED",
    [...(listed ? [] : ["the platform is not listed"]), ...options].join("; "),
  );
}

const stated = (value: boolean | undefined, yes: string, no: string): string =>
  value === undefined ? "not stated" : value ? yes : no;
