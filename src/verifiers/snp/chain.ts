/** The path from the report key's certificate to the pinned root: names, algorithms, signatures, dates (57230 chapter 3). */
import {
  type Answer,
  type Answers,
  broken,
  cannot,
  holds,
  observed,
  type Sourced,
  specified,
  unavailable,
} from "../../claims/answer.ts";
import { type Certificate, commonName } from "../../crypto/certificate.ts";
import { type PathProblem, type PathProfile, validatePath } from "../../crypto/path.ts";
import { codeOfRule, pathCodes } from "../../crypto/path-codes.ts";
import { instant } from "../../crypto/time.ts";
import type { authenticity, currency } from "./claims.ts";
import { sha256 } from "./digest.ts";
import { type Absent, isAbsent, type Material } from "./material.ts";
import { intermediateName, rootName, vekName } from "./product.ts";

/** Every certificate is signed with RSASSA-PSS SHA-384; the VEK has serial 0 and no key identifiers. */
export const amdPath: PathProfile = {
  algorithms: ["rsa-pss-sha384"],
  keys: ["EC P-384", "RSA 4096", "RSA 4096"],
  length: 3,
  leaf: { serialZero: true, withoutKeyIdentifiers: true, duplicateExtensions: true },
};

type ChainAnswer = Answers<typeof authenticity>["snp.vek.chain"];
const nameOf = (c: Certificate): string => commonName(c.subject) ?? "(no single common name)";

export interface ChainResult {
  readonly chain: ChainAnswer;
  readonly validity: Answers<typeof currency>["snp.chain.validity"];
  /** VEK and intermediate, when there is a complete path to judge. */
  readonly path?: readonly [vek: Certificate, intermediate: Certificate, root: Certificate];
}

/** Missing certificates: what can still be said. A malformed VEK is its format claim's business. */
export const notThere = (a: Absent): Answer<never> =>
  a.absent === "unavailable" ? unavailable(a.reason) : cannot(a.reason);

export function judgeChain(material: Material, at: Date): ChainResult {
  const { vek, intermediate, root, rootCertificate, line, otherRoot } = material;
  if (isAbsent(vek)) {
    const chain = vek.absent === "unavailable" ? unavailable(vek.reason, "no-vek") : withoutVek(vek);
    return { chain, validity: notThere(vek) };
  }
  if (line === undefined)
    return { chain: cannot("no product line, so no root to end in"), validity: cannot("no product line") };
  if (root === undefined || rootCertificate === undefined)
    return {
      chain: broken(`no root certificate of the ${line} line is pinned`, "chain-root"),
      validity: cannot(`no pinned root of the ${line} line`),
    };
  if (isAbsent(intermediate)) {
    const chain =
      intermediate.absent === "malformed" ? broken(intermediate.reason, "chain-extension") : notThere(intermediate);
    return { chain, validity: notThere(intermediate) };
  }
  const offered = otherRoot === undefined ? rootCertificate : otherRoot.certificate;
  const path = [vek.certificate, intermediate.certificate, offered ?? rootCertificate] as const;
  const problems = validatePath(path, rootCertificate, at, amdPath);
  if (otherRoot !== undefined && offered === undefined)
    problems.push({ rule: "root", certificate: 2, message: `root ${otherRoot.from}: not a certificate` });
  const expected = [vekName(vek.kind), intermediateName(vek.kind, line), rootName(line)];
  problems.push(...nameProblems(path, expected));
  return {
    chain: chainAnswer(material, root, expected, path, problems),
    validity: validityAnswer(path, at, problems),
    path: [vek.certificate, intermediate.certificate, rootCertificate],
  };
}

const withoutVek = (a: Absent): ChainAnswer =>
  a.absent === "malformed" ? cannot(a.reason) : cannot(a.reason, "no-vek");

/** The names fix kind and line; that issuer and subject names agree is the path validation's. */
const nameProblems = (path: readonly Certificate[], expected: readonly string[]): PathProblem[] => [
  ...path.flatMap((c, i) => differs(commonName(c.subject), expected[i], i, "subject")),
  ...path.flatMap((c, i) => differs(commonName(c.issuer), expected[i + 1] ?? expected[i], i, "issuer")),
];
const differs = (
  actual: string | undefined,
  wanted: string | undefined,
  certificate: number,
  what: string,
): PathProblem[] =>
  actual !== undefined && actual === wanted
    ? []
    : [
        {
          rule: "name",
          certificate,
          message: `certificate ${certificate}: ${what} CN is ${actual ?? "not there"}, needs ${wanted}`,
        },
      ];

function chainAnswer(
  { vek, intermediate }: Material,
  root: { readonly sha256: string; readonly origin: Sourced["origin"] },
  expected: readonly string[],
  path: readonly Certificate[],
  problems: readonly PathProblem[],
): ChainAnswer {
  const coded = problems.map((p) => ({ code: codeOfRule(p.rule), message: p.message }));
  const code = pathCodes.find((c) => coded.some((p) => p.code === c));
  const last = path.at(-1);
  const end = last === undefined ? "" : sha256(last.raw);
  const messages = coded.filter((p) => p.code !== "chain-validity").map((p) => p.message);
  const named = { "report key": vek, intermediate };
  const places = Object.entries(named).flatMap(([name, f]) => ("from" in f ? [`${name} ${f.from}`] : []));
  // Names and root can be right while the path is not: the values that are shown must differ then, too.
  const found = messages.length === 0 ? "" : `; ${messages.join("; ")}`;
  return holds(
    code === undefined && end === root.sha256,
    { value: `${expected.join(" < ")}, SHA-256 ${root.sha256}`, origin: root.origin },
    observed(`${path.map(nameOf).join(" < ")}, SHA-256 ${end}${found}`, "certificates", places.join("; ")),
    code ?? "chain-root",
  );
}

function validityAnswer(
  path: readonly Certificate[],
  at: Date,
  problems: readonly PathProblem[],
): ChainResult["validity"] {
  const outside = problems.filter((p) => codeOfRule(p.rule) === "chain-validity");
  const windows = path.map((c) => `${nameOf(c)} ${instant(c.notBefore)}..${instant(c.notAfter)}`);
  return holds(
    outside.length === 0 && Number.isFinite(at.getTime()),
    specified(`every certificate valid at ${instant(at)}`, "RFC 5280", "4.1.2.5"),
    observed(windows.join(", "), "certificates", "validity"),
    "chain-validity",
    outside.map((p) => p.message).join("; "),
  );
}
