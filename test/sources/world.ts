/** Certificates and CRLs with AMD's names, an inner server that serves them, and folders that go away. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Request, Response, Service } from "../../src/run.ts";
import {
  algorithms,
  crl,
  extension,
  integer,
  keys,
  leafCertificate,
  name,
  pem,
  rootCertificate,
  time,
} from "../crypto/make.ts";

export const chipId = "ab".repeat(64);
export const vcekPath = `/vcek/v1/Genoa/${chipId}?blSPL=10&teeSPL=0&snpSPL=28&ucodeSPL=88`;
export const chainPath = "/vcek/v1/Genoa/cert_chain";
export const crlPath = "/vcek/v1/Genoa/crl";

export const vcek = leafCertificate({ subject: name("SEV-VCEK"), issuer: name("SEV-Genoa") });
export const otherVcek = leafCertificate({ subject: name("SEV-VCEK"), issuer: name("SEV-Genoa"), serial: integer(9) });
export const chain = new Uint8Array(
  Buffer.from(
    pem("CERTIFICATE", rootCertificate({ subject: name("SEV-Genoa"), issuer: name("ARK-Genoa") })) +
      pem("CERTIFICATE", rootCertificate({ subject: name("ARK-Genoa"), issuer: name("ARK-Genoa") })),
  ),
);
export const makeCrl = (
  thisUpdate: string,
  number?: number,
  issuer = "ARK-Genoa",
  nextUpdate = "2027-01-01T00:00:00Z",
) =>
  crl({
    version: 2,
    issuer: name(issuer),
    thisUpdate: time(thisUpdate),
    nextUpdate: time(nextUpdate),
    entries: [],
    extensions: number === undefined ? [] : [extension("2.5.29.20", integer(number))],
    algorithm: algorithms["ecdsa-sha256"],
    signer: keys.root,
    hash: "sha256",
  });

export const request = (service: Service, path: string, post?: string): Request => ({
  service,
  path,
  maxBytes: 65_536,
  ...(post === undefined ? {} : { post }),
});
export const bytesOf = (response: Response): string =>
  response.status === "ok" ? Buffer.from(response.bytes).toString("hex") : `${response.status}: ${response.reason}`;
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const textOf = (response: Response): string =>
  response.status === "ok" ? Buffer.from(response.bytes).toString() : `${response.status}: ${response.reason}`;

/** A folder for this test, removed afterwards. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "pm-sources-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
export interface Served {
  readonly url: string;
  readonly asked: Asked[];
  /** Path to body, or to a status; may be changed while it runs. */
  readonly answers: Map<string, Uint8Array | string | number>;
}

/** A well-behaved server for this test. */
export async function serve(answers: Record<string, Uint8Array | string | number> = {}): Promise<Served> {
  const served: Served = { url: "", asked: [], answers: new Map(Object.entries(answers)) };
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const path = incoming.url ?? "";
      const body = Buffer.concat(chunks).toString();
      served.asked.push({ method: incoming.method ?? "", path, headers: incoming.headers, body });
      const answer = served.answers.get(path) ?? 404;
      if (typeof answer === "number") outgoing.writeHead(answer).end("<html>error</html>");
      else outgoing.writeHead(200, { "content-type": "application/octet-stream" }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...served, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
