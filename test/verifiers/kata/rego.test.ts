import { describe, expect, test } from "vitest";
import { dataRivals, laxStatements } from "../../../src/verifiers/kata/rego.ts";

const rules = "package agent_policy\n";

describe("what stands in the rules beside the data", () => {
  test.each([
    "x { policy_data.containers[_] }",
    'x { c := policy_data["containers"][0]; c == 1 }',
    "x {\n    policy_data.common.cpath == y\n}",
    "# policy_data := {}",
    'x { print("policy_data := ", 1) }',
    "x { y := `\npolicy_data := 1` }",
    'x { y := "a \\" policy_data := 1" }',
    "my_policy_data := 1",
    "policy_data2 := 1",
  ])("%s is no rival", (text) => expect(dataRivals(`${rules}${text}\n`)).toEqual([]));
  test.each([
    "policy_data := {}",
    "  policy_data = {}",
    "default policy_data := {}",
    "policy_data[x] { x := 1 }",
    "policy_data.containers := []",
    "policy_data contains 1 if true",
    "policy_data",
    "import data.other as policy_data",
    "x { some policy_data; true }",
    "x { y with data.agent_policy.policy_data as {} }",
    "x { y with data as {} }",
    "x { f(policy_data) }",
    "x := `",
    'x := "open',
    "x {",
  ])("%s is one", (text) => expect(dataRivals(`${rules}${text}\n`)).not.toEqual([]));
  test("finds a definition behind more blanks than the window has", () => {
    expect(dataRivals(`${rules}\n${" ".repeat(1000)}policy_data := {}`)).not.toEqual([]);
  });
  test.each([
    "policy_data ".repeat(300_000),
    "policy_data.a ".repeat(300_000),
    "{".repeat(4_000_000),
    '"'.repeat(4_000_001),
    `"${"\\".repeat(4_000_000)}`,
    " ".repeat(4_000_000),
    "with ".repeat(800_000),
    "default ".repeat(500_000),
  ])("answers four megabytes of one thing (case %#)", (text) => {
    expect(dataRivals(text)).toBeDefined();
    expect(laxStatements(text)).toBeDefined();
  });
});

describe("requests that are allowed by default", () => {
  test("are found outside of comments and strings", () => {
    expect(
      laxStatements(
        `${rules}default ExecProcessRequest := true\n# default CopyFileRequest := true\nSetPolicyRequest = true\ndefault ReadStreamRequest := true\ndefault WriteStreamRequest := false\n`,
      ),
    ).toEqual(["default ExecProcessRequest := true", "SetPolicyRequest = true"]);
  });
});
