/**
 * A Coordinator, Privatemode's wrapper, a published manifest, AMD's key distribution service and Intel's certification
 * service on loopback, answering from one deployment as the real HTTP APIs do (contrast.md 3.1, 3.5; snp.md 11; tdx.md 8).
 * Whatever goes wrong in a test is a hook.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Deployment, Tamper } from "../fixtures/generator/deployment.ts";
import type { TdxDeployment, TdxTamper } from "../fixtures/generator/intel-deployment.ts";
import { type PcsState, pcsAnswer } from "../fixtures/generator/intel-pcs.ts";
import { kdsAnswer } from "../fixtures/generator/kds.ts";
import type { ExchangeTamper } from "../fixtures/generator/mesh.ts";
import { coordinatorAnswer } from "./coordinator.ts";

export interface ServerRequest {
  readonly service: "coordinator" | "kds" | "pcs";
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}
export interface ServerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Read at each request, so that a test may change them while the server runs. */
export interface Hooks {
  /** What is wrong with the Coordinator's answers. */
  tamper?: Tamper | undefined;
  /** The same of a Coordinator on TDX; the collateral of the certification service follows. */
  tdx?: TdxTamper | undefined;
  /** What the certification service has, in place of the deployment's collateral. */
  pcs?: PcsState | undefined;
  /** The Coordinator answers 412. */
  state?: "no-manifest" | "needs-recovery" | undefined;
  /** Whether there are GET /capabilities and POST /v1/attest, as after v1.20. Default true. */
  v1?: boolean | undefined;
  /** The key that Privatemode's endpoint demands; default none, so that every key is refused. */
  apiKey?: string | undefined;
  /** What is wrong with the answers of Privatemode's secret service. */
  exchange?: ExchangeTamper | undefined;
  /** Status of the secret service in place of an answer. */
  exchangeStatus?: 401 | 404 | 503 | undefined;
  /** What is published instead of the present manifest. */
  published?: Uint8Array | undefined;
  /** The CRL that the KDS has; default a fresh one. */
  crl?: Uint8Array | undefined;
  /** Sees each request with the answer to it; what it returns is sent instead. Undefined: the answer as it is; null: hang up. */
  answer?: ((request: ServerRequest, answer: ServerAnswer) => ServerAnswer | null | undefined) | undefined;
}

export interface RunningServer {
  /** Base of the Coordinator, of Privatemode's API and of the published manifest. */
  readonly url: string;
  readonly kdsUrl: string;
  readonly pcsUrl: string;
  readonly hooks: Hooks;
  /** All requests so far, oldest first. Credentials are in it: never print it. */
  readonly requests: readonly ServerRequest[];
  close(): Promise<void>;
}

/** Enough for every request of these APIs; what is longer is cut and then refused by its length. */
const maxRequestBytes = 64 * 1024;

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    if (size < maxRequestBytes) parts.push(part);
    size += part.length;
  }
  return new Uint8Array(Buffer.concat(parts));
}

function send(response: ServerResponse, answer: ServerAnswer): void {
  response.writeHead(answer.status, { "content-length": answer.body.length, ...answer.headers });
  response.end(answer.body);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const notFound: ServerAnswer = { status: 404, headers: {}, body: new Uint8Array(0) };

/** The collateral of one tamper is signed once, so that all of its documents belong together. */
function collateralOf(deployment: TdxDeployment): (hooks: Hooks) => PcsState {
  const made = new Map<TdxTamper | undefined, PcsState>();
  return ({ pcs, tdx }) => {
    const state = pcs ?? made.get(tdx) ?? deployment.pcs(tdx);
    if (pcs === undefined) made.set(tdx, state);
    return state;
  };
}

/** Each vendor's service has only what its own deployments need. Listens on three free ports of 127.0.0.1. */
export async function startServer(deployment: Deployment | TdxDeployment, hooks: Hooks = {}): Promise<RunningServer> {
  const requests: ServerRequest[] = [];
  const serve = (service: ServerRequest["service"], respond: (request: ServerRequest) => ServerAnswer): Server =>
    createServer((incoming, response) => {
      const answered = async (): Promise<void> => {
        const { method = "GET", url = "/", headers } = incoming;
        const request = { service, method, path: url, headers, body: await bodyOf(incoming) };
        requests.push(request);
        const usual = respond(request);
        const answer = hooks.answer?.(request, usual);
        if (answer === null) response.destroy();
        else send(response, answer ?? usual);
      };
      answered().catch((error: unknown) => {
        process.stderr.write(`demo server: ${error instanceof Error ? error.message : String(error)}\n`);
        response.destroy();
      });
    });
  const coordinator = serve("coordinator", (request) => coordinatorAnswer(deployment, hooks, request));
  const kds = serve("kds", (request) => {
    if ("tee" in deployment) return notFound;
    const state = { authority: deployment.authority, chips: deployment.chips, crl: hooks.crl };
    const { status, contentType, body } = kdsAnswer(state, request.path);
    return { status, headers: { "content-type": contentType, "cache-control": "no-cache" }, body };
  });
  const collateral = "tee" in deployment ? collateralOf(deployment) : undefined;
  const pcs = serve("pcs", (request) =>
    collateral === undefined ? notFound : pcsAnswer(collateral(hooks), request.path),
  );
  return {
    url: await listen(coordinator),
    kdsUrl: await listen(kds),
    pcsUrl: await listen(pcs),
    hooks,
    requests,
    close: async () => {
      await Promise.all([stop(coordinator), stop(kds), stop(pcs)]);
    },
  };
}
