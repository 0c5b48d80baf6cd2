/** The engine is the pinned one and asks for nothing. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { runChild } from "../../../src/measure/child.ts";
import { engineDigest, engineUrl, loadEngine } from "../../../src/measure/policy-engine/module.ts";

const bytes = readFileSync(engineUrl());
const folder = mkdtempSync(join(tmpdir(), "pm-engine-"));
const root = fileURLToPath(new URL("../../..", import.meta.url));

test("the digest in the code is that of the file, and of SHA256SUMS", () => {
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(engineDigest);
  expect(readFileSync(join(root, "reproducible/policy-engine/SHA256SUMS"), "utf8")).toContain(
    `\n${engineDigest}  policy-engine.wasm\n`,
  );
});
test("it imports nothing: no clock, no network, no random numbers", async () => {
  const module = await loadEngine(engineUrl());
  expect(WebAssembly.Module.imports(module)).toEqual([]);
  const functions = WebAssembly.Module.exports(module).filter((e) => e.kind === "function");
  expect(functions.map((e) => e.name).sort()).toEqual(["pm_alloc", "pm_call", "pm_free"]);
});
test.each([
  ["a changed byte", (b: Buffer) => b.fill((b[1000] ?? 0) ^ 1, 1000, 1001)],
  ["a byte at the end", (b: Buffer) => Buffer.concat([b, Buffer.of(0)])],
  ["an empty file", () => Buffer.alloc(0)],
  ["another module", () => Buffer.from("0061736d01000000", "hex")],
])("%s is refused", async (name, change) => {
  const path = join(folder, `${name}.wasm`);
  writeFileSync(path, change(Buffer.from(bytes)));
  await expect(loadEngine(pathToFileURL(path))).rejects.toMatchObject({
    code: "PM_BUG",
    message: expect.stringContaining(engineDigest),
  });
});
test("a missing file is refused", async () => {
  await expect(loadEngine(pathToFileURL(join(folder, "none")))).rejects.toMatchObject({ code: "PM_BUG" });
});
test("in the bundle it lies beside its worker", () => {
  expect(engineUrl("file:///x/dist/chunks/a.js").href).toBe("file:///x/dist/measure/policy-engine/policy-engine.wasm");
});
test("a process that has asked ends by itself", async () => {
  const ask = pathToFileURL(join(root, "src/measure/policy-engine/ask.ts")).href;
  const script = `import { askPolicy } from ${JSON.stringify(ask)};
    const { rego } = await askPolicy({ policy: "package agent_policy\\nA := true\\n", sessions: [] });
    process.stdout.write(rego);`;
  const { status, stdout } = await runChild(process.execPath, ["--input-type=module", "-e", script], {
    cwd: folder,
    env: {},
    maxBytes: 1000,
    timeoutMs: 50_000,
  });
  expect([status, Buffer.from(stdout).toString()]).toEqual([0, "v1"]);
});
