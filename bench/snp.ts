/**
 * One SNP report verified in process against the node:crypto calls that it cannot do without: the certificates parsed,
 * their three RSA-PSS signatures, the report's P-384 signature; with a revocation list one RSA-PSS signature more.
 * A process that judges many reports checks the signatures of root and intermediate once (src/crypto/path.ts); the rows
 * "first report" show what it is without that, root and key imported anew each time.
 */
import { constants, type KeyObject, verify, X509Certificate } from "node:crypto";
import { judge } from "../src/claims/subject.ts";
import { conclude } from "../src/claims/verdict.ts";
import { decodeCertificate } from "../src/crypto/certificate.ts";
import { decodeCrl } from "../src/crypto/crl.ts";
import { p384SignatureFromAmd } from "../src/crypto/ecdsa.ts";
import {
  decodeReport,
  noReferences,
  pinnedBy,
  type SnpReferences,
  snp,
  testRoot,
  verifySnp,
  withoutRevocation,
} from "../src/verifiers/snp/index.ts";
import { type GuestFiles, guestFiles } from "./fixture.ts";
import { callMinimums, type Row } from "./measure.ts";

const at = new Date();
const [rounds, calls] = [500, 4];
const flag = (name: string, bytes: Uint8Array) => ({
  value: Buffer.from(bytes).toString("hex"),
  origin: { kind: "flag", name } as const,
});

/** The whole judgement, from bytes to verdict, with and without a revocation list. */
function verification({ guest, chain, crl }: GuestFiles, withCrl: boolean, first = false): () => void {
  const references: SnpReferences = {
    ...noReferences,
    measurement: flag("--measurement", guest.fields.measurement),
    reportData: flag("--report-data", guest.fields.reportData),
  };
  const given = { vek: guest.vek.certificate, chain, ...(withCrl ? { crl } : {}) };
  const root = () => testRoot(guest.authority.ark.certificate, "ark.der");
  const known = root();
  const nothing = () => ({ status: "unavailable", reason: "offline" }) as const;
  return () => {
    const trust = { roots: first ? root() : known, revocation: "allow-unchecked" } as const;
    const { answers } = verifySnp({ bytes: guest.report, given }, nothing, [references], trust, at);
    const subject = { name: "report", catalogue: withoutRevocation(snp, answers), pinned: pinnedBy(references) };
    const { verdict } = conclude([judge(subject, answers)], { waivers: [], promoted: new Set(), now: at });
    // A judgement that fails early may not count as a fast one.
    if (verdict !== "verified") throw new Error(`verdict ${verdict}`);
  };
}

/** The node:crypto calls alone, on the same bytes; where the signed parts lie is known beforehand. */
function floor({ guest, crl }: GuestFiles, withCrl: boolean): () => void {
  const { authority, vek } = guest;
  const chain = [vek.certificate, authority.ask.certificate, authority.ark.certificate];
  const parts = [...chain.map((der) => decodeCertificate(der)), ...(withCrl ? [decodeCrl(crl)] : [])];
  const { signed, signature } = decodeReport(guest.report);
  const numbers = p384SignatureFromAmd(signature.r, signature.s);
  const pss = ({ tbs, signature: bytes }: (typeof parts)[number], key: KeyObject): boolean =>
    verify("sha384", tbs, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }, bytes);
  return () => {
    const [leaf, ask, ark] = chain.map((der) => new X509Certificate(der).publicKey);
    const good =
      numbers !== undefined &&
      leaf !== undefined &&
      ask !== undefined &&
      ark !== undefined &&
      parts.every((part, i) => pss(part, i === 0 ? ask : ark)) &&
      verify("sha384", signed, { key: leaf, dsaEncoding: "ieee-p1363" }, numbers);
    if (!good) throw new Error("the floor does not verify");
  };
}

export function inProcess(folder: string): Row[] {
  const files = guestFiles(folder);
  return [false, true].flatMap((withCrl) => {
    const best = callMinimums(
      {
        pm: verification(files, withCrl),
        first: verification(files, withCrl, true),
        floor: floor(files, withCrl),
      },
      rounds,
      calls,
    );
    const time = (name: string): number => best.get(name) ?? Number.NaN;
    const [ours, first, least] = [time("pm"), time("first"), time("floor")];
    const what = `SNP report with chain${withCrl ? " and revocation list" : ""}`;
    const ms = (value: number): string => `${value.toFixed(2)} ms`;
    return [
      {
        what: `${what} in process (${ms(ours)}) / its node:crypto calls (${ms(least)})`,
        ratio: ours / least,
        target: 1.3,
      },
      { what: `the same, first report of a process (${ms(first)})`, ratio: first / least },
    ];
  });
}
