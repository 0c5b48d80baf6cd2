/** Ways to have a Coordinator on TDX verified that is none: what is not signed, documents of something else, demands that are gone. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningServer } from "../../demo/server.ts";
import { insecureDocument, reportData } from "../../fixtures/generator/contrast.ts";
import { collateralJson } from "../../fixtures/generator/intel-collateral.ts";
import type { TdxAnswerDraft, TdxTamper } from "../../fixtures/generator/intel-deployment.ts";
import { evaluationNumber } from "../../fixtures/generator/intel-documents.ts";
import { header, type IntelEdit, platform, tcbInfo, td } from "../../fixtures/generator/intel-edits.ts";
import { intelDraft, makeIntelEvidence } from "../../fixtures/generator/intel-evidence.ts";
import { pcsResponse } from "../../fixtures/generator/intel-pcs.ts";
import { makeIntelAuthority } from "../../fixtures/generator/intel-pki.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import type { Question } from "../../src/claims/question.ts";
import { judge } from "../../src/claims/subject.ts";
import { intelTestRoot } from "../../src/dcap/root.ts";
import type { Request, Response } from "../../src/run.ts";
import { noReferences, pinnedBy, tdx, verifyTdx } from "../../src/verifiers/tdx/index.ts";
import {
  failedClaims,
  type Judged,
  openClaims,
  startTdxWorld,
  stopTdxWorlds,
  type TdxWorld,
  tdxNow,
  withValues,
} from "../commands/tdx-world.ts";

let world: TdxWorld;
beforeAll(async () => {
  world = await startTdxWorld();
}, 60_000);
afterAll(stopTdxWorlds);

type Hooks = RunningServer["hooks"];
async function under(hooks: Hooks, ...args: Parameters<TdxWorld["verify"]>): Promise<Judged> {
  Object.assign(world.server.hooks, hooks);
  try {
    return await world.verify(...args);
  } finally {
    for (const name of Object.keys(hooks)) delete world.server.hooks[name as keyof Hooks];
  }
}
const edited =
  (edit: IntelEdit): TdxTamper =>
  (draft) => ({ ...draft, evidence: edit(draft.evidence) });
const pcsWith = (edit: IntelEdit) => world.deployment.pcs(edited(edit));
/** The same answer, with members of its JSON exchanged. */
const answering =
  (change: (body: Record<string, unknown>) => Record<string, unknown>): NonNullable<Hooks["answer"]> =>
  (request, answer) => {
    if (request.service !== "coordinator") return undefined;
    const body = change(JSON.parse(Buffer.from(answer.body).toString("utf8")) as Record<string, unknown>);
    return { ...answer, body: new Uint8Array(Buffer.from(JSON.stringify(body))) };
  };
const v1 = () => ({
  change: (p: Readonly<Record<string, unknown>>) => ({ ...p, coordinator: { url: world.server.url, api: "v1" } }),
});

describe("another document than a quote in Contrast's protobuf", () => {
  const documents: Readonly<Record<string, (draft: TdxAnswerDraft) => NonNullable<TdxAnswerDraft["document"]>>> = {
    "the raw quote": () => (evidence) => evidence.raw,
    "an insecure document": () => () => insecureDocument(new Uint8Array(64), world.deployment.coordinator.hash),
    "an SNP document in front of it": () => (evidence) =>
      new Uint8Array(Buffer.concat([snpDocument(), evidence.quote])),
    "an SNP document behind it": () => (evidence) => new Uint8Array(Buffer.concat([evidence.quote, snpDocument()])),
    nothing: () => () => new Uint8Array(0),
  };
  it.each(Object.entries(documents))("%s", async (_name, document) => {
    const ran = await under({ tdx: (draft) => ({ ...draft, document: document(draft) }) });
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["contrast.document.type document-type"]]);
  });
  it.each<readonly [string, IntelEdit]>([
    ["version 3 in the header", header({ version: 3 })],
    ["attestation key type 3", header({ attestationKeyType: 3 })],
    ["TEE type 0", header({ teeType: 0 })],
  ])("%s", async (_name, edit) => {
    const ran = await under({ tdx: edited(edit) });
    expect(ran.status === 1 || ran.status === 3, `status ${ran.status}`).toBe(true);
    expect(openClaims(ran)).toContain("contrast.nonce.bound");
  });
  it("a message that says version 5", async () => {
    // The message begins with the header, and the header with its version.
    const document = ({ quote }: { readonly quote: Uint8Array }) => quote.map((byte, i) => (i === 3 ? 5 : byte));
    const ran = await under({ tdx: (draft) => ({ ...draft, document }) });
    expect(ran.status).toBe(1);
    expect(failedClaims(ran)).toContain("tdx.quote.format QUOTE_MALFORMED");
    expect(openClaims(ran)).toContain("contrast.nonce.bound");
  });
  it("the form v1 names the other TEE", async () => {
    const good = await under({}, v1());
    expect(good.status).toBe(0);
    const answer = answering((body) => ({ ...body, attestation_type: [1, 3, 9901, 2, 1] }));
    const ran = await under({ answer: onlyAttest(answer) }, v1());
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["contrast.document.type document-type"]]);
  });
  it("an SNP document that the form v1 calls TDX", async () => {
    const document = Buffer.from(snpDocument()).toString("base64");
    const answer = answering((body) => ({ ...body, raw_attestation_doc: document }));
    const ran = await under({ answer: onlyAttest(answer) }, v1());
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["contrast.document.type document-type"]]);
  });
});

const onlyAttest =
  (answer: NonNullable<Hooks["answer"]>): NonNullable<Hooks["answer"]> =>
  (request, usual) =>
    request.path.endsWith("/attest") ? answer(request, usual) : undefined;

function snpDocument(): Uint8Array {
  const body = sharedDeployment(tdxNow).respond(new Uint8Array(32));
  const { raw_attestation_doc: text } = JSON.parse(Buffer.from(body).toString("utf8")) as Record<string, string>;
  return new Uint8Array(Buffer.from(text ?? "", "base64"));
}

describe("bytes that no signature covers", () => {
  const extraBytes = () =>
    new Uint8Array(Buffer.from(`{"Collateral":${JSON.stringify(collateralJson(goodCollateral()))}}`));
  const attached: TdxTamper = (draft) => ({
    ...draft,
    evidence: { ...draft.evidence, protobuf: { extraBytes: extraBytes() } },
  });
  it("collateral that the Coordinator attaches stands in for no document of Intel's", async () => {
    const ran = await under({ tdx: attached, answer: (r) => (r.service === "pcs" ? null : undefined) });
    expect([ran.status, failedClaims(ran)]).toEqual([4, []]);
  });
  it("it is told, and changes nothing", async () => {
    const ran = await under({ tdx: attached });
    expect([ran.status, openClaims(ran)]).toEqual([0, []]);
    expect(ran.claim("tdx.quote.trailing").code).toBe("TRAILING_DATA");
  });
  it("REPORTDATA has 64 bytes, all of them compared", async () => {
    const tail: TdxTamper = (draft) => ({
      ...draft,
      reportData: reportData(draft.attested).map((byte, i) => (i === 63 ? 1 : byte)),
    });
    const ran = await under({ tdx: tail });
    expect([ran.status, failedClaims(ran)]).toEqual([
      1,
      ["contrast.nonce.bound history-hidden", "tdx.td.report_data REPORT_DATA_MISMATCH"],
    ]);
  });
});

const goodCollateral = () => orThrow(world.deployment.pcs().collateral[0]);
function orThrow<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a collateral without a member");
  return value;
}

const isOwed = ({ owed }: Question, pinned: boolean): boolean => owed === "always" || (owed === "pinned" && pinned);

describe("the protobuf itself", () => {
  it("no byte of it can be changed: one bit of each, in turn", () => {
    const { evidence } = world.deployment;
    const { quote, collateral, root } = makeIntelEvidence(evidence);
    const answers = new Map<string, Response>();
    const look = ({ path }: Request): Response => {
      const known = answers.get(path) ?? pcsResponse({ collateral: [collateral] }, path, tdxNow);
      answers.set(path, known);
      return known;
    };
    const said = (bytes: Uint8Array) => ({
      value: Buffer.from(bytes).toString("hex"),
      origin: { kind: "flag", name: "test" } as const,
    });
    const { mrTd, mrConfigId, reportData: data } = evidence.td;
    const want = { ...noReferences, mrTd: said(mrTd), mrConfigId: said(mrConfigId), reportData: said(data) };
    const trust = { root: intelTestRoot(root, "root"), collateral: "required" } as const;
    const pinned = pinnedBy(want);
    const accepted = (bytes: Uint8Array): boolean => {
      const { answers: given } = verifyTdx({ bytes, form: "protobuf" }, look, [want], trust, tdxNow);
      const { claims } = judge({ name: "quote", catalogue: tdx, pinned }, given);
      const owed = new Set(Object.entries<Question>(tdx).flatMap(([id, q]) => (isOwed(q, pinned.has(id)) ? [id] : [])));
      return claims.every((c) => !owed.has(c.id) || c.status === "pass");
    };
    expect(accepted(quote)).toBe(true);
    const changed = [...quote.keys()].filter((i) => accepted(quote.map((b, j) => (i === j ? b ^ (1 << (i % 5)) : b))));
    // The byte after the PCK chain's text is an end of text: a blank does as well as NUL.
    expect(changed.filter((i) => i !== quote.length - 1)).toEqual([]);
  }, 60_000);
});

describe("documents of something else", () => {
  const sgx = () => {
    const draft = intelDraft(world.deployment.random, tdxNow, { tee: "sgx", ca: "platform" });
    const { authority, pck } = world.deployment.evidence;
    return makeIntelEvidence({ ...draft, authority, pck }).collateral;
  };
  it("the identity of the SGX quoting enclave", async () => {
    const pcs = { collateral: [{ ...goodCollateral(), qeIdentity: sgx().qeIdentity }] };
    const ran = await under({ pcs });
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["tdx.qe.identity QE_IDENTITY_MISMATCH"]]);
  });
  it("TCB info of SGX for the same platform", async () => {
    const pcs = { collateral: [{ ...goodCollateral(), tcbInfo: sgx().tcbInfo }] };
    const ran = await under({ pcs });
    expect(ran.status).toBe(1);
    expect(failedClaims(ran)).toContain("tdx.tcb_info.platform TCB_INFO_MISMATCH");
  });
  it("TCB info of another family of processors", async () => {
    const other = pcsWith(tcbInfo((t) => ({ ...t, fmspc: "00806F050000" })));
    const ran = await under({ pcs: other });
    expect(ran.status).toBe(1);
    expect(failedClaims(ran)).toContain("tdx.tcb_info.platform TCB_INFO_MISMATCH");
  });
  it("documents and lists of somebody else under Intel's names", async () => {
    const pcs = pcsWith((d) => ({ ...d, authority: makeIntelAuthority("nobody's root", tdxNow) }));
    const ran = await under({ pcs });
    expect(failedClaims(ran)).toEqual(
      expect.arrayContaining([
        "tdx.root_crl.current ROOT_CRL_INVALID",
        "tdx.pck_crl.current PCK_CRL_INVALID",
        "tdx.tcb_info.chain TCB_INFO_CHAIN_INVALID",
        "tdx.qe_identity.chain QE_IDENTITY_CHAIN_INVALID",
      ]),
    );
  });
  it("answers without their issuer chains", async () => {
    const ran = await under({ answer: (r, a) => (r.service === "pcs" ? { ...a, headers: {} } : undefined) });
    expect([0, 4]).not.toContain(ran.status);
    expect(openClaims(ran)).toContain("tdx.tcb_info.format");
  });
  it("a page in place of each document", async () => {
    const page = { status: 200, headers: {}, body: new Uint8Array(Buffer.from("<html></html>")) };
    const ran = await under({ answer: (r) => (r.service === "pcs" ? page : undefined) });
    expect(ran.status).toBe(3);
  });
});

describe("a platform that does not say what is demanded of it", () => {
  it("states no platform instance id", async () => {
    const ran = await under({
      tdx: edited((d) => {
        const { piid: _piid, ...sgx } = d.pck.sgx;
        return { ...d, pck: { ...d.pck, sgx } };
      }),
    });
    expect(ran.status).toBe(1);
    expect(failedClaims(ran)).toContain("tdx.pck.piid PIID_NOT_ALLOWED");
  });
  it("states no configuration", async () => {
    const ran = await under({
      tdx: edited((d) => {
        const { configuration: _configuration, ...sgx } = d.pck.sgx;
        return { ...d, pck: { ...d.pck, sgx } };
      }),
    });
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["tdx.pck.options PCK_OPTIONS_MISMATCH"]]);
  });
  it("is dynamic, though everything else fits", async () => {
    const configuration = { dynamicPlatform: true, cachedKeys: true, smtEnabled: false };
    const ran = await under({ tdx: edited(platform({ configuration })) });
    expect(failedClaims(ran)).toEqual(["tdx.pck.options PCK_OPTIONS_MISMATCH"]);
  });
  it("lets the TD be moved", async () => {
    const migratable = new Uint8Array(Buffer.from("0000003000000000", "hex"));
    const ran = await under({ tdx: edited(td({ tdAttributes: migratable })) });
    expect(failedClaims(ran)).toEqual(["tdx.td.service SERVICE_TD_BOUND", "tdx.td.attributes TD_ATTRIBUTES_MISMATCH"]);
  });
});

describe("demands that could be got round", () => {
  it("a measurement of SNP's vouches for no TD, not even with MRTD's digits", async () => {
    const mrTd = world.deployment.reference.MrTd;
    const ran = await world.verify({ reference: "pinned", change: withValues({ tdx: undefined }) }, [
      ...["--measurement", mrTd],
    ]);
    expect([ran.status, openClaims(ran)]).toEqual([3, ["chain.reference.measurement_known"]]);
  });
  it("an empty list of TDX values is no reference value", async () => {
    const ran = await world.verify({ reference: "pinned", change: withValues({ tdx: [] }) });
    expect([ran.status, openClaims(ran)]).toEqual([3, ["chain.reference.measurement_known"]]);
  });
  it("documents of different numbers count by the lower one", async () => {
    const change = withValues({ minTcbEvaluationDataNumber: evaluationNumber });
    for (const edit of [numbered(1, 0), numbered(0, 1)]) {
      const ran = await under({ pcs: pcsWith(edit) }, { reference: "pinned", change });
      expect(failedClaims(ran)).toEqual([
        "chain.reference.tcb_floor tcb-below-profile",
        "tdx.tcb.evaluation TCB_EVALUATION_TOO_LOW",
      ]);
    }
  });
});

/** TCB info and QE identity this far below the good number. */
const numbered =
  (below: number, belowQe: number): IntelEdit =>
  (d) => ({
    ...d,
    tcbInfo: {
      ...d.tcbInfo,
      value: { ...d.tcbInfo.value, tcbEvaluationDataNumber: evaluationNumber - below },
    },
    qeIdentity: {
      ...d.qeIdentity,
      value: { ...d.qeIdentity.value, tcbEvaluationDataNumber: evaluationNumber - belowQe },
    },
  });

describe("a service that offers what is older than this installation holds", () => {
  const offered = async (name: string, edit: IntelEdit): Promise<Judged> => {
    const [home, pinned] = [`offered ${name}`, { reference: "pinned" } as const];
    expect((await world.verify(pinned, [], home)).status).toBe(0);
    age(join(world.homeOf(home), "cache", "pm", "collateral", "other"), 30);
    return under({ pcs: pcsWith(edit) }, pinned, [], home);
  };
  it("a revocation list: both count, and the offer is named", async () => {
    const ran = await offered("list", (d) => ({ ...d, pckCrl: { thisUpdate: -5 } }));
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["chain.collateral.not_rolled_back crl-rollback"]]);
  });
  it.each<readonly [string, IntelEdit]>([
    ["TCB info", numbered(1, 0)],
    ["QE identity", numbered(0, 1)],
  ])("%s: the newer one is judged by, and the offer is named", async (name, edit) => {
    const ran = await offered(name, edit);
    expect([ran.status, failedClaims(ran)]).toEqual([1, ["chain.collateral.not_rolled_back crl-rollback"]]);
    expect(ran.claim("tdx.tcb.evaluation").actual?.value).toContain(`${evaluationNumber}`);
  });
});

/** The cached answers of Intel's service are this many hours older, so that the service is asked again. */
function age(folder: string, hours: number): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (!name.includes("pcs") || !name.endsWith(".json")) continue;
    const answer = JSON.parse(readFileSync(path, "utf8")) as { at: string };
    const at = new Date(Date.parse(answer.at) - hours * 3_600_000).toISOString();
    writeFileSync(path, `${JSON.stringify({ ...answer, at }, null, 2)}\n`);
  }
}
