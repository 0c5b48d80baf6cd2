import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeAgentPolicy } from "../../../src/verifiers/kata/policy.ts";
import { digestA, digestB, pinnedPolicy, policyText } from "./make.ts";

const imagesOf = (text: string) => decodeAgentPolicy(text).images;
const reference = (digest: string): string => `registry.test/worker:v1@${digest}`;

describe("the images of an agent policy", () => {
  it("are listed with their digests, the sandbox apart", () => {
    expect(imagesOf(pinnedPolicy)).toEqual({
      kind: "listed",
      images: [{ container: "worker", image: reference(digestA), digest: digestA, others: [], at: "/containers/1" }],
    });
  });

  it.each([
    ["the member image", { image: reference(digestA) }],
    ["the annotation", { annotated: reference(digestA) }],
    ["the storage that the guest pulls", { pulled: reference(digestA) }],
  ])("are read from %s", (_, container) => {
    expect(imagesOf(policyText([container]))).toMatchObject({
      images: [{ digest: digestA, container: "/containers/0" }],
    });
  });

  it("show a container whose references name different digests", () => {
    expect(imagesOf(policyText([{ image: reference(digestA), annotated: reference(digestB) }]))).toMatchObject({
      images: [{ digest: digestA, others: [reference(digestB)] }],
    });
    expect(imagesOf(policyText([{ image: reference(digestA), pulled: "registry.test/worker:v1" }]))).toMatchObject({
      images: [{ others: ["registry.test/worker:v1"] }],
    });
  });

  it.each([
    "registry.test/worker:v1",
    `worker@sha256:${"A".repeat(64)}`,
    `worker@sha256:${"a".repeat(63)}`,
    `${reference(digestA)} `,
  ])("have no digest in %j", (image) => {
    expect(imagesOf(policyText([{ image }]))).toMatchObject({ images: [{ image, digest: undefined }] });
  });

  it("keep a container that names no image", () => {
    expect(imagesOf(policyText([{ name: "worker" }]))).toMatchObject({
      images: [{ image: undefined, digest: undefined }],
    });
  });

  it.each([
    ["no policy_data", "package agent_policy\n"],
    ["no container", policyText([])],
    ["the sandbox only", policyText([{ sandbox: true }])],
    ["policy_data in a comment only", "package agent_policy\n# policy_data := {}\n"],
  ])("are none with %s", (_, text) => {
    expect(imagesOf(text).kind).toBe("none");
  });

  it.each([
    ["two definitions", `policy_data := {}\n${pinnedPolicy}`],
    ["an indented second definition", `  policy_data = {}\n${pinnedPolicy}`],
    ["a default", `default policy_data := {}\n${pinnedPolicy}`],
    ["another spelling", pinnedPolicy.replace("policy_data := ", "policy_data = ")],
    ["rules after the data", `${pinnedPolicy}\nallow := true\n`],
    ["no JSON", "package agent_policy\npolicy_data := {,}"],
    ["a member that stands twice", 'policy_data := {"containers": [{"image": "a", "image": "b"}]}'],
    ["containers that are no list", 'policy_data := {"containers": {}}'],
    ["a list in place of the object", "policy_data := []"],
  ])("are unreadable with %s", (_, text) => {
    expect(imagesOf(text).kind).toBe("unreadable");
  });

  it("leave the rules' hash alone", () => {
    const rules = "package agent_policy\n\ndefault A := false\n\n";
    const expected = createHash("sha256").update(rules).digest("hex");
    expect(decodeAgentPolicy(pinnedPolicy).rulesSha256).toBe(expected);
    expect(decodeAgentPolicy(policyText([{ image: "x" }])).rulesSha256).toBe(expected);
    expect(decodeAgentPolicy(policyText([], "package agent_policy\n")).rulesSha256).not.toBe(expected);
  });
});
