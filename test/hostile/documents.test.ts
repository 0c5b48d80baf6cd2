/** Documents that are made to cost more than they are: exit status, a typed message, time and memory, through the commands. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { initdata } from "../../fixtures/generator/policies.ts";
import { makePolicyWorld, type PolicyWorldChange } from "../../fixtures/generator/policy-world.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import type { Ran } from "../command.ts";
import { spawnNode } from "../exit/spawn.ts";

const root = mkdtempSync(join(tmpdir(), "pm-documents-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const bin = fileURLToPath(new URL("../../bin/run.js", import.meta.url));
let files = 0;
function write(content: Uint8Array | string, name = `${files++}`): string {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
}
/** Says its processor time in microseconds and its peak memory in KiB as the last thing on stderr. */
const peak = write(
  'process.on("exit", () => { const u = process.resourceUsage(); process.stderr.write("peak " + (u.userCPUTime + u.systemCPUTime) + " " + u.maxRSS + "\\n"); });',
  "peak.mjs",
);
/** Limits of one run: time of the processor, since the machine may have other work. */
const withinMs = 10_000;
const withinMiB = 600;

interface Answer {
  readonly exitCode?: number;
  readonly error?: { readonly code: string; readonly message: string };
  readonly claims?: readonly {
    readonly id: string;
    readonly status: string;
    readonly code?: string;
    readonly reason?: string;
  }[];
}
async function bounded(args: readonly string[], statuses: readonly number[]): Promise<{ ran: Ran; answer: Answer }> {
  const ran = await spawnNode(["--import", pathToFileURL(peak).href, bin, ...args, "--json"], {
    env: { ...process.env, HOME: root, XDG_CACHE_HOME: root, NO_COLOR: "1" },
  });
  const [, micros, kibibytes] = /peak (\d+) (\d+)\n/.exec(ran.stderr) ?? [];
  expect(statuses, `${ran.status}: ${ran.stdout.slice(0, 500)}${ran.stderr.slice(0, 500)}`).toContain(ran.status);
  expect(Number(micros) / 1000).toBeLessThan(withinMs);
  expect(Number(kibibytes) / 1024).toBeLessThan(withinMiB);
  // One document, and no report of the size of its evidence.
  expect(ran.stdout.length).toBeLessThan(64 * 1024 * 1024);
  return { ran, answer: JSON.parse(ran.stdout) as Answer };
}

const world = makePolicyWorld(sharedDeployment().manifestValue);
const bodies = join(root, "bodies");
mkdirSync(bodies);
for (const [name, body] of world.policies) write(body, join("bodies", name));
const deploymentFile = write(world.deployment);
const manifestFile = write(world.manifest);
const yaml = Buffer.from(world.deployment).toString("utf8");
const manifest = Buffer.from(world.manifest).toString("utf8");
const mega = 1024 * 1024;
const annotation = (value: string): string =>
  yaml.replace("annotations: {}", `annotations: { io.katacontainers.config.hypervisor.cc_init_data: ${value} }`);
const bomb = (mebibytes: number): string => gzipSync(Buffer.alloc(mebibytes * mega)).toString("base64");
const laughs = (levels: number): string =>
  ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    .concat(
      Array.from({ length: levels }, (_, i) => {
        const each = Array.from({ length: 10 }, () => `*a${i}`).join(", ");
        return `a${i + 1}: &a${i + 1} [${each}]`;
      }),
    )
    .join("\n");

/** Deployment files. Words of the message; none: the report has an answer to kata.deployment.format. */
const deployments: readonly (readonly [what: string, content: () => string | Uint8Array, words: RegExp])[] = [
  ["billion laughs", () => `kind: X\napiVersion: v1\n${laughs(9)}\n`, /limit|alias/],
  ["an alias to itself", () => "kind: X\napiVersion: v1\na: &a [*a]\n", /line/],
  ["aliases by the thousand", () => `kind: X\napiVersion: v1\na: &a x\nb: [${"*a, ".repeat(3000)}]\n`, /limit|alias/],
  ["lists in lists", () => "[".repeat(100_000), /nested|limit/],
  ["mappings in mappings", () => `a: ${"{a: ".repeat(50_000)}`, /nested|limit/],
  ["blocks in blocks", () => Array.from({ length: 2000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), /nested|limit/],
  ["a hundred thousand documents", () => "---\nkind: X\napiVersion: v1\n".repeat(100_000), /limit/],
  [
    "keys by the hundred thousand",
    () => Array.from({ length: 100_000 }, (_, i) => `k${i}: 1`).join("\n"),
    /limit|entries/,
  ],
  [
    "an anchor of another document",
    () => "kind: X\napiVersion: v1\na: &a 1\n---\nkind: X\napiVersion: v1\nb: *a\n",
    /line 7/,
  ],
  ["a JavaScript function", () => "kind: X\napiVersion: v1\na: !!js/function 'x'\n", /line 3/],
  ["a tag of binary data", () => "kind: X\napiVersion: v1\na: !!binary aGk=\n", /line 3/],
  ["a tag of time", () => "kind: X\napiVersion: v1\na: !!timestamp 2001-01-01\n", /line 3/],
  ["a merge key", () => "kind: X\napiVersion: v1\na: &a {x: 1}\nb: { <<: *a }\n", /line 4/],
  ["a directive of YAML 1.1", () => "%YAML 1.1\n---\nkind: X\napiVersion: v1\n", /directive/],
  ["a key twice", () => "kind: X\napiVersion: v1\nkind: Pod\n", /line 3/],
  ["__proto__ for a pod", () => "__proto__: { kind: Pod, apiVersion: v1 }\n", /no kind and apiVersion/],
  ["a zero byte", () => "kind: X\napiVersion: v1\na: \0\n", /line 3, column 4: the character U\+0000/],
  ["a comment that goes on for other readers", () => "kind: X\napiVersion: v1 # a\u2028b: 1\n", /line 2.*U\+2028/],
  ["a carriage return in a comment", () => "kind: X\napiVersion: v1 # a\rb: 1\n", /line 2.*U\+000D/],
  ["a line end of YAML 1.1", () => "kind: X\napiVersion: v1 # a\u0085b: 1\n", /line 2.*U\+0085/],
  ["a byte order mark inside", () => "kind: X\n\ufeffapiVersion: v1\n", /U\+FEFF|line 2/],
  ["an octal number of YAML 1.1", () => yaml.replace("runAsUser: 1000", "runAsUser: 01750"), /whole number/],
  ["a yes of YAML 1.1", () => yaml.replace("privileged: true", "privileged: yes"), /true or false/],
  ["bytes that are no UTF-8", () => Buffer.from("kind: X\napiVersion: v1\na: \xff\n", "latin1"), /not UTF-8/],
  ["UTF-16", () => Buffer.from("\ufeffkind: X\n", "utf16le"), /UTF-8/],
];

describe("pm policy check, deployment files", () => {
  test.each(deployments)("%s", async (_, content, words) => {
    const { answer } = await bounded(
      ["policy", "check", write(content()), "--policies", bodies, "--manifest", manifestFile],
      [1],
    );
    const format = answer.claims?.find((c) => c.id === "kata.deployment.format");
    expect([format?.status, format?.code]).toEqual(["fail", "deployment-malformed"]);
    expect(format?.reason).toMatch(words);
  });
  test("of 100 MB is refused unread", async () => {
    const huge = annotation(`"${"A".repeat(100 * mega)}"`);
    const { answer } = await bounded(
      ["policy", "check", write(huge), "--policies", bodies, "--manifest", manifestFile],
      [2],
    );
    expect([answer.error?.code, answer.error?.message]).toEqual(["PM_USAGE", expect.stringMatching(/bytes|limit|MiB/)]);
  });
  test.each([
    ["a gzip bomb of 64 MiB", () => bomb(64)],
    ["a gzip bomb of 1 GiB", () => bomb(1024)],
    ["seven megabytes of base64", () => "A".repeat(7 * mega)],
    ["gzip without an end", () => Buffer.concat([gzipSync(world.deployment).subarray(0, 40)]).toString("base64")],
    [
      "gzip with a name of megabytes",
      () =>
        Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0]), Buffer.alloc(4 * mega, 65)]).toString(
          "base64",
        ),
    ],
  ])("an annotation with %s", async (_, value) => {
    const { answer } = await bounded(
      ["policy", "check", write(annotation(value())), "--policies", bodies, "--manifest", manifestFile],
      [1],
    );
    expect(answer.claims?.find((c) => c.id === "kata.annotation.equal")?.code).toBe("annotation-malformed");
  });
  test.each([
    ["constructor", "constructor: { name: x }"],
    ["__proto__", "__proto__: { confidential: true, polluted: yes }"],
    ["prototype", "prototype: { polluted: yes }"],
  ])("a member %s is a name as others", async (_, line) => {
    const { answer } = await bounded(
      [
        ...[
          "policy",
          "check",
          write(yaml.replace("metadata:\n  name: coordinator", `${line}\nmetadata:\n  name: coordinator`)),
        ],
        ...["--policies", bodies, "--manifest", manifestFile],
      ],
      [1],
    );
    expect(answer.claims?.find((c) => c.id === "kata.deployment.format")?.status).toBe("pass");
  });
});

const head = "version = '0.1.0'\nalgorithm = 'sha256'\n";
/** Policy bodies, as documents. */
const documents: readonly (readonly [what: string, content: () => string | Uint8Array, status: readonly number[]])[] = [
  ["arrays in arrays", () => `${head}a = ${"[".repeat(100_000)}`, [1]],
  ["tables in tables", () => `${head}a = ${"{a=".repeat(100_000)}`, [1]],
  ["dotted keys", () => `${head}${"a.".repeat(100_000)}a = 1\n`, [1]],
  ["headers in headers", () => `${head}[${"a.".repeat(100_000)}a]\n`, [1]],
  [
    "keys by the hundred thousand",
    () => `${head}[data]\n${Array.from({ length: 100_000 }, (_, i) => `k${i} = ''`).join("\n")}\n`,
    [1],
  ],
  ["a number of a million digits", () => `${head}a = ${"9".repeat(mega)}\n`, [1]],
  ["a key of a million characters", () => `${head}[data]\n${"k".repeat(mega)} = 'x'\n`, [0]],
  ["a key twice", () => `${head}[data]\na = 'x'\na = 'y'\n`, [1]],
  ["__proto__", () => `${head}[data]\n'__proto__' = 'x'\nconstructor = 'y'\n`, [0]],
  ["__proto__ as a table", () => `${head}[__proto__]\nalgorithm = 'md5'\n`, [1]],
  ["a zero byte", () => `${head}[data]\na = 'x\0'\n`, [1]],
  ["bytes that are no UTF-8", () => Buffer.concat([Buffer.from(head), Buffer.from([0x23, 0xff])]), [1]],
  ["a gzip bomb", () => bomb(512), [1]],
  ["a gzip bomb, bare", () => gzipSync(Buffer.alloc(512 * mega)), [1]],
  ["gzip with a byte behind it", () => Buffer.concat([gzipSync(head), Buffer.of(0)]).toString("base64"), [1]],
  ["gzip of two members", () => Buffer.concat([gzipSync(head), gzipSync(head)]).toString("base64"), [1]],
  [
    "a device that says it is endless",
    () => Buffer.concat([Buffer.from("initdata"), Buffer.alloc(8, 0x7f).fill(0, 7), Buffer.alloc(496)]),
    [1],
  ],
  [
    "policy_data in lists",
    () => initdata({ "policy.rego": `package agent_policy\npolicy_data := ${"[".repeat(1_000_000)}` }),
    [0],
  ],
  [
    "a rule of one line of megabytes",
    () => initdata({ "policy.rego": `package agent_policy\nx := ${"policy_data ".repeat(200_000)}` }),
    [0],
  ],
  ["comments by the million", () => `${"#\n".repeat(mega)}package agent_policy\n`, [0, 1]],
  [
    "line separators",
    () => initdata({ "policy.rego": `package agent_policy\n${"\u2028policy_data := {}\u2029".repeat(10_000)}` }),
    [0],
  ],
];

describe("pm policy hash, documents", () => {
  test.each(documents)("%s", async (_, content, statuses) => {
    const { answer, ran } = await bounded(["policy", "hash", write(content())], statuses);
    if (ran.status !== 0) expect(answer.error?.code).toMatch(/^PM_EVIDENCE_/);
    expect(answer.error?.message.length ?? 0).toBeLessThan(2000);
  });
});

/** What each reader of `pm inspect` would be asked to try. */
const inspected = [
  "arrays in arrays",
  "dotted keys",
  "a gzip bomb",
  "a gzip bomb, bare",
  "a device that says it is endless",
];
const inspectedYaml = [
  "billion laughs",
  "lists in lists",
  "mappings in mappings",
  "a hundred thousand documents",
  "UTF-16",
];
describe("pm inspect, documents", () => {
  test.each([
    ...documents.filter(([what]) => inspected.includes(what)).map(([what, content]) => [what, content] as const),
    ...deployments.filter(([what]) => inspectedYaml.includes(what)).map(([what, content]) => [what, content] as const),
    ["JSON in JSON", () => "[".repeat(1_000_000)],
    ["a number of a million digits", () => `{"Policies": ${"9".repeat(mega)}}`],
  ] as const)("%s", async (_, content) => {
    const { answer, ran } = await bounded(["inspect", write(content())], [0, 1, 2, 3]);
    if (ran.status !== 0) expect(answer.error?.code).toMatch(/^PM_/);
  });
});

const inData = (value: string): PolicyWorldChange => ({
  policy: (name, text) =>
    name === "workload-granite" ? text.replace('"containers": [', `"x": ${value}, "containers": [`) : text,
});
describe("pm policy check, policy bodies", () => {
  test.each([
    ["lists in lists", inData("[".repeat(100_000))],
    ["objects in objects", inData('{"a":'.repeat(100_000))],
    ["a number of a million digits", inData("9".repeat(mega))],
    ["a name of a million characters", inData(`{"${"a".repeat(mega)}": 1}`)],
    ["half a million values", inData(`[${"1,".repeat(500_000)}1]`)],
    ["a member twice", inData('1, "x": 2')],
    ["half a surrogate", inData('"\\ud800"')],
    ["__proto__", inData('{"__proto__": {"polluted": true}}')],
    [
      "__proto__ for a container's member",
      {
        data: (name, v) =>
          name === "workload-granite" &&
          Object.defineProperty(v.containers[2], "__proto__", { value: { image: "x" }, enumerable: true }),
      } satisfies PolicyWorldChange as PolicyWorldChange,
    ],
  ])("%s in policy_data", async (_, change) => {
    const other = makePolicyWorld(sharedDeployment().manifestValue, change);
    const folder = join(root, `bodies-${files++}`);
    mkdirSync(folder);
    for (const [name, body] of other.policies) writeFileSync(join(folder, name), body);
    const { answer } = await bounded(
      [
        "policy",
        "check",
        deploymentFile,
        "--policies",
        folder,
        "--manifest",
        write(other.manifest),
        "--rules-sha256",
        other.rulesSha256,
      ],
      [1, 3],
    );
    const format = answer.claims?.filter((c) => c.id === "kata.policy_data.format").map((c) => c.status);
    expect(format).toHaveLength(3);
    expect(format?.filter((s) => s === "pass")).toHaveLength(2);
  });
});

describe("pm manifest check", () => {
  test.each<readonly [string, () => string | Uint8Array]>([
    ["lists in lists", () => "[".repeat(1_000_000)],
    ["objects in objects", () => '{"Policies":'.repeat(100_000)],
    ["half a million values", () => `{"Policies": [${"1,".repeat(500_000)}1]}`],
    ["a number of a million digits", () => manifest.replace(/"SNPVersion": \d+/, `"SNPVersion": ${"9".repeat(mega)}`)],
    ["an exponent of a million", () => manifest.replace(/"SNPVersion": \d+/, '"SNPVersion": 1e1000000')],
    ["a name of a million characters", () => manifest.replace('"Policies"', `"${"a".repeat(mega)}": 1, "Policies"`)],
    ["a measurement of a million digits", () => manifest.replace(/"TrustedMeasurement": "/, `$&${"ab".repeat(mega)}`)],
    ["a key twice", () => manifest.replace('"Policies"', '"Policies": {}, "Policies"')],
    ["__proto__", () => manifest.replace('"Policies"', '"__proto__": {"Policies": {}}, "Policies"')],
    ["constructor", () => manifest.replace('"SANs"', '"constructor": {"prototype": {"Role": "coordinator"}}, "SANs"')],
    ["a zero byte", () => `${manifest}\0`],
    ["bytes that are no UTF-8", () => Buffer.concat([world.manifest, Buffer.of(0xff)])],
    ["a byte order mark", () => `\ufeff${manifest}`],
    ["half a surrogate", () => manifest.replace('"SANs": [', '"SANs": ["\\ud800", ')],
    ["nothing", () => ""],
    ["sixteen megabytes of blanks", () => " ".repeat(17 * mega)],
  ])("%s", async (_, content) => {
    const { answer } = await bounded(["manifest", "check", write(content())], [1, 2]);
    const failed = answer.claims?.filter((c) => c.status === "fail").map((c) => c.code) ?? [answer.error?.code];
    expect(failed.some((code) => /^(manifest-|PM_)/.test(code ?? ""))).toBe(true);
  });
  test("names by the hundred thousand are many, and no defect", async () => {
    const many = manifest.replace('"SANs": [', `"SANs": [${'"x",'.repeat(100_000)}`);
    await bounded(["manifest", "check", write(many)], [0]);
  });
});
