import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  certificate,
  extension,
  integer,
  keys,
  name,
  pem,
  rootCertificate,
  sequence,
  spkiOf,
  time,
  tlv,
} from "../crypto/make.ts";

const run = promisify(execFile);
const http = fileURLToPath(new URL("../../src/sources/http.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pm-tls-"));
let server: Server;
let url: string;

beforeAll(async () => {
  const leaf = certificate({
    version: 3,
    serial: integer(5),
    issuer: name("Test Root"),
    subject: name("127.0.0.1"),
    notBefore: time("2020-01-01T00:00:00Z"),
    notAfter: time("2049-01-01T00:00:00Z"),
    algorithm: Uint8Array.from(Buffer.from("300a06082a8648ce3d040302", "hex")),
    hash: "sha256",
    spki: spkiOf(keys.leaf.publicKey),
    signer: keys.root,
    // subjectAltName: iPAddress 127.0.0.1
    extensions: { san: extension("2.5.29.17", sequence(tlv(0x87, Uint8Array.from([127, 0, 0, 1])))) },
  });
  const root = rootCertificate({ notBefore: time("2020-01-01T00:00:00Z"), notAfter: time("2049-01-01T00:00:00Z") });
  writeFileSync(join(folder, "root.pem"), pem("CERTIFICATE", root));
  server = createServer(
    {
      cert: pem("CERTIFICATE", leaf) + pem("CERTIFICATE", root),
      key: keys.leaf.privateKey.export({ format: "pem", type: "pkcs8" }),
    },
    (_, response) => void response.end("secret door"),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** A process of its own, since Node reads these variables at its start. */
async function fetchWith(env: Record<string, string>, target = url) {
  const program = `
    const { fetchBounded } = await import(${JSON.stringify(http)});
    const got = await fetchBounded(new URL(${JSON.stringify(target)}), { label: "the Coordinator", method: "GET",
      maxBytes: 100, timeoutMs: 5000, deadline: AbortSignal.timeout(9000) });
    console.log(JSON.stringify({ status: got.status, reason: got.reason }));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  return JSON.parse(stdout);
}

test("a certificate of an unknown root is refused, whatever the environment says", async () => {
  const off = { NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" };
  for (const env of [{}, off])
    expect(await fetchWith(env)).toMatchObject({
      status: "unavailable",
      reason: expect.stringContaining("has no TLS certificate or version that is accepted (SELF_SIGNED_CERT_IN_CHAIN)"),
    });
});

test("the same server is accepted once its root is trusted, under its own name only", async () => {
  const trusted = { NODE_EXTRA_CA_CERTS: join(folder, "root.pem") };
  expect(await fetchWith(trusted)).toEqual({ status: "ok" });
  expect(
    await fetchWith({ ...trusted, NODE_TLS_REJECT_UNAUTHORIZED: "0" }, url.replace("127.0.0.1", "localhost")),
  ).toMatchObject({
    status: "unavailable",
    reason: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID"),
  });
});
