import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FetchOptions, fetchBounded } from "../../src/sources/http.ts";
import { ApiKey } from "../../src/sources/secret.ts";
import { type Hostile, startHostile } from "./hostile.ts";

let server: Hostile;
let other: Hostile;
beforeAll(async () => {
  other = await startHostile();
  server = await startHostile(() => other.url);
});
afterAll(async () => {
  await server.close();
  await other.close();
});

const ask = (path: string, options: Partial<FetchOptions> = {}) =>
  fetchBounded(new URL(server.url + path), {
    label: "the Coordinator",
    method: "GET",
    maxBytes: 1_048_576,
    timeoutMs: 1500,
    deadline: AbortSignal.timeout(10_000),
    ...options,
  });
const settleSockets = async () => {
  for (let i = 0; i < 40 && server.open() > 0; i++) await new Promise((r) => setTimeout(r, 25));
  return server.open();
};

describe("an answer that nobody can judge", () => {
  test.each([
    ["/never", "gave no answer within 1.5 s"],
    ["/headers-only", "did not finish its answer within 1.5 s"],
    ["/drip", "did not finish its answer within 1.5 s"],
    ["/closed-before", "could not be reached (ECONNRESET)"],
    ["/closed-mid-body", "closed the connection in the middle"],
    ["/closed-mid-chunk", "closed the connection in the middle"],
    ["/not-http", "could not be reached (HPE_"],
    ["/500", "answered with status 500: internal"],
    ["/503-html", "answered with status 503"],
    ["/429", "answered with status 429: slow down"],
    ["/redirect-elsewhere", "redirects to another host"],
    ["/redirect-scheme", "redirects to another host or scheme"],
    ["/redirect-loop", "redirects more than 3 times"],
  ])("%s is unavailable", async (path, reason) => {
    const got = await ask(path);
    expect(got).toMatchObject({ status: "unavailable", reason: expect.stringContaining(reason) });
    expect(await settleSockets()).toBe(0);
  });

  test.each([
    ["/404", "answered with status 404"],
    ["/401", "answered with status 401: no"],
    ["/412", "answered with status 412: no manifest set"],
    ["/no-content", "answered with status 204"],
    ["/drip-error", "answered with status 403"],
    ["/gibibyte-error", "answered with status 400"],
    ["/gibibyte", "sent more than the 1048576 bytes allowed"],
    ["/gibibyte-announced", "sent more than the 1048576 bytes allowed"],
    ["/long-header", "sent more than"],
    ["/gzip-bomb", "inflates to more than 1048576 bytes"],
    ["/brotli-bomb", "inflates to more than 1048576 bytes"],
    ["/gzip-broken", "sent broken gzip"],
    ["/gzip-twice", "content encoding that was not asked for"],
  ])("%s is refused, memory bounded", async (path, reason) => {
    const before = process.memoryUsage().rss;
    const got = await ask(path);
    expect(got).toMatchObject({ status: "refused", reason: expect.stringContaining(reason) });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1_048_576);
    expect(await settleSockets()).toBe(0);
  });

  test("a refused connection is unavailable, and says what to look at", async () => {
    const gone = await startHostile();
    await gone.close();
    const got = await fetchBounded(new URL(`${gone.url}/ok`), {
      label: "the Coordinator",
      method: "GET",
      maxBytes: 10,
      timeoutMs: 1000,
      deadline: AbortSignal.timeout(5000),
    });
    expect(got).toEqual({
      status: "unavailable",
      reason: "the Coordinator could not be reached (ECONNREFUSED); check the address",
    });
  });

  test("the deadline of the run cuts an exchange off, and later ones are not begun", async () => {
    const deadline = AbortSignal.timeout(200);
    const first = await ask("/drip", { deadline, timeoutMs: 60_000 });
    expect(first).toMatchObject({ status: "unavailable", reason: expect.stringContaining("deadline of this run") });
    const before = server.asked.get("/ok") ?? 0;
    const second = await ask("/ok", { deadline });
    expect(second).toMatchObject({ status: "unavailable", reason: expect.stringContaining("deadline of this run") });
    expect(server.asked.get("/ok") ?? 0).toBe(before);
  });

  test("text from the server is short and printable", async () => {
    const got = await ask("/escape");
    expect(got.status).toBe("refused");
    const reason = got.status === "ok" ? "" : got.reason;
    expect(reason).toMatch(/^[\x20-\x7e]{1,300}$/);
  });
});

describe("an answer that a verifier judges", () => {
  test.each([
    ["/ok", "application/json", '{"version":"v1.20.0"}'],
    ["/html", "text/html", "<html>sign in</html>"],
    ["/empty", "application/json", ""],
    ["/wrong-type", "image/png", "{}"],
    ["/gzip", "application/json", "plain"],
    ["/redirect-here", "application/json", '{"version":"v1.20.0"}'],
  ])("%s is ok with its type, bytes and time", async (path, contentType, text) => {
    const got = await ask(path, { now: () => new Date("2026-05-01T00:00:00Z") });
    expect(got).toEqual({
      status: "ok",
      bytes: new Uint8Array(Buffer.from(text)),
      contentType,
      at: "2026-05-01T00:00:00.000Z",
    });
  });

  test("a body of exactly the limit is taken, one byte more is not", async () => {
    const length = '{"version":"v1.20.0"}'.length;
    expect((await ask("/ok", { maxBytes: length })).status).toBe("ok");
    expect((await ask("/ok", { maxBytes: length - 1 })).status).toBe("refused");
  });

  test("a POST keeps its body over a 307 and is not turned into a GET by a 303", async () => {
    const post = { method: "POST", body: '{"nonce":""}', headers: { "content-type": "application/json" } } as const;
    const kept = await ask("/redirect-echo", post);
    const said = JSON.parse(kept.status === "ok" ? Buffer.from(kept.bytes).toString() : "null");
    expect(said).toMatchObject({ method: "POST", body: '{"nonce":""}' });
    expect(said.headers).toMatchObject({ "accept-encoding": "identity", "content-type": "application/json" });
    expect(await ask("/redirect-get", post)).toMatchObject({ status: "unavailable" });
  });
});

describe("retries", () => {
  test("only a connection that did not come about is tried again, once", async () => {
    for (const [path, times] of [
      ["/closed-before", 2],
      ["/500", 1],
      ["/never", 1],
      ["/closed-mid-body", 1],
    ] as const) {
      const before = server.asked.get(path) ?? 0;
      await ask(path, { retry: true, timeoutMs: 300 });
      expect([path, (server.asked.get(path) ?? 0) - before]).toEqual([path, times]);
    }
  });
});

describe("the API key", () => {
  const apiKey = new ApiKey("canary-5c1f0e77d2\n");
  test("is sent as a bearer token", async () => {
    const got = await ask("/echo", { apiKey: new ApiKey("another-key-0000") });
    // The echo repeats it, so that is what pm says, and no byte of the answer is kept.
    expect(got).toMatchObject({ status: "refused", reason: expect.stringContaining("repeats the API key") });
  });
  test.each(["/echo-key", "/echo-key-base64", "/echo-key-error", "/echo-key-type", "/echo"])(
    "%s: an answer that repeats it is not kept",
    async (path) => {
      const got = await ask(path, { apiKey });
      expect(got.status).toBe("refused");
      expect(JSON.stringify(got)).not.toContain("canary");
    },
  );
  test("is not sent to another host", async () => {
    const before = other.asked.get("/ok") ?? 0;
    await ask("/redirect-elsewhere", { apiKey });
    expect(other.asked.get("/ok") ?? 0).toBe(before);
  });
});
