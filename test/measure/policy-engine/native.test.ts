/**
 * A native build of the crate answers the same requests with the same bytes: what the module says is what the crate says,
 * and not what 32-bit addresses or WebAssembly make of it. Skipped with a notice where the crate cannot be built.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type EngineCall, Instance } from "../../../src/measure/policy-engine/instance.ts";
import { engineUrl } from "../../../src/measure/policy-engine/module.ts";

const crate = fileURLToPath(new URL("../../../reproducible/policy-engine", import.meta.url));
const buildMs = 900_000;

/** Path of the native program; undefined where there is no cargo of the pinned toolchain, or no crates for it. */
function nativeProgram(): string | undefined {
  const cargo = (...args: string[]) => spawnSync("cargo", args, { cwd: crate, encoding: "utf8", timeout: buildMs });
  const fetched = cargo("fetch", "--locked");
  if (fetched.error !== undefined || fetched.status !== 0) return undefined;
  const built = cargo("build", "--locked", "--bin", "native");
  if (built.status !== 0) throw new Error(`cargo build: ${built.stderr}`);
  return join(crate, "target/debug/native");
}

const policy = `package agent_policy
import rego.v1
default Plain := false
Plain if { input.n > 1; print("n is", input.n) }
Numbers if print(input.n / 3, 0.1 + 0.2, 1e300 * 10, 18446744073709551616 + 1, -7 % 3)
Words if print(sprintf("%v %d %s", [input, 1, "é"]), upper("straße"), sort(["b", "a"]), split("a,b", ","))
Patterns if { regex.match(\`^\\\\w+\\\\d{2,3}$\`, "ß12"); print(regex.replace("a1b2", "[0-9]", "-"), base64.encode("ü"), base64url.decode("_w")) }
Sets if print({1, "a", [2]} | {3}, {x: y | some x, y in {"k": 1, "l": 2}}, object.get({}, ["a"], "none"))
Kept := {"allowed": true, "ops": [{"op": "add", "path": "/pstate/k", "value": {"n": 1.50, "s": ["\\u2028", null]}}]}
Outside := {"allowed": true, "ops": [{"op": "replace", "path": "/pstate", "value": {}}]}
Broken := {"allowed": true, "ops": [{"op": "remove", "path": "/pstate/none"}]}
Denied := {"allowed": false, "ops": []}
Several if some x in [1, 2]
Text := "true"
Cyclic if Cyclic
Unknown if http.send({})
TooLarge if regex.match("(a{1,100}){1,100}", "a")
`;
const rules = [...policy.matchAll(/^(?:default )?([A-Z]\w+)/gm)].map((m) => m[1] ?? "");
const asks = [...new Set([...rules, "None", "a b"])].flatMap((endpoint): EngineCall[] =>
  ['{"n":5,"a":[1.0,1e2,"\\u0001"]}', "{}", "[", '"text"'].map((input) => ({ op: "ask", endpoint, input })),
);
const begin: EngineCall = { op: "begin", state: '{"pstate":{}}' };
const calls: EngineCall[] = [
  { op: "state" },
  { op: "load", rego: "v1", policy },
  begin,
  ...asks,
  { op: "ask", endpoint: "Kept", input: "{}" },
  { op: "commit" },
  { op: "state" },
  begin,
  { op: "state" },
  { op: "load", rego: "v0", policy: "package agent_policy\nA { input.x == 1 }\n" },
  begin,
  { op: "ask", endpoint: "A", input: '{"x":1}' },
  { op: "load", rego: "v0", policy: "package agent_policy\nA if {\n" },
  { op: "load", rego: "v1", policy: `package agent_policy\nA := ${"(".repeat(100)}1${")".repeat(100)}\n` },
  { op: "load", rego: "v1", policy: "" },
];

const program = nativeProgram();
if (program === undefined)
  process.stderr.write('notice: skipped "native build": no cargo, toolchain or crates for it\n');
describe.skipIf(program === undefined)("native build", () => {
  test("answers every request with the same bytes", () => {
    const input = calls.map((c) => `${JSON.stringify(c)}\n`).join("");
    const { stdout, status } = spawnSync(program ?? "", { input, encoding: "utf8", maxBuffer: 1 << 26 });
    expect(status).toBe(0);
    const instance = new Instance(new WebAssembly.Module(readFileSync(engineUrl())));
    const module = calls.map((call) => instance.text(call, 20_000));
    expect(stdout.split("\n").slice(0, -1)).toEqual(module);
    // A comparison of refusals alone would show little.
    expect(module.filter((m) => m.includes('"allowed":true')).length).toBeGreaterThan(10);
  });
});
