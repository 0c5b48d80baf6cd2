import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Sourced } from "../../../src/claims/answer.ts";
import { decodeCarried } from "../../../src/verifiers/kata/body.ts";
import { kata } from "../../../src/verifiers/kata/claims.ts";
import { factsOf } from "../../../src/verifiers/kata/facts.ts";
import { type PolicyJudgement, verifyPolicy } from "../../../src/verifiers/kata/verify.ts";
import { describeEvidence, evidence, evidenceJson } from "../../evidence.ts";
import { bytes, digestA, digestB, initdata, pinnedPolicy, policyText } from "./make.ts";

const pinned = (value: string): Sourced => ({
  value,
  origin: { kind: "pinned", file: "manifest.json", sha256: "00" },
  at: "/Policies",
});
const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");
const judge = (text: string): PolicyJudgement => verifyPolicy(bytes(text), pinned(sha256(text)));
/** Claims that did not pass, as id=status:code. */
const open = ({ answers }: PolicyJudgement): string[] =>
  Object.entries(answers)
    .filter(([, a]) => a.status !== "pass")
    .map(([id, a]) => `${id}=${a.status}:${a.code ?? ""}`);

describe("a policy body against its manifest key", () => {
  it("passes each claim, with both values shown", () => {
    const judgement = judge(initdata());
    expect(open(judgement)).toEqual([]);
    expect(Object.keys(judgement.answers)).toEqual(Object.keys(kata));
    for (const answer of Object.values(judgement.answers)) {
      expect(answer.expected?.value).toBeTruthy();
      expect(answer.actual?.value).toBeTruthy();
    }
  });

  it("is only consistent against a key of the audited party's manifest", () => {
    const key: Sourced = { value: sha256(initdata()), origin: { kind: "audited-party", name: "published manifest" } };
    expect(open(verifyPolicy(bytes(initdata()), key))).toEqual(["kata.initdata.digest=consistent:"]);
  });

  it.each([
    ["one byte more", `${initdata()}\n`, sha256(initdata())],
    ["a key in upper case", initdata(), sha256(initdata()).toUpperCase()],
    ["a key cut short", initdata(), sha256(initdata()).slice(0, 62)],
  ])("fails the digest with %s", (_, text, key) => {
    expect(open(verifyPolicy(bytes(text), pinned(key)))).toEqual(["kata.initdata.digest=fail:policy-digest"]);
  });

  it("never takes an empty key for a reference", () => {
    expect(open(verifyPolicy(bytes(initdata()), pinned("")))).toEqual(["kata.initdata.digest=error:"]);
  });

  it.each(["sha384", "sha512"])("fails the digest of a %s document, whatever the key is", (algorithm) => {
    const text = initdata({ "policy.rego": pinnedPolicy }, algorithm);
    const digest = createHash(algorithm).update(text).digest("hex");
    for (const key of [digest, digest.slice(0, 64), sha256(text)])
      expect(open(verifyPolicy(bytes(text), pinned(key)))).toEqual(["kata.initdata.digest=fail:policy-digest"]);
  });

  it("fails the format alone of a body that is neither form, and answers nothing else", () => {
    const judgement = judge("some content");
    expect(judgement.answers["kata.initdata.format"]).toMatchObject({ status: "fail", code: "initdata-malformed" });
    expect(open(judgement)).toHaveLength(Object.keys(kata).length);
    expect(Object.values(judgement.answers).filter((a) => a.status === "error")).toHaveLength(5);
    expect(judgement.evidence).toBeNull();
  });

  it("gives an error, not a failure, for another initdata version", () => {
    expect(judge(initdata().replace("0.1.0", "0.2.0")).answers["kata.initdata.format"].status).toBe("error");
  });

  it("fails the keys of a document with one that is not known", () => {
    const judgement = judge(initdata({ "policy.rego": pinnedPolicy, "Imagepuller.toml": "" }));
    expect(open(judgement)).toEqual(["kata.initdata.keys=fail:initdata-unknown-key"]);
    expect(judgement.answers["kata.initdata.keys"].reason).toContain("Imagepuller.toml");
  });

  it.each(["aa.toml", "cdh.toml", "imagepuller.toml"])("knows the key %s", (key) => {
    expect(open(judge(initdata({ "policy.rego": pinnedPolicy, [key]: "x" })))).toEqual([]);
  });

  it.each([
    ["no policy", initdata({ "imagepuller.toml": "" })],
    ["no data", "version = '0.1.0'\nalgorithm = 'sha256'\n"],
  ])("fails the keys of a document with %s", (_, text) => {
    expect(open(judge(text))).toEqual([
      "kata.initdata.keys=fail:initdata-policy-missing",
      "kata.policy.images=fail:images-unlisted",
    ]);
  });

  it.each(["true", "false", ""])("fails on the debug key whatever it says: %j", (value) => {
    expect(open(judge(initdata({ "policy.rego": pinnedPolicy, "contrast.insecure-debug": value })))).toEqual([
      "kata.initdata.debug=fail:initdata-debug",
    ]);
  });

  it.each([
    ["image-without-digest", policyText([{ name: "a", image: "registry.test/a:v1" }])],
    ["image-without-digest", policyText([{ name: "a" }])],
    // The guest's rules compare SHA-256 alone.
    ["image-without-digest", policyText([{ name: "a", image: `registry.test/a@sha512:${"a".repeat(128)}` }])],
    ["image-without-digest", policyText([{ name: "a", image: `registry.test/a@sha384:${"a".repeat(96)}` }])],
    ["image-references-differ", policyText([{ image: `a@${digestA}`, annotated: `a@${digestB}` }])],
    ["image-references-differ", policyText([{ image: `a@${digestA}`, annotated: "a:v1" }])],
    ["images-unlisted", "package agent_policy\n"],
    ["policy-data-unreadable", `policy_data := {}\n${pinnedPolicy}`],
  ])("finds %s", (code, policy) => {
    const judgement = judge(initdata({ "policy.rego": policy }));
    expect(open(judgement)).toEqual([`kata.policy.images=fail:${code}`]);
    expect(judgement.answers["kata.policy.images"].grade).toBe("weaker");
  });

  it("finds the older form and judges it by its own digest", () => {
    expect(open(judge(pinnedPolicy))).toEqual(["kata.policy.form=fail:policy-form-old"]);
  });

  it("lists keys and images as facts", () => {
    expect(judge(initdata()).evidence).toMatchObject({
      form: "initdata",
      algorithm: "sha256",
      digest: sha256(initdata()),
      keys: [{ key: "policy.rego", size: Buffer.byteLength(pinnedPolicy), sha256: sha256(pinnedPolicy) }],
      images: [{ container: "worker", digest: digestA }],
      imagesNote: null,
    });
  });
});

describe("host data", () => {
  it.each([
    ["sha256", 32],
    ["sha384", 48],
    ["sha512", 64],
  ])("of a %s document fits the field of either TEE", (algorithm) => {
    const facts = factsOf(decodeCarried(bytes(initdata({}, algorithm))).body);
    expect(facts.snpHostData).toBe(facts.digest.slice(0, 64));
    expect(facts.tdxMrConfigId).toBe(facts.digest.slice(0, 96).padEnd(96, "0"));
  });
});

describeEvidence("the evidence's initdata", () => {
  let expected: Readonly<Record<string, string>> = {};
  let toml = new Uint8Array();
  // Not in the body of the block: that runs where it is skipped too.
  beforeAll(() => {
    expected = evidenceJson("contrast/initdata-synthetic.expect.json");
    toml = new Uint8Array(evidence("contrast/initdata-synthetic.toml"));
  });

  it("has the digests that its expectation file lists", () => {
    const facts = factsOf(decodeCarried(toml).body);
    expect(facts).toMatchObject({
      digest: expected["toml_sha256"],
      snpHostData: expected["snp_host_data"],
      tdxMrConfigId: expected["tdx_mr_config_id"],
    });
    expect(facts.keys.find((k) => k.key === "policy.rego")?.sha256).toBe(expected["policy_sha256"]);
  });

  it("is the annotation's document byte for byte", () => {
    const { carrier, body } = decodeCarried(evidence("contrast/initdata-synthetic.annotation.txt"));
    expect(carrier).toBe("annotation");
    expect(body.raw).toEqual(toml);
  });

  it("pins the disk mounter's image", () => {
    const judgement = verifyPolicy(toml, pinned(expected["toml_sha256"] ?? ""));
    expect(open(judgement)).toEqual([]);
    expect(judgement.evidence).toMatchObject({
      images: [
        {
          container: "disk-mounter-gptoss-0",
          digest: "sha256:c732885dd2d50969fc763d31c9563ad8f07411813d4d53e00aa0567c400e783f",
        },
      ],
    });
  });

  it("refuses the agent's device sample, whose content is no document", () => {
    expect(() => decodeCarried(evidence("contrast/initdata-kata-agent.img"))).toThrow(/no valid TOML/);
  });

  it("passes what is owed for each body of an accepted exchange", () => {
    const { policies } = evidenceJson<{ policies: readonly string[] }>("contrast/snp-full/attest.json");
    expect(policies).toHaveLength(3);
    for (const policy of policies) {
      const body = new Uint8Array(Buffer.from(policy, "base64"));
      expect(open(verifyPolicy(body, pinned(sha256(body))))).toEqual(["kata.policy.images=fail:images-unlisted"]);
    }
  });
});
