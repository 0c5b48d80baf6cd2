/** Revocation lists from every place, good and bad, over the synthetic set. */
import { expect, it } from "vitest";
import type { Look, Response } from "../../../src/run.ts";
import {
  noReferences,
  type SnpInput,
  type SnpJudgement,
  type SnpTrust,
  testRoot,
  verifySnp,
} from "../../../src/verifiers/snp/index.ts";
import { describeEvidence, evidence } from "../../evidence.ts";
import { offline } from "./rows.ts";

const file = (name: string): Uint8Array => evidence(`snp/synthetic/${name}`);
const at = new Date("2026-03-01T00:00:00Z");

describeEvidence("snp.chain.revocation", () => {
  const roots = testRoot(file("ark.der"), "ark.der");
  const trust = (revocation: SnpTrust["revocation"] = "required"): SnpTrust => ({ roots, revocation });
  const vcek = { vek: file("vcek-good.der"), chain: file("ask.der") };
  const vlek = { vek: file("vlek-good.der"), chain: file("asvk.der") };
  const answer = (judgement: SnpJudgement): readonly [string, string | undefined] => {
    const { status, code } = judgement.answers["snp.chain.revocation"];
    return [status, code];
  };
  const judge = (
    given: NonNullable<SnpInput["given"]>,
    look: Look = offline,
    demand?: SnpTrust["revocation"],
    when = at,
  ) =>
    verifySnp(
      { bytes: file(given.vek === vlek.vek ? "vlek.bin" : "report-good.bin"), given },
      look,
      [noReferences],
      trust(demand),
      when,
    );
  const ok = (bytes: Uint8Array, offered?: Uint8Array): Response => ({
    status: "ok",
    bytes,
    at: "",
    ...(offered && { offered }),
  });
  const serves =
    (vcekCrl: Response, vlekCrl: Response = { status: "unavailable", reason: "down" }): Look =>
    ({ path }) =>
      path === "/vcek/v1/Genoa/crl"
        ? vcekCrl
        : path === "/vlek/v1/Genoa/crl"
          ? vlekCrl
          : { status: "unavailable", reason: "" };
  const down: Response = { status: "unavailable", reason: "down" };
  const [clean, revoked, expired, forged] = [
    "clean.crl.der",
    "revokes-ask.crl.der",
    "expired.crl.der",
    "signed-by-ask.crl.der",
  ].map(file) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

  it("passes with a current list, given or fetched", () => {
    expect(answer(judge({ ...vcek, crl: clean }))).toEqual(["pass", undefined]);
    expect(answer(judge(vcek, serves(ok(clean))))).toEqual(["pass", undefined]);
  });
  it("a list that could not be had is unavailable, a refused one an error, and only that is relaxed", () => {
    expect(answer(judge(vcek))).toEqual(["unavailable", "crl-unavailable"]);
    expect(answer(judge(vcek, serves({ status: "refused", reason: "404" })))).toEqual(["error", "crl-unavailable"]);
    expect(answer(judge(vcek, offline, "allow-unchecked"))).toEqual(["skip", "crl-unavailable"]);
    for (const crl of [revoked, expired, forged])
      expect(answer(judge({ ...vcek, crl }, offline, "allow-unchecked"))[0]).toBe("fail");
  });
  it("a list of any date, from any place, that names the ASK revokes it", () => {
    expect(answer(judge({ ...vcek, crl: clean }, serves(ok(revoked))))).toEqual(["fail", "revoked"]);
    expect(answer(judge({ ...vcek, crl: revoked }, serves(ok(clean))))).toEqual(["fail", "revoked"]);
    expect(answer(judge(vcek, serves(ok(clean, revoked))))).toEqual(["fail", "revoked"]);
    const later = new Date("2027-03-01T00:00:00Z");
    expect(answer(judge({ ...vcek, crl: revoked }, offline, "required", later))).toEqual(["fail", "revoked"]);
  });
  it("a bad list counts as absent where a good one is at hand, and is its own answer where none is", () => {
    for (const crl of [expired, forged, Uint8Array.of(1, 2, 3)])
      expect(answer(judge({ ...vcek, crl }, serves(ok(clean))))).toEqual(["pass", undefined]);
    expect(answer(judge({ ...vcek, crl: expired }))).toEqual(["fail", "crl-expired"]);
    expect(answer(judge({ ...vcek, crl: forged }))).toEqual(["fail", "crl-signature"]);
    expect(answer(judge(vcek, serves(ok(new TextEncoder().encode("<html>")))))).toEqual(["fail", "crl-signature"]);
  });
  it("the window is half open: a list counts until just before its nextUpdate", () => {
    const end = Date.parse("2026-12-01T00:00:00Z");
    expect(answer(judge({ ...vcek, crl: clean }, offline, "required", new Date(end - 1)))).toEqual(["pass", undefined]);
    expect(answer(judge({ ...vcek, crl: clean }, offline, "required", new Date(end)))).toEqual(["fail", "crl-expired"]);
    const early = new Date(Date.parse("2025-12-01T00:00:00Z") - 1);
    expect(answer(judge({ ...vcek, crl: clean }, offline, "required", early))).toEqual(["fail", "crl-expired"]);
  });
  it("a VLEK wants both lists of the service, or one that was given", () => {
    expect(answer(judge(vlek, serves(ok(clean), ok(clean))))).toEqual(["pass", undefined]);
    expect(answer(judge(vlek, serves(ok(clean), down)))).toEqual(["unavailable", "crl-unavailable"]);
    expect(answer(judge(vlek, serves(down, ok(clean))))).toEqual(["unavailable", "crl-unavailable"]);
    expect(answer(judge({ ...vlek, crl: clean }))).toEqual(["pass", undefined]);
    expect(answer(judge({ ...vlek, crl: file("revokes-asvk.crl.der") }))).toEqual(["fail", "revoked"]);
  });
  it("an entry for serial 0 is a finding", () => {
    const { answers } = judge({ ...vcek, crl: file("serial0.crl.der") });
    expect(answers["snp.chain.revocation"].status).toBe("pass");
    expect(answers["snp.chain.crl_entries"]).toMatchObject({
      status: "fail",
      code: "crl-serial-zero",
      grade: "unknown",
    });
    expect(judge({ ...vcek, crl: clean }).answers["snp.chain.crl_entries"].status).toBe("pass");
  });
  it("lists only authenticated ones for the high-water mark", () => {
    const { crls } = judge({ ...vcek, crl: forged }, serves(ok(clean)));
    expect(crls).toMatchObject([{ issuer: "ARK-Genoa", number: "7", thisUpdate: "2025-12-01T00:00:00Z" }]);
  });
});
