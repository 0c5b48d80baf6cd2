/** Transports to the audited Coordinator and to what its operator publishes: spec notes contrast.md 3.1 and 3.5. */
import { usage } from "../errors.ts";
import type { Request, Response } from "../run.ts";
import type { Net } from "./net.ts";
import { httpUrl, secureUrl, under } from "./paths.ts";
import type { ApiKey } from "./secret.ts";

export type CoordinatorOptions =
  /** A Contrast Coordinator's HTTP API (port 1314); plain http is fine, the evidence proves itself. */
  | { readonly transport: "contrast-http"; readonly url: string }
  /** Privatemode's wrapper around it; the key must not travel in the clear. */
  | {
      readonly transport: "privatemode-api";
      /** Default https://api.privatemode.ai. */
      readonly url?: string;
      readonly apiKey?: ApiKey;
      /** Header Privatemode-Version. */
      readonly clientVersion: string;
    };

export const defaultPrivatemodeUrl = "https://api.privatemode.ai";
export const defaultPublishedUrl = "https://cdn.confidential.cloud";

type Fetcher = (request: Request) => Promise<Response>;

/** @throws PmError PM_USAGE for a URL or a version that is not allowed */
export function coordinatorFetcher(options: CoordinatorOptions, net: Net): Fetcher {
  if (options.transport === "privatemode-api") return privatemodeFetcher(options, net);
  const base = httpUrl(options.url, "Coordinator URL");
  return (request) => net.fetch(under(base, request.path), { label: "the Coordinator", ...question(request) });
}

function privatemodeFetcher(options: CoordinatorOptions & { transport: "privatemode-api" }, net: Net): Fetcher {
  const base = secureUrl(options.url ?? defaultPrivatemodeUrl, "API URL");
  const { apiKey, clientVersion } = options;
  if (!/^[\x21-\x7e]{1,64}$/.test(clientVersion))
    throw usage("client version: must be 1 to 64 visible ASCII characters");
  if (apiKey === undefined) return async () => ({ status: "refused", reason: "no API key: --api-key-file FILE or -" });
  return (request) => {
    const { headers, ...rest } = question(request);
    return net.fetch(under(base, request.path), {
      label: "the Privatemode API",
      ...rest,
      headers: { ...headers, "privatemode-version": clientVersion },
      apiKey,
      explain: { 401: "the API key was not accepted" },
    });
  };
}

/** A manifest that the audited party publishes, without credentials; caches on the way are asked to look again. */
export function publishedFetcher(url: string | undefined, net: Net): Fetcher {
  const base = secureUrl(url ?? defaultPublishedUrl, "URL of published files");
  return (request) => {
    const { headers, ...rest } = question(request);
    return net.fetch(under(base, request.path), {
      label: "the publisher's web server",
      ...rest,
      headers: { ...headers, "cache-control": "no-cache" },
    });
  };
}

const question = (request: Request) => ({
  method: request.post === undefined ? ("GET" as const) : ("POST" as const),
  headers: {
    accept: "application/json",
    ...(request.post === undefined ? {} : { "content-type": "application/json" }),
  },
  maxBytes: request.maxBytes,
  ...(request.post === undefined ? {} : { body: request.post }),
});
