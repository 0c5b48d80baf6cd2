import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../src/run.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { ApiKey } from "../../src/sources/secret.ts";
import { liveSource } from "../../src/sources/source.ts";
import { startHostile } from "./hostile.ts";
import { request, scratch, serve, textOf } from "./world.ts";

const apiKey = new ApiKey("canary-5c1f0e77d2");
const nonce = '{"nonce":"4ZjFIUocyVfUsbhqwg7Z4iWSqd2KdEJj78PuBsqtgCA="}';

describe("a Contrast Coordinator", () => {
  test("is asked by POST with its content type, and by GET without", async () => {
    const server = await serve({ "/attest": "{}", "/capabilities": "[]" });
    const source = liveSource({ coordinator: { transport: "contrast-http", url: server.url } });
    expect(textOf(await source.fetch(request("coordinator", "/attest", nonce)))).toBe("{}");
    expect(textOf(await source.fetch(request("coordinator", "/capabilities")))).toBe("[]");
    expect(server.asked.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
      { method: "POST", path: "/attest", body: nonce },
      { method: "GET", path: "/capabilities", body: "" },
    ]);
    expect(server.asked.map((a) => a.headers["content-type"])).toEqual(["application/json", undefined]);
    expect(server.asked.map((a) => a.headers.authorization)).toEqual([undefined, undefined]);
  });
  test("may lie under a path", async () => {
    const server = await serve({ "/proxy/coordinator/attest": "{}" });
    const coordinator = { transport: "contrast-http", url: `${server.url}/proxy/coordinator/` } as const;
    expect((await liveSource({ coordinator }).fetch(request("coordinator", "/attest", nonce))).status).toBe("ok");
  });
  test.each(["ftp://x", "coordinator:1314", "http://user:canary@x", "http://x/?token=canary", "http://x/#canary"])(
    "%s is a usage error that does not repeat it",
    (url) => {
      const make = () => liveSource({ coordinator: { transport: "contrast-http", url } });
      expect(make).toThrow(expect.objectContaining({ code: "PM_USAGE" }));
      expect(make).not.toThrow(/canary/);
    },
  );
  test("is refused where none was given, and unavailable offline", async () => {
    expect(await liveSource({}).fetch(request("coordinator", "/attest", nonce))).toEqual({
      status: "refused",
      reason: "no Coordinator given",
    });
    const server = await serve({ "/attest": "{}" });
    const offline = liveSource({ offline: true, coordinator: { transport: "contrast-http", url: server.url } });
    expect(await offline.fetch(request("coordinator", "/attest", nonce))).toMatchObject({ status: "unavailable" });
    expect(await offline.fetch(request("published", "/m.json"))).toMatchObject({ status: "unavailable" });
    expect(server.asked).toEqual([]);
  });
});

describe("the Privatemode API", () => {
  const path = "/privatemode/v1/attest";
  const transport = "privatemode-api";
  test("gets the key as a bearer token and the client version", async () => {
    const server = await serve({ [path]: "{}" });
    const source = liveSource({ coordinator: { transport, url: server.url, apiKey, clientVersion: "v1.40.0" } });
    expect((await source.fetch(request("coordinator", path, nonce))).status).toBe("ok");
    expect(server.asked[0]?.headers).toMatchObject({
      authorization: "Bearer canary-5c1f0e77d2",
      "privatemode-version": "v1.40.0",
      "content-type": "application/json",
    });
  });
  test("is not asked without a key", async () => {
    const server = await serve({ [path]: "{}" });
    const source = liveSource({ coordinator: { transport, url: server.url, clientVersion: "v1.40.0" } });
    expect(textOf(await source.fetch(request("coordinator", path, nonce)))).toBe(
      "refused: no API key: --api-key-file FILE or -",
    );
    expect(server.asked).toEqual([]);
  });
  test("says when the key was not accepted", async () => {
    const server = await serve({ [path]: 401 });
    const source = liveSource({ coordinator: { transport, url: server.url, apiKey, clientVersion: "v1.40.0" } });
    expect(textOf(await source.fetch(request("coordinator", path, nonce)))).toBe(
      "refused: the Privatemode API answered with status 401: the API key was not accepted",
    );
  });
  test("the key never leaves this machine in the clear", () => {
    const url = "http://api.privatemode.example";
    const make = () => liveSource({ coordinator: { transport, url, apiKey, clientVersion: "v1.40.0" } });
    expect(make).toThrow(/must be https/);
  });
  test("a client version that would break the header is a usage error", () => {
    const make = () => liveSource({ coordinator: { transport, apiKey, clientVersion: "v1\r\nx: y" } });
    expect(make).toThrow(expect.objectContaining({ code: "PM_USAGE" }));
  });
});

describe("published files", () => {
  test("are asked for without credentials, past caches", async () => {
    const server = await serve({ "/privatemode/v2/manifest.json": "{}" });
    const coordinator = { transport: "privatemode-api", url: server.url, apiKey, clientVersion: "v1.40.0" } as const;
    const source = liveSource({ publishedUrl: server.url, coordinator });
    expect(textOf(await source.fetch(request("published", "/privatemode/v2/manifest.json")))).toBe("{}");
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
    expect(server.asked[0]?.headers["cache-control"]).toBe("no-cache");
  });
});

test("a canary key occurs in no byte of a bundle, whatever a hostile server does with it", async () => {
  const hostile = await startHostile();
  const source = liveSource({
    timeoutMs: 300,
    coordinator: { transport: "privatemode-api", url: hostile.url, apiKey, clientVersion: "v1.40.0" },
  });
  const paths = [
    "/ok",
    "/echo",
    "/echo-key",
    "/echo-key-base64",
    "/echo-key-error",
    "/echo-key-type",
    "/redirect-echo",
    "/401",
    "/500",
    "/never",
    "/closed-mid-body",
    "/redirect-elsewhere",
    "/not-http",
    "/gibibyte",
  ];
  const exchanges: Exchange[] = await Promise.all(
    paths.map(async (path) => {
      const asked = request("coordinator", path, nonce);
      return { request: asked, response: await source.fetch(asked) };
    }),
  );
  await hostile.close();
  const folder = scratch();
  await writeBundle(join(folder, "b"), { capturedAt: "2026-06-10T12:00:00Z", exchanges });
  await writeBundle(join(folder, "b.tar"), { capturedAt: "2026-06-10T12:00:00Z", exchanges });
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  const contents = files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file));
  expect(contents.length).toBeGreaterThan(2);
  for (const bytes of contents) expect(apiKey.occursIn(bytes)).toBe(false);
  expect(exchanges.filter((e) => e.response.status === "ok").map((e) => e.request.path)).toEqual(["/ok"]);
});
