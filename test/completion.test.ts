/** The scripts as the shells take them; where a shell is not installed its part is skipped, and says so. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { completionCommands, completionScript, type OclifCommand, shells } from "../src/completion.ts";
import { runPm } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "pm-completion-"));
afterAll(() => rmSync(folder, { recursive: true }));
const installed = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;

describe.each(shells)("pm completion %s", (shell) => {
  test("names every command and its flags", async () => {
    const { status, stdout } = await runPm(["completion", shell]);
    expect(status).toBe(0);
    for (const word of ["coordinator attest", "snp verify", "manifest check", "profile init"])
      expect(stdout).toContain(word);
    expect(stdout).toContain(shell === "fish" ? "-l insecure-trust-root" : "--insecure-trust-root");
    expect(stdout.endsWith("\n")).toBe(true);
  });
  test.skipIf(!installed(shell))("is accepted by the shell", async () => {
    const { stdout } = await runPm(["completion", shell]);
    const file = join(folder, `pm.${shell}`);
    writeFileSync(file, stdout);
    expect(spawnSync(shell, ["-n", file], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });
});

test("an unknown shell is a usage error", async () => {
  expect((await runPm(["completion", "tcsh"])).status).toBe(2);
});

describe.skipIf(!installed("bash"))("in a bash", () => {
  const script = join(folder, "pm.bash");
  beforeAll(async () => {
    writeFileSync(script, (await runPm(["completion", "bash"])).stdout);
    writeFileSync(join(folder, "my report.bin"), "");
    writeFileSync(join(folder, "vek.der"), "");
  });
  /** What is offered for the last word, one a line. */
  const offered = (...words: string[]): string[] => {
    const code = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pm; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", code, script, "pm", ...words], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    return stdout.split("\n").filter((line) => line !== "");
  };
  test.each<[string, string[], string[]]>([
    ["the first word", ["co"], ["completion", "coordinator"]],
    ["the second word of a command", ["snp", ""], ["id-key", "measure", "verify"]],
    ["flags of this command only", ["manifest", "check", "--c"], ["--contrast-version"]],
    ["the values of a flag", ["coordinator", "attest", "--api", ""], ["attest", "v1"]],
    ["the values of a flag after =", ["coordinator", "attest", "--api", "=", "v"], ["v1"]],
    ["nothing where only the auditor knows the value", ["verify", "--nonce", ""], []],
    ["files for a flag that takes one", ["snp", "verify", "--vek", "v"], ["vek.der"]],
    ["a file with a space as one word", ["inspect", "my"], ["my report.bin"]],
    ["built-in profiles beside files", ["verify", "pr"], ["privatemode"]],
    ["an argument's values", ["profile", "init", "c"], ["contrast"]],
    ["flags of pm itself", ["--v"], ["--version"]],
  ])("offers %s", (_, words, expected) => {
    expect(offered(...words).sort()).toEqual(expected);
  });
});

test("texts with an apostrophe stay quoted, hidden commands stay away", () => {
  const command = (id: string, hidden = false): OclifCommand => ({
    id,
    hidden,
    summary: "AMD's report; $(touch x) `touch y`",
    args: {},
    flags: { one: { name: "one", type: "boolean", description: "it's on" } },
  });
  const all = completionCommands([command("a:b"), command("secret", true)], [{ name: "a", description: "topic" }]);
  expect(all.map((c) => c.words)).toEqual(["", "a", "a b"]);
  const fish = completionScript("fish", all);
  expect(fish).toContain(`-d 'AMD'\\''s report; $(touch x) \`touch y\`'`);
  expect(fish).toContain("-a 'a' -d 'topic'");
});
