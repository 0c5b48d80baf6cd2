/** Whose certificate: the path of two, leaf and mesh CA, and what the leaf is for (Contrast v1.20, certificates). */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";
import { type Answers, holds, observed, type Sourced, specified } from "../../claims/answer.ts";
import { type Certificate, commonName, keyDescription } from "../../crypto/certificate.ts";
import { type PathProblem, type PathProfile, type PathRule, validatePath } from "../../crypto/path.ts";
import { codeOfRule, pathCodes } from "../../crypto/path-codes.ts";
import { instant } from "../../crypto/time.ts";
import type { meshAuthentic, meshStatements } from "./mesh-claims.ts";
import type { MeshLeaf } from "./mesh-leaf.ts";

type PathAnswer = Answers<typeof meshAuthentic>["contrast.mesh.path"];
type Statements = Answers<typeof meshStatements>;

/** The mesh CA's key is P-384, with which Contrast signs by SHA-384. The CA is the anchor: nothing above it counts. */
const meshPath: PathProfile = {
  algorithms: ["ecdsa-sha384"],
  keys: [undefined, "EC P-384"],
  length: 2,
  // A value that is there twice is the extensions' own claim.
  leaf: { duplicateExtensions: true },
};
const ecKeys: readonly string[] = ["EC P-256", "EC P-384", "EC P-521"];

/** A leaf that names another issuer key belongs to another authority. */
const codeOf = (rule: PathRule) => (rule === "aki-mismatch" ? "chain-root" : codeOfRule(rule));

const sha256 = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());
const nameOf = (c: Certificate): string => commonName(c.subject) ?? "(no single common name)";

export interface PathResult {
  readonly path: PathAnswer;
  readonly validity: Statements["contrast.mesh.validity"];
}

/** @param anchor the mesh CA's SHA-256 with who holds it */
export function judgePath(leaf: Certificate, meshCa: Certificate, at: Date, anchor: Sourced): PathResult {
  const problems = validatePath([leaf, meshCa], meshCa, at, meshPath);
  const key = keyDescription(leaf);
  if (!ecKeys.includes(key))
    problems.push({ rule: "key", certificate: 0, message: `certificate 0: key is ${key}, needs an EC key` });
  return { path: pathAnswer(meshCa, problems, anchor), validity: validityAnswer([leaf, meshCa], at, problems) };
}

function pathAnswer(meshCa: Certificate, problems: readonly PathProblem[], anchor: Sourced): PathAnswer {
  const found = problems
    .map((p) => ({ code: codeOf(p.rule), message: p.message }))
    .filter((p) => p.code !== "chain-validity");
  const code = pathCodes.find((c) => found.some((p) => p.code === c));
  const text = `signed by the mesh CA, SHA-256 ${sha256(meshCa.raw)}`;
  return holds(
    found.length === 0 && sha256(meshCa.raw) === anchor.value,
    { ...anchor, value: `signed by the mesh CA, SHA-256 ${anchor.value}` },
    observed(found.length === 0 ? text : found.map((p) => p.message).join("; "), "certificate", "path"),
    code ?? "chain-root",
  );
}

function validityAnswer(
  path: readonly Certificate[],
  at: Date,
  problems: readonly PathProblem[],
): PathResult["validity"] {
  const outside = problems.filter((p) => codeOf(p.rule) === "chain-validity");
  const windows = path.map((c) => `${nameOf(c)} ${instant(c.notBefore)}..${instant(c.notAfter)}`);
  return holds(
    outside.length === 0 && Number.isFinite(at.getTime()),
    specified(`both valid at ${instant(at)}`, "RFC 5280", "4.1.2.5"),
    observed(windows.join(", "), "certificate", "validity"),
    "chain-validity",
    outside.map((p) => p.message).join("; "),
  );
}

/** id-kp (RFC 5280 4.2.1.12). */
const purposes = { "1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth" } as const;
const purposeOf = (oid: string): string =>
  Object.hasOwn(purposes, oid) ? purposes[oid as keyof typeof purposes] : oid;

/** Both, and nothing else: anyExtendedKeyUsage is another usage. */
export function usage({ usages }: MeshLeaf): Statements["contrast.mesh.usage"] {
  const expected = Object.values(purposes).sort().join(", ");
  const actual = (usages ?? []).map(purposeOf).sort().join(", ") || "none";
  return holds(
    actual === expected,
    specified(expected, "Contrast v1.20", "certificates: workload"),
    observed(actual, "certificate", "extKeyUsage"),
    "mesh-usage",
  );
}

const wanted = {
  SNP: "SNP: measurement (22), host data (23), reported TCB (28 to 31), chip id (32), launch TCB (43 to 46)",
  TDX: "TDX: MRSEAM (9), TDATTRIBUTES (12), XFAM (13), MRTD (14), MRCONFIGID (15), RTMR0 to RTMR3 (18 to 21)",
} as const;
/** Which problem gives the answer its code: a value that cannot be read says more than one that is not there. */
const kinds = ["malformed", "duplicate", "missing"] as const;

/** Each value once, in its type; the WorkloadSecretID may be absent, where the manifest has none. */
export function extensions({ values, problems }: MeshLeaf): Statements["contrast.mesh.extensions"] {
  const expected = values === undefined ? "values of SNP or of TDX" : wanted[values.tee];
  const found = problems.map((p) => `${p.kind}: ${p.message}`).join("; ");
  const kind = kinds.find((k) => problems.some((p) => p.kind === k)) ?? "missing";
  return holds(
    values !== undefined && problems.length === 0,
    specified(`${expected}, each once`, "Contrast v1.20", "certificates: extensions"),
    observed(found || `${expected}, each once`, "certificate", "extensions 1.3.9901"),
    `mesh-extension-${kind}`,
  );
}
