/** The rules by which a Coordinator's HTTP API and Privatemode's wrapper answer a request; contrast.md 3.1 and 3.5. */
import type { ApiForm } from "../fixtures/generator/answer.ts";
import { capabilitiesBody } from "../fixtures/generator/contrast.ts";
import type { Deployment } from "../fixtures/generator/deployment.ts";
import type { TdxDeployment } from "../fixtures/generator/intel-deployment.ts";
import { secretAnswer } from "../fixtures/generator/mesh.ts";
import type { Hooks, ServerAnswer, ServerRequest } from "./server.ts";

const version = "v1.20.0";
const maxBody = 1024;
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "utf8"));
const json = (body: Uint8Array): ServerAnswer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body,
});
const refused = (status: number, error: string): ServerAnswer => ({
  ...json(text(`${JSON.stringify({ version, error })}\n`)),
  status,
});
/** Without a body, as the real server answers another method. */
const otherMethod: ServerAnswer = { status: 405, headers: {}, body: text("") };

const header = (request: ServerRequest, name: string): string => {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
};

/** Absent or unreadable: 400; another type: 415. Parameters are allowed. */
function contentTypeError(request: ServerRequest): ServerAnswer | undefined {
  const value = header(request, "content-type");
  const type = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)\s*(?:;.*)?$/.exec(value)?.[1];
  if (type === undefined) return refused(400, "parsing Content-Type");
  return type.toLowerCase() === "application/json" ? undefined : refused(415, `Content-Type ${type}`);
}

/** Go's reader takes any case of a name; the real clients send `nonce` and `Nonce`. @param member in lower case */
function octetsOf(body: Uint8Array, member: string): Uint8Array | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    if (typeof value !== "object" || value === null) return new Uint8Array(0);
    const [, octets] = Object.entries(value).find(([name]) => name.toLowerCase() === member) ?? [];
    return typeof octets === "string" ? new Uint8Array(Buffer.from(octets, "base64")) : new Uint8Array(0);
  } catch {
    return undefined;
  }
}

type Served = Deployment | TdxDeployment;

function attest(deployment: Served, hooks: Hooks, request: ServerRequest, form: ApiForm): ServerAnswer {
  if (request.method !== "POST") return otherMethod;
  const typeError = contentTypeError(request);
  if (typeError !== undefined) return typeError;
  if (request.body.length > maxBody) return refused(413, `request body above ${maxBody} bytes`);
  const nonce = octetsOf(request.body, "nonce");
  if (nonce === undefined) return refused(400, "decoding request: no JSON");
  if (nonce.length !== 32) return refused(400, `nonce: 32 bytes wanted, got ${nonce.length}`);
  if (hooks.state === "no-manifest") return refused(412, "no manifest set");
  if (hooks.state === "needs-recovery") return refused(412, "the Coordinator needs recovery");
  return json(
    "tee" in deployment ? deployment.respond(nonce, form, hooks.tdx) : deployment.respond(nonce, form, hooks.tamper),
  );
}

const secretPath = "/privatemode/v1/secret";

function privatemode(deployment: Served, hooks: Hooks, request: ServerRequest, path: string): ServerAnswer {
  if (request.method !== "POST") return otherMethod;
  const key = header(request, "authorization").replace(/^Bearer /, "");
  return hooks.apiKey === undefined || key !== hooks.apiKey
    ? unauthorized
    : path === secretPath
      ? secret(deployment, hooks, request)
      : attest(deployment, hooks, request, "privatemode");
}
const unauthorized: ServerAnswer = {
  status: 401,
  headers: { "content-type": "text/plain" },
  body: text("unauthorized\n"),
};

const publicKeyBytes = 1216;
/** Privatemode's secret service behind the same API; how the real one words its errors is not known. */
function secret(deployment: Served, hooks: Hooks, { body }: ServerRequest): ServerAnswer {
  const plain = { "content-type": "text/plain" };
  const { exchangeStatus: status } = hooks;
  if (status !== undefined) return { status, headers: plain, body: text(`status ${status}\n`) };
  // Mesh certificates of workloads on TDX are not made here.
  if ("tee" in deployment) return { status: 404, headers: plain, body: text("404 page not found\n") };
  const publicKey = octetsOf(body, "publickey");
  return publicKey?.length === publicKeyBytes
    ? json(secretAnswer(deployment, publicKey, hooks.exchange))
    : { status: 400, headers: plain, body: text("bad public key\n") };
}

export function coordinatorAnswer(deployment: Served, hooks: Hooks, request: ServerRequest): ServerAnswer {
  const path = new URL(request.path, "http://coordinator.invalid").pathname;
  const get = (answer: ServerAnswer): ServerAnswer => (request.method === "GET" ? answer : otherMethod);
  if (path === "/attest") return attest(deployment, hooks, request, "attest");
  if (path === "/privatemode/v1/attest" || path === secretPath) return privatemode(deployment, hooks, request, path);
  if (path === "/privatemode/v2/manifest.json") return get(json(hooks.published ?? deployment.manifest));
  if (hooks.v1 !== false && path === "/v1/attest") return attest(deployment, hooks, request, "v1");
  if (hooks.v1 !== false && path === "/capabilities") return get(json(capabilitiesBody));
  return { status: 404, headers: { "content-type": "text/plain" }, body: text("404 page not found\n") };
}
