/** Programs that pm starts: what comes back of them, and that nothing of them is left. */
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { absoluteFolders, type ChildOptions, onPath, runChild } from "../../src/measure/child.ts";

const cwd = mkdtempSync(join(tmpdir(), "pm-child-"));
const shell = (script: string, options: Partial<ChildOptions> = {}) =>
  runChild("/bin/sh", ["-c", script], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "" },
    maxBytes: 1000,
    timeoutMs: 20_000,
    ...options,
  });
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

describe("a program that pm starts", () => {
  test("hands back its output, its messages and its status", async () => {
    const { stdout, ...rest } = await shell("cat; echo no >&2; exit 3", { stdin: "in\n" });
    expect(text(stdout)).toBe("in\n");
    expect(rest).toEqual({ status: 3, signal: null, stderr: "no\n", truncated: false, timedOut: false });
  });
  test("gets the environment that is named, and none of pm's own", async () => {
    process.env["PM_TEST_SECRET"] = "canary";
    const { stdout } = await shell("env", { env: { A: "b" } });
    expect(text(stdout)).toMatch(/^A=b$/m);
    expect(text(stdout)).not.toMatch(/canary|HOME=/);
  });
  test("reads nothing where it is given nothing", async () => {
    expect(text((await shell("cat; echo end")).stdout)).toBe("end\n");
  });
  test("is not waited for when it does not read what it is given", async () => {
    expect((await shell("exit 0", { stdin: new Uint8Array(1_000_000) })).status).toBe(0);
  });
  test("is ended when it writes too much, and what fitted is kept", async () => {
    const { stdout, ...rest } = await shell("while :; do echo 123456789; done");
    expect([stdout.length, rest.truncated, rest.timedOut, rest.signal]).toEqual([1000, true, false, "SIGKILL"]);
  });
  test("may write many messages, of which the first are kept", async () => {
    const { status, stderr } = await shell("yes | head -c 200000 >&2; exit 0");
    expect([status, stderr.length]).toEqual([0, 65536]);
  });
  test("is ended when its time is over, and whatever it started too", async () => {
    const mark = join(cwd, "late");
    const { timedOut } = await shell(`(sleep 2; : > ${mark}) & wait`, { timeoutMs: 300 });
    expect(timedOut).toBe(true);
    await pause(2200);
    expect(existsSync(mark)).toBe(false);
  });
  test("takes along what it left running in the background", async () => {
    const { status, timedOut, stdout } = await shell("sleep 30 & echo done");
    expect([status, timedOut, text(stdout)]).toEqual([0, false, "done\n"]);
  });
  test("is not waited for when something that left its group holds its output", async () => {
    const { timedOut } = await shell("setsid sleep 3 & sleep 0.2", { timeoutMs: 600 });
    expect(timedOut).toBe(true);
  });
  test("is ended with the run that wants it no more", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 200);
    await expect(shell("sleep 30", { signal: stop.signal })).rejects.toThrow("enough");
    await expect(shell("exit 0", { signal: stop.signal })).rejects.toThrow("enough");
  });
  test("that is not there is the system's error", async () => {
    const options = { cwd, env: {}, maxBytes: 10, timeoutMs: 1000 };
    await expect(runChild("/nonexistent/program", [], options)).rejects.toThrow(/ENOENT/);
  });
  test("is named by an absolute path", async () => {
    await expect(runChild("sh", [], { cwd, env: {}, maxBytes: 10, timeoutMs: 1000 })).rejects.toThrow(/absolute/);
  });
});

describe("where PATH has a program", () => {
  test("relative folders, and empty ones, are not looked at", async () => {
    expect(absoluteFolders(".:/bin::bin:/usr/bin")).toEqual(["/bin", "/usr/bin"]);
    expect(await onPath("sh", ".:bin")).toBeUndefined();
  });
  test("the first folder that has it counts, and a folder of its name does not", async () => {
    expect(await onPath("sh", "/nonexistent:/bin")).toBe("/bin/sh");
    expect(await onPath("bin", "/usr")).toBeUndefined();
  });
});
