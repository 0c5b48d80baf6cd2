import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { collateralJson } from "../../fixtures/generator/intel-collateral.ts";
import { pckCrlRequest, qeIdentityRequest, rootCrlRequest, tcbInfoRequest } from "../../src/dcap/requests.ts";
import type { Request, Response } from "../../src/run.ts";
import { loadCollateral } from "../../src/sources/collateral.ts";
import { liveSource, replaySource } from "../../src/sources/source.ts";
import { describeEvidence, evidence, evidencePath } from "../evidence.ts";
import { ask, collateral, collateralAt, fmspc, good, later, now, older, servePcs } from "./pcs-world.ts";
import { crlPath, hexOf, makeCrl, request, scratch } from "./world.ts";

const tcb = tcbInfoRequest("tdx", fmspc);
const qe = qeIdentityRequest("tdx");
const crl = pckCrlRequest("platform");
const all = [tcb, qe, crl, rootCrlRequest];
const json = collateralJson(collateral);
type Fields = Record<string, unknown>;
const edited = (change: (fields: Fields) => Fields, from = json): string =>
  JSON.stringify(change(JSON.parse(from) as Fields));

function folder(files: Record<string, Uint8Array | string>): string {
  const dir = scratch();
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), bytes);
  }
  return dir;
}
const one = (content: Uint8Array | string, name = "collateral.json"): string => join(folder({ [name]: content }), name);
const given = async (path: string, wanted: Request): Promise<Response | undefined> =>
  (await loadCollateral(path)).answer(wanted);
const brief = (response: Response | undefined) =>
  response?.status === "ok" ? { body: hexOf(response.bytes), chain: response.issuerChain } : response;
const answersOf = async (path: string, wanted: readonly Request[] = all) => {
  const loaded = await loadCollateral(path);
  return Promise.all(wanted.map(async (r) => brief(await loaded.answer(r))));
};
const expected = (of = collateral) => [
  { body: hexOf(of.tcbInfo.body), chain: of.tcbInfo.issuerChain },
  { body: hexOf(of.qeIdentity.body), chain: of.qeIdentity.issuerChain },
  { body: hexOf(of.pckCrl ?? new Uint8Array()), chain: of.pckCrlIssuerChain },
  { body: hexOf(of.rootCrl ?? new Uint8Array()), chain: undefined },
];
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");
const octets = (hex: unknown): number[] => [...Buffer.from(String(hex), "hex")];

/** Contrast's `{"Collateral": ...}`: Go's JSON of the answer of Intel's quote generation service. */
const goForm = {
  Collateral: {
    MajorVersion: 3,
    MinorVersion: 1,
    PCKCRLIssuerChain: base64(`${collateral.pckCrlIssuerChain}\0`),
    RootCACRL: base64(collateral.rootCrl ?? ""),
    PCKCRL: base64(collateral.pckCrl ?? ""),
    TCBInfoIssuerChain: base64(`${collateral.tcbInfo.issuerChain}\0`),
    TCBInfo: base64(collateral.tcbInfo.body),
    QEIdentityIssuerChain: base64(`${collateral.qeIdentity.issuerChain}\0`),
    QEIdentity: base64(Buffer.concat([collateral.qeIdentity.body, Buffer.of(0)])),
  },
};
/** Intel's struct as JSON: whole responses as text, CRLs as hex text. */
const structForm = {
  major_version: 3,
  minor_version: 0,
  tee_type: 129,
  pck_crl_issuer_chain: collateral.pckCrlIssuerChain,
  root_ca_crl: hexOf(collateral.rootCrl ?? new Uint8Array()),
  pck_crl: hexOf(collateral.pckCrl ?? new Uint8Array()),
  tcb_info_issuer_chain: encodeURIComponent(collateral.tcbInfo.issuerChain),
  tcb_info: Buffer.from(collateral.tcbInfo.body).toString(),
  qe_identity_issuer_chain: collateral.qeIdentity.issuerChain,
  qe_identity: Buffer.from(collateral.qeIdentity.body).toString(),
};
const rawFiles = (of = collateral, platform = of.fmspc): Record<string, Uint8Array | string> => ({
  [`tcb_info_${platform}.json`]: of.tcbInfo.body,
  [`tcb_info_${platform}_chain.txt`]: encodeURIComponent(of.tcbInfo.issuerChain),
  "qe_identity.json": of.qeIdentity.body,
  "qe_identity_chain.txt": encodeURIComponent(of.qeIdentity.issuerChain),
  "pck_crl_platform.crl": of.pckCrl ?? "",
  "pck_crl_platform_chain.txt": of.pckCrlIssuerChain,
  "root_ca.crl": of.rootCrl ?? "",
});

describe("collateral for one quote in one file", () => {
  test.each([
    ["QuoteCollateralV3", json],
    [
      "QuoteCollateralV3 with CRLs as lists of numbers",
      edited((f) => ({ ...f, root_ca_crl: octets(f["root_ca_crl"]), pck_crl: octets(f["pck_crl"]) })),
    ],
    ["CRLs in base64", edited((f) => ({ ...f, pck_crl: base64(Buffer.from(String(f["pck_crl"]), "hex")) }))],
    ["Contrast's form", JSON.stringify(goForm)],
    ["Intel's struct", JSON.stringify(structForm)],
    ["QuoteCollateralV3 in a wrapper", JSON.stringify({ Collateral: JSON.parse(json) as Fields })],
  ])("%s answers every question with the exact bytes", async (_, text) => {
    expect(await answersOf(one(text))).toEqual(expected());
    expect(await answersOf(dirname(one(text)))).toEqual(expected());
  });
  test("the signed text is put back as it is, whatever its spaces", async () => {
    const spaced = edited((f) => ({ ...f, tcb_info: String(f["tcb_info"]).replace("{", "{ ") }));
    const got = await given(one(spaced), tcb);
    const { signature } = JSON.parse(Buffer.from(collateral.tcbInfo.body).toString()) as { signature: string };
    expect(got?.status === "ok" && Buffer.from(got.bytes).toString()).toBe(
      `{"tcbInfo":${collateral.tcbInfo.raw.replace("{", "{ ")},"signature":"${signature}"}`,
    );
  });
  test.each([
    ["TCB info of another platform", tcbInfoRequest("tdx", "00a06d080000"), 0],
    ["TCB info of another TEE", tcbInfoRequest("sgx", fmspc), 0],
    ["QE identity of another TEE", qeIdentityRequest("sgx"), 1],
    ["the CRL of the other CA", pckCrlRequest("processor"), 2],
    ["TCB info under a selection", tcbInfoRequest("tdx", fmspc, { update: "early" }), 0],
  ] as const)(
    "%s is answered all the same: that it does not fit is for the verifier to say",
    async (_, wanted, index) => {
      expect(await answersOf(one(json), [wanted])).toEqual([expected()[index]]);
    },
  );
  test.each([
    ["a zero byte as CRL", { pck_crl: "00" }, crl, "00"],
    ["text as CRL", { pck_crl: "no crl at all" }, crl, hexOf(Buffer.from("no crl at all"))],
    [
      "the CRL of another CA",
      { pck_crl: hexOf(collateral.rootCrl ?? new Uint8Array()) },
      crl,
      hexOf(collateral.rootCrl ?? new Uint8Array()),
    ],
    ["a list of anything", { root_ca_crl: [1, 256] }, rootCrlRequest, hexOf(Buffer.from("not a list of bytes"))],
    ["TCB info that is no JSON", { tcb_info: "{" }, tcb, undefined],
    ["no signature", { tcb_info_signature: null }, tcb, undefined],
  ] as const)("%s comes to be judged", async (_, change, wanted, bytes) => {
    const got = await given(one(edited((f) => ({ ...f, ...change }))), wanted);
    expect(got).toMatchObject({ status: "ok", given: true });
    if (bytes !== undefined) expect(brief(got)).toMatchObject({ body: bytes });
  });
  test.each([null, "", undefined, []])("a CRL that is %j is missing, and nothing stands in for it", async (value) => {
    const path = one(edited(({ pck_crl: _, ...f }) => (value === undefined ? f : { ...f, pck_crl: value })));
    expect(await given(path, crl)).toBeUndefined();
    expect(await given(path, tcb)).toMatchObject({ status: "ok" });
  });
  test("an issuer chain is handed on as it is, or not at all", async () => {
    const path = one(
      edited((f) => ({ ...f, tcb_info_issuer_chain: "-----BEGIN nonsense", qe_identity_issuer_chain: null })),
    );
    expect(await given(path, tcb)).toMatchObject({ issuerChain: "-----BEGIN nonsense" });
    expect(await given(path, qe)).not.toHaveProperty("issuerChain");
  });
  test.each([
    ["a member twice", json.replace("{", '{"tcb_info":"{}",'), /twice/],
    ["a member in two spellings", json.replace("{", '{"TcbInfo":"{}",'), /twice/],
    ["a chain with a broken URL encoding", edited((f) => ({ ...f, tcb_info_issuer_chain: "%zz" })), /URL encoding/],
    ["a chain without end", edited((f) => ({ ...f, tcb_info_issuer_chain: "-".repeat(70_000) })), /65536/],
    ["JSON of something else", '{"tcb_info": {"a": 1}, "pck_crl": 3}', /neither/],
    ["a list", "[1,2,3]", /neither/],
    ["half a file", json.slice(0, -20), /neither/],
  ])("%s is a usage error that names the file", async (_, text, message) => {
    const path = one(text);
    await expect(loadCollateral(path)).rejects.toMatchObject({
      code: "PM_USAGE",
      message: expect.stringMatching(message),
    });
    await expect(loadCollateral(path)).rejects.toMatchObject({ message: expect.stringContaining(path) });
  });
});

describe("responses as the service serves them", () => {
  test("a folder of files with their chains beside them", async () => {
    expect(await answersOf(folder({ ...rawFiles(), "README.txt": "ours" }))).toEqual(expected());
  });
  test("several platforms in one folder, in either case of the FMSPC", async () => {
    const other = collateral.tcbInfo.body.slice();
    const text = Buffer.from(other).toString().replace(fmspc, "00A06D080000");
    const dir = folder({ ...rawFiles(), "other.json": text, "other_chain.pem": "chain" });
    expect(await answersOf(dir, [tcb, tcbInfoRequest("tdx", "00a06d080000")])).toEqual([
      expected()[0],
      { body: hexOf(Buffer.from(text)), chain: "chain" },
    ]);
    expect(await answersOf(dir, [tcbInfoRequest("tdx", "ffffffffffff"), tcbInfoRequest("sgx", fmspc)])).toEqual([
      undefined,
      undefined,
    ]);
  });
  test.each([
    ["PEM", `-----BEGIN X509 CRL-----\n${base64(collateral.pckCrl ?? "")}\n-----END X509 CRL-----\n`],
    ["hex", `${hexOf(collateral.pckCrl ?? new Uint8Array())}\n`],
  ])("a CRL as %s", async (_, text) => {
    expect(await answersOf(folder({ "pck.crl": text }), [crl])).toEqual([
      { body: hexOf(Buffer.from(text)), chain: undefined },
    ]);
  });
  test("a file that is damaged under a name that says what it is comes to be judged", async () => {
    const dir = folder({
      ...rawFiles(),
      "pck_crl_platform.crl": "junk",
      [`tcb_info_${fmspc}.json`]: "{",
      "root_ca.crl": "",
    });
    expect(await answersOf(dir)).toMatchObject([
      { body: "7b", chain: collateral.tcbInfo.issuerChain },
      expected()[1],
      { body: hexOf(Buffer.from("junk")) },
      { body: "" },
    ]);
  });
  test("one file alone answers its kind", async () => {
    const dir = folder(rawFiles());
    const path = join(dir, `tcb_info_${fmspc}.json`);
    expect(await answersOf(path, [tcb, tcbInfoRequest("tdx", "ffffffffffff"), qe])).toEqual([
      expected()[0],
      expected()[0],
      undefined,
    ]);
  });
  test("of two for one question the newer answers, in whatever form it comes", async () => {
    const before = { "older.json": collateralJson(older), "aa.json": collateralJson(older) };
    expect(await answersOf(folder({ ...before, ...rawFiles() }))).toEqual(expected());
    expect(await answersOf(folder({ ...before, "newer.json": json }))).toEqual(expected());
    expect(await answersOf(folder({ ...before, "older_crl.crl": older.pckCrl ?? "" }))).toEqual(expected(older));
  });
  test("of two the higher TCB evaluation data number answers", async () => {
    const [seventeen, eighteen] = [collateralAt(now, "tdx", 17), collateralAt(now, "tdx", 18)];
    const dir = folder({ "a.json": seventeen.tcbInfo.body, "b.json": eighteen.tcbInfo.body });
    expect(await answersOf(dir, [tcb])).toMatchObject([{ body: hexOf(eighteen.tcbInfo.body) }]);
  });
  test.each([
    [
      "documents of one date that differ",
      Buffer.from(collateral.tcbInfo.body).toString().replace('"signature"', ' "signature"'),
      /neither is the newer/,
    ],
    ["one document with two chains", collateral.tcbInfo.body, /different issuer chains/],
  ])("%s are a usage error that names both", async (_, body, message) => {
    const dir = folder({ ...rawFiles(), "second.json": body, "second_chain.txt": "-----BEGIN CERTIFICATE-----" });
    await expect(loadCollateral(dir)).rejects.toMatchObject({
      code: "PM_USAGE",
      message: expect.stringMatching(message),
    });
    await expect(loadCollateral(dir)).rejects.toMatchObject({ message: expect.stringContaining("second.json") });
  });
  test("pm's own cache is a folder of collateral", async () => {
    const [dir, pcs] = [scratch(), await servePcs(good())];
    for (const wanted of all) await ask(wanted, { pcsUrl: pcs.url, cacheDir: dir });
    const [cache = ""] = readdirSync(join(dir, "pcs"));
    const copy = folder({});
    mkdirSync(join(copy, "pcs"));
    for (const name of readdirSync(join(dir, "pcs", cache)))
      copyFileSync(join(dir, "pcs", cache, name), join(copy, "pcs", name));
    const got = await answersOf(copy);
    expect(got.slice(0, 3)).toEqual(expected().slice(0, 3));
    expect(got[3]).toMatchObject({ body: hexOf(Buffer.from(hexOf(collateral.rootCrl ?? new Uint8Array()))) });
  });
});

describe("beside everything else", () => {
  test("it answers before the service, offline and before a bundle; the rest is asked", async () => {
    const pcs = await servePcs(good(collateralAt(later(1))));
    const loaded = await loadCollateral(one(edited(({ pck_crl: _, ...f }) => f)));
    const live = liveSource({ pcsUrl: pcs.url, collateral: loaded, now: () => now });
    for (const source of [
      live,
      liveSource({ offline: true, collateral: loaded }),
      replaySource({ exchanges: [] }, loaded),
    ])
      expect(brief(await source.fetch(tcb))).toEqual(expected()[0]);
    expect(await live.fetch(crl)).toMatchObject({ status: "ok" });
    expect(pcs.asked.map((a) => a.path)).toEqual([crl.path]);
    expect(await liveSource({ offline: true, collateral: loaded }).fetch(crl)).toMatchObject({ status: "unavailable" });
  });
  test("AMD's files lie in the same folder", async () => {
    const amd = makeCrl("2026-06-01T00:00:00Z", 5);
    const loaded = await loadCollateral(folder({ ...rawFiles(), "crl.der": amd }));
    expect(brief(await loaded.answer(request("amd-kds", crlPath)))).toMatchObject({ body: hexOf(amd) });
    expect(brief(await loaded.answer(tcb))).toEqual(expected()[0]);
    expect(await loaded.answer(request("memory", "/high-water/x"))).toBeUndefined();
  });
  test("what is larger than the request allows is refused, not cut", async () => {
    expect(await given(one(json), { ...tcb, maxBytes: 10 })).toMatchObject({ status: "refused" });
  });
  test("a path that is none of the service's is not answered", async () => {
    expect(await given(one(json), request("intel-pcs", "/tdx/certification/v4/tcb"))).toBeUndefined();
  });
});

interface V3 {
  readonly [name: string]: string;
}
describeEvidence("real collateral", () => {
  const sets = readdirSync(evidencePath("tdx/sets")).sort();
  test.each(sets)("%s", async (set) => {
    const path = `tdx/sets/${set}`;
    const fields = JSON.parse(Buffer.from(evidence(`${path}/collateral.json`)).toString()) as V3;
    const inner = JSON.parse(fields["tcb_info"] ?? "") as { id: string; fmspc: string };
    const tee = inner.id === "TDX" ? "tdx" : "sgx";
    const ca = set.includes("processorca") ? "processor" : "platform";
    const wanted = [tcbInfoRequest(tee, inner.fmspc), qeIdentityRequest(tee), pckCrlRequest(ca), rootCrlRequest];
    const text = (s: string) => hexOf(Buffer.from(s));
    const want = [
      {
        body: text(`{"tcbInfo":${fields["tcb_info"]},"signature":"${fields["tcb_info_signature"]}"}`),
        chain: fields["tcb_info_issuer_chain"],
      },
      {
        body: text(`{"enclaveIdentity":${fields["qe_identity"]},"signature":"${fields["qe_identity_signature"]}"}`),
        chain: fields["qe_identity_issuer_chain"],
      },
      { body: fields["pck_crl"], chain: fields["pck_crl_issuer_chain"] },
      { body: fields["root_ca_crl"], chain: undefined },
    ];
    expect(await answersOf(evidencePath(`${path}/collateral.json`), wanted)).toEqual(want);
    // The folder holds the quote and a description, too.
    expect(await answersOf(evidencePath(path), wanted)).toEqual(want);
  });
  test("responses of Intel's service", async () => {
    const file = (name: string) => ({
      body: hexOf(evidence(`tdx/pcs-raw/${name}`)),
      chain: undefined as string | undefined,
    });
    const withChain = (name: string) => ({
      ...file(name),
      chain: decodeURIComponent(
        readFileSync(evidencePath(`tdx/pcs-raw/${basename(name).replace(/\..*/, "")}_chain.txt`), "utf8").trim(),
      ),
    });
    const wanted = [
      tcbInfoRequest("tdx", "00a06d080000"),
      tcbInfoRequest("tdx", "90c06f000000"),
      qeIdentityRequest("tdx"),
      pckCrlRequest("platform"),
      pckCrlRequest("processor"),
      rootCrlRequest,
      qeIdentityRequest("sgx"),
    ];
    expect(await answersOf(evidencePath("tdx/pcs-raw"), wanted)).toEqual([
      withChain("tcb_info_00a06d080000.json"),
      withChain("tcb_info_90c06f000000.json"),
      withChain("qe_identity.json"),
      withChain("pck_crl_platform.crl"),
      withChain("pck_crl_processor.crl"),
      file("root_ca.crl"),
      undefined,
    ]);
  });
  test("of all sets in one folder the newest documents answer", async () => {
    const dir = scratch();
    for (const set of sets) copyFileSync(evidencePath(`tdx/sets/${set}/collateral.json`), join(dir, `${set}.json`));
    const loaded = await loadCollateral(dir);
    for (const platform of ["90c06f000000", "b0c06f000000", "00806f050000", "50806f000000"])
      expect(await loaded.answer(tcbInfoRequest("tdx", platform))).toMatchObject({ status: "ok" });
    const newest = evidence("tdx/sets/v5-unsupported-90c0/collateral.json");
    const fields = JSON.parse(Buffer.from(newest).toString()) as V3;
    expect(brief(await loaded.answer(pckCrlRequest("platform")))).toMatchObject({ body: fields["pck_crl"] });
  });
  test.each(readdirSync(evidencePath("contrast/tdx-full")).filter((n) => n.startsWith("collateral")))(
    "%s",
    async (name) => {
      const got = await answersOf(evidencePath(`contrast/tdx-full/${name}`));
      for (const answer of got) expect(answer).toHaveProperty("body");
    },
  );
});
