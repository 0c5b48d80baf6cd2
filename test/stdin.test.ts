/** stdin is read where `-` says so, and nowhere else. */
import { describe, expect, test } from "vitest";
import { runPm } from "./command.ts";

const canary = "pm-canary-5f1c";

describe("stdin without an argument that names it", () => {
  test("an API key for --api-key-file - does not become the TARGET", async () => {
    const pin = ["--manifest-sha256", "a".repeat(64), "--measurement", "b".repeat(96)];
    const args = ["verify", "--profile", "privatemode", "--api-key-file", "-", ...pin, "--offline"];
    const { status, stdout, stderr } = await runPm(args, { stdin: `${canary}\n` });
    // Offline nothing can be asked, so this is where the run has to end once the key was read as a key.
    expect(status).toBe(4);
    expect(stdout + stderr).not.toContain(canary);
    expect(stdout).toContain("privatemode");
  });
  test.each([
    ["inspect"],
    ["policy", "hash"],
    ["policy", "probe"],
    ["manifest", "check"],
    ["snp", "verify"],
    ["profile", "init"],
    ["completion"],
  ])("pm %s %s asks for its argument", async (...words) => {
    const { status, stdout, stderr } = await runPm(words, { stdin: `${canary}\n` });
    expect(status).toBe(2);
    expect(stdout + stderr).not.toContain(canary);
  });
});
