/** Servers that do everything wrong, through the commands: exit status, message, time and memory (docs/exit-codes.md). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { startWorld } from "../attacks/world.ts";
import { type Ran, reportOf } from "../command.ts";
import { spawnNode } from "../exit/spawn.ts";
import { startHostile } from "../sources/hostile.ts";

const world = await startWorld();
const { server, root, pins } = world;
const bin = fileURLToPath(new URL("../../bin/run.js", import.meta.url));
const other = await startHostile();
const hostile = await startHostile(() => other.url);
afterAll(async () => {
  await hostile.close();
  await other.close();
});
afterEach(() => world.reset());

/** Says its peak memory in KiB as the last thing on stderr. */
const peak = world.write(
  "peak.mjs",
  'process.on("exit", () => process.stderr.write("peak " + process.resourceUsage().maxRSS + "\\n"));',
);
interface Measured extends Ran {
  readonly peakMiB: number;
}
async function measured(args: readonly string[]): Promise<Measured> {
  const ran = await spawnNode(["--import", pathToFileURL(peak).href, bin, ...args], { env: world.home("hostile") });
  const kib = Number(/peak (\d+)\n/.exec(ran.stderr)?.[1]);
  return { ...ran, peakMiB: kib / 1024 };
}

/** Limit of a whole run in seconds. A run that does not end by itself is killed, and then has no exit status. */
const limit = "1";
const withinMiB = 260;

/** Path of the hostile server, exit status, words of the reason. */
const table = [
  ["never", 4, "was cut off at the deadline of this run"],
  ["headers-only", 4, "was cut off at the deadline of this run"],
  ["drip", 4, "was cut off at the deadline of this run"],
  ["closed-before", 4, "could not be reached"],
  ["closed-mid-body", 4, "closed the connection in the middle of its answer"],
  ["closed-mid-chunk", 4, "closed the connection in the middle of its answer"],
  ["not-http", 4, "could not be reached"],
  ["500", 4, "answered with status 500: internal"],
  ["503-html", 4, "answered with status 503"],
  ["429", 4, "answered with status 429: slow down"],
  ["redirect-elsewhere", 4, "redirects to another host or scheme (302)"],
  ["redirect-scheme", 4, "redirects to another host or scheme (302)"],
  ["redirect-get", 4, "answers a POST with redirect 303"],
  ["redirect-loop", 4, "redirects more than 3 times"],
  ["gibibyte", 3, "sent more than the 16777216 bytes allowed"],
  ["gibibyte-announced", 3, "sent more than the 16777216 bytes allowed"],
  ["gibibyte-error", 3, "answered with status 400"],
  ["drip-error", 3, "answered with status 403"],
  ["gzip-bomb", 3, "sent gzip that inflates to more than 16777216 bytes"],
  ["brotli-bomb", 3, "sent br that inflates to more than 16777216 bytes"],
  ["gzip-broken", 3, "sent broken gzip"],
  ["gzip-twice", 3, "content encoding that was not asked for"],
  ["long-header", 3, "sent more than"],
  ["no-content", 3, "answered with status 204"],
  ["401", 3, "answered with status 401: no"],
  ["404", 3, "answered with status 404"],
  ["412", 3, "answered with status 412: no manifest set"],
  ["escape", 3, "answered with status 400: ?[2J"],
  ["html", 1, "response-malformed"],
  ["empty", 1, "response-malformed"],
  ["wrong-type", 1, "response-malformed"],
] as const;

/** Sends what the path of the hostile server does, whatever pm appends to it. */
const urlOf = (name: string): string => `${hostile.url}/${name}/as`;

describe("coordinator attest", () => {
  test.each(table)("%s: %i, %s", async (name, status, said) => {
    const ran = await measured(["coordinator", "attest", urlOf(name), ...root, "--timeout", limit, "--json"]);
    const report = reportOf(ran);
    const format = report.claims.find((c) => c.id === "contrast.response.format");
    expect([ran.status, report.exitCode]).toEqual([status, status]);
    expect([format?.code, format?.reason].join(" ")).toContain(said);
    expect(format?.status).toBe(status === 1 ? "fail" : status === 3 ? "error" : "unavailable");
    expect(ran.peakMiB).toBeLessThan(withinMiB);
    expect(ran.stderr.replace(/peak \d+\n/, "")).toBe("");
  });
});

describe("verify, for people", () => {
  test.each([
    ["never", 4, "Run again when the source can be reached"],
    ["closed-mid-body", 4, "Run again when the source can be reached"],
    ["gibibyte", 3, "16777216 bytes allowed"],
    ["html", 1, "Look at the URL and at what stands between"],
    ["401", 3, "status 401"],
  ] as const)("%s: %i, and what to do", async (name, status, said) => {
    const args = ["verify", "contrast", "--coordinator", urlOf(name), ...root, ...pins, "--timeout", limit];
    const ran = await measured(args);
    expect(ran.status).toBe(status);
    expect(ran.stdout.replaceAll(/\s+/g, " ")).toContain(said);
    expect(ran.stdout).toContain("contrast.response.format");
  });
  test("an address where nobody is", async () => {
    const ran = await world.judged(["verify", "contrast", "--coordinator", "http://127.0.0.1:1", ...root, ...pins]);
    expect([ran.status, ran.claim("contrast.response.format").reason]).toEqual([
      4,
      expect.stringContaining("check the address"),
    ]);
  });
  test("a redirect elsewhere sends nothing to that host", async () => {
    await measured(["coordinator", "attest", urlOf("redirect-elsewhere"), ...root, "--timeout", limit]);
    expect(other.asked.size).toBe(0);
  });
  test.each(["0", "-1", "x", "1e3", "4000", ""])("--timeout %j is a usage error", async (value) => {
    expect((await world.pm([...world.live, `--timeout=${value}`])).status).toBe(2);
  });
});

describe("the key service", () => {
  const args = (name: string) => [
    "verify",
    "contrast",
    "--coordinator",
    server.url,
    "--kds-url",
    urlOf(name),
    ...root,
    ...pins,
    "--timeout",
    "2",
    "--json",
  ];
  test.each([
    ["never", 4],
    ["500", 4],
    ["redirect-elsewhere", 4],
    ["closed-mid-body", 4],
    ["gibibyte", 3],
    ["gzip-bomb", 3],
    ["404", 3],
    ["html", 3],
    ["empty", 3],
  ] as const)("%s, and nothing attached: %i", async (name, status) => {
    server.hooks.tamper = (draft, d) => ({ ...draft, chain: { product: { line: d.authority.line, stepping: 0 } } });
    const ran = await measured(args(name));
    expect(ran.status).toBe(status);
    expect(ran.peakMiB).toBeLessThan(withinMiB);
  });
});

describe("a large answer", () => {
  const big = 15 * 1024 * 1024;
  const base64 = (bytes: number): string => "A".repeat(Math.floor(bytes / 4) * 4);
  const body = (change: (answer: Readonly<Record<string, unknown>>) => Record<string, unknown>): void => {
    server.hooks.answer = (request, answer) => {
      if (request.path !== "/attest") return undefined;
      const value = JSON.parse(Buffer.from(answer.body).toString()) as Record<string, unknown>;
      return { ...answer, body: Buffer.from(JSON.stringify({ ...value, ...change(value) })) };
    };
  };
  const small = (bytes: string): string => Buffer.from(bytes).toString("base64");
  test.each<[string, (answer: Readonly<Record<string, unknown>>) => Record<string, unknown>]>([
    ["one huge manifest", () => ({ manifests: [base64(big)] })],
    ["very many manifests", () => ({ manifests: Array.from({ length: 200_000 }, () => small("{}")) })],
    [
      "very many copies of the manifest",
      (a) => {
        const [one] = a["manifests"] as string[];
        return { manifests: Array.from({ length: Math.floor(big / (one?.length ?? 1)) }, () => one) };
      },
    ],
    ["one huge policy", () => ({ policies: [base64(big)] })],
    ["very many policies", () => ({ policies: Array.from({ length: 200_000 }, (_, i) => small(`p${i}`)) })],
    ["a huge document", () => ({ raw_attestation_doc: base64(big) })],
    ["a huge root CA", () => ({ root_ca: base64(big) })],
    [
      "a manifest of very many policies",
      (a) => {
        const policies = Object.fromEntries(
          Array.from({ length: 60_000 }, (_, i) => [
            i.toString(16).padStart(64, "0"),
            { SANs: ["a"], WorkloadSecretID: `w${i}`, Role: "" },
          ]),
        );
        const [one = ""] = (a["manifests"] as string[]).slice(-1);
        const manifest = JSON.parse(Buffer.from(one, "base64").toString()) as Record<string, unknown>;
        manifest["Policies"] = { ...(manifest["Policies"] as object), ...policies };
        return { manifests: [small(JSON.stringify(manifest))] };
      },
    ],
    ["a manifest nested without end", () => ({ manifests: [small(`${"[".repeat(1_000_000)}`)] })],
    ["very many members", () => Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`m${i}`, 1]))],
  ])("%s is answered", async (_what, change) => {
    body(change);
    const ran = await measured([...world.live, ...pins, "--json", "--save", join(world.folder, "large.tar")]);
    expect([1, 3]).toContain(ran.status);
    expect(ran.peakMiB).toBeLessThan(600);
  });
});

describe("the API key", () => {
  const canary = "canary-7f3Q+/=~key-for-tests-0123456789";
  const keyFile = world.write("canary.txt", `${canary}\n`);
  const profile = (url: string): string =>
    world.write(
      "canary.yaml",
      [
        "version: 1",
        "service: privatemode",
        `coordinator: {url: "${url}"}`,
        "manifest: {reference: pinned, file: manifest.json}",
        `measurements: ["${world.deployment.measurement}"]`,
      ].join("\n"),
    );
  let runs = 0;
  /** Everything that a run wrote, the homes of the runs included. */
  async function everything(url: string): Promise<{ ran: Ran; text: string }> {
    const place = join(world.folder, `key-${runs++}`);
    const env = world.home(`key-home-${runs}`);
    const args = [
      "verify",
      profile(url),
      "--api-key-file",
      keyFile,
      ...root,
      "--kds-url",
      server.kdsUrl,
      "--timeout",
      "2",
    ];
    const keep = ["--save", `${place}-bundle`, "--journal", `${place}.jsonl`];
    const ran = await world.pm([...args, ...keep, "--output", "json", "--output", `human=${place}.txt`], { env });
    const capture = await world.pm(["capture", ...args.slice(1), "--save", `${place}.tar`], { env });
    const files = readdirSync(world.folder, { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile())
      .map((e) => join(e.parentPath, e.name))
      .filter((f) => f.startsWith(place) || f.includes("key-home"));
    expect(files.length).toBeGreaterThan(2);
    const text = [
      ran.stdout,
      ran.stderr,
      capture.stdout,
      capture.stderr,
      ...files.map((f) => readFileSync(f, "latin1")),
    ].join("\n");
    return { ran, text };
  }
  const spellings = [
    canary,
    encodeURIComponent(canary),
    Buffer.from(canary).toString("base64").slice(2, -6),
    canary.slice(0, 20),
  ];
  const clean = (text: string): void => {
    for (const spelling of spellings) expect(text.includes(spelling)).toBe(false);
  };
  test("accepted: verified, and nowhere to be found", async () => {
    server.hooks.apiKey = canary;
    const { ran, text } = await everything(server.url);
    expect(ran.status).toBe(0);
    expect(server.requests.some((r) => r.headers["authorization"] === `Bearer ${canary}`)).toBe(true);
    clean(text);
  });
  test("refused", async () => {
    server.hooks.apiKey = "another";
    const { ran, text } = await everything(server.url);
    expect([ran.status, text.includes("the API key was not accepted")]).toEqual([3, true]);
    clean(text);
  });
  test.each(["echo-key", "echo-key-base64", "echo-key-error", "echo-key-type", "redirect-elsewhere", "drip", "html"])(
    "a hostile server: %s",
    async (name) => {
      const { ran, text } = await everything(urlOf(name));
      expect([1, 3, 4]).toContain(ran.status);
      clean(text);
    },
  );
  test.each<[string, (key: string) => { headers?: Record<string, string>; body?: string; status?: number }]>([
    [
      "in JSON escapes",
      (k) => ({
        body: JSON.stringify({ version: "K" }).replace(
          "K",
          [...k].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join(""),
        ),
      }),
    ],
    ["as a content encoding", (k) => ({ headers: { "content-encoding": k } })],
    [
      "behind 190 characters of an error text",
      (k) => ({ status: 400, body: JSON.stringify({ error: `${"x".repeat(175)} ${k}` }) }),
    ],
    ["behind 190 characters of a content type", (k) => ({ headers: { "content-type": `${"x".repeat(175)} ${k}` } })],
    ["in a location", (k) => ({ status: 302, headers: { location: `http://127.0.0.2/${encodeURIComponent(k)}` } })],
    ["as a status message's header", (k) => ({ headers: { "x-key": k, "set-cookie": k } })],
  ])("given back %s", async (_what, give) => {
    server.hooks.apiKey = canary;
    server.hooks.answer = (request, answer) => {
      if (!request.path.startsWith("/privatemode/v1")) return undefined;
      const key = String(request.headers["authorization"]).replace("Bearer ", "");
      const { headers, body, status } = give(key);
      return {
        status: status ?? answer.status,
        headers: { ...answer.headers, ...headers },
        body: body === undefined ? answer.body : Buffer.from(body),
      };
    };
    clean((await everything(server.url)).text);
  });
  test("a key that is no key, or a secret in a URL, is not repeated", async () => {
    const bad = world.write("bad-key.txt", `${canary}\nsecond line`);
    const one = await world.pm(["verify", "privatemode", "--api-key-file", bad, ...pins]);
    const url = `http://user:${encodeURIComponent(canary)}@127.0.0.1:1/`;
    const two = await world.pm(["verify", "contrast", "--coordinator", url, ...pins]);
    const three = await world.pm([
      "verify",
      "contrast",
      "--coordinator",
      server.url,
      "--kds-url",
      url,
      ...pins,
      "--json",
    ]);
    expect([one.status, two.status, three.status]).toEqual([2, 2, 2]);
    clean([one, two, three].map((r) => r.stdout + r.stderr).join());
  });
  test("it does not travel in the clear", async () => {
    const ran = await world.pm(["verify", profile("http://192.0.2.1"), "--api-key-file", keyFile, ...root]);
    expect([ran.status, ran.stderr]).toEqual([2, expect.stringContaining("https")]);
  });
});
