/** Runs a pure audit: ask, fetch what was missing, ask again, until nothing is missing. Replay is the same with a full map. */
import { PmError } from "./errors.ts";

/**
 * Who answers. `amd-kds`: AMD's key distribution service. `intel-pcs`: Intel's Provisioning Certification Service,
 * version 4. `coordinator`: the audited Contrast Coordinator. `published`: what the audited party publishes (a manifest
 * on its web server). `memory`: what this installation saw before (high-water marks). `run`: what this run itself decided
 * (its nonce).
 */
export type Service = "amd-kds" | "intel-pcs" | "coordinator" | "published" | "memory" | "run";
/** The guest's Rego engine inside pm: what it answers is computed in each run, and recorded nowhere. */
export type Local = "policy-engine";

/** Names bytes by who answers and what is asked; never by host, so that a mirror, a cache and a bundle give the same key. */
export interface Request {
  readonly service: Service | Local;
  /** Path and query, beginning with "/". */
  readonly path: string;
  readonly maxBytes: number;
  /** A POST of this JSON text; absent: GET. */
  readonly post?: string;
}

export type Response =
  | {
      readonly status: "ok";
      readonly bytes: Uint8Array;
      /** RFC 3339: when the bytes were received, by the clock of whoever received them. */
      readonly at: string;
      /** Content-Type as received, of HTTP answers. */
      readonly contentType?: string;
      /** PEM text of the issuer chain, URL-decoded from its header: PCS v4 hands the chain out beside the document. */
      readonly issuerChain?: string;
      /** Bytes that replaced an older or newer copy: what the service itself offered, when something better was at hand. */
      readonly offered?: Uint8Array;
      /** The auditor handed these bytes over in place of the service; a bundle does not record it. */
      readonly given?: true;
    }
  /** No answer, 5xx, 429, deadline: trying again may help. */
  | { readonly status: "unavailable"; readonly reason: string }
  /** An answer that cannot be used: 4xx, over the byte limit. Trying again will not help. */
  | { readonly status: "refused"; readonly reason: string };

export type Look = (request: Request) => Response;

export interface Source {
  fetch(request: Request): Promise<Response>;
}

/** A request with the answer that the last round used. */
export interface Exchange {
  readonly request: Request;
  readonly response: Response;
}

export interface Outcome<T> {
  readonly result: T;
  /** Every exchange that the judgement used, failures included, sorted by key: what a bundle holds. */
  readonly used: readonly Exchange[];
}

export const keyOf = (r: Request): string => `${r.service} ${r.path}`;
const pending: Response = { status: "unavailable", reason: "not fetched yet" };
/** Longest known dependency: Coordinator, report, certificate chain, CRL, its high-water mark. */
const maxRounds = 8;

/**
 * @param audit pure and synchronous; it is called again with a fuller map until it asks for nothing new
 * @throws PmError PM_BUG when it never stops asking
 */
export async function run<T>(audit: (look: Look) => T, source: Source): Promise<Outcome<T>> {
  const known = new Map<string, Exchange>();
  for (let round = 0; round < maxRounds; round++) {
    const wanted = new Map<string, Request>();
    const asked = new Set<string>();
    const look: Look = (request) => {
      const key = keyOf(request);
      asked.add(key);
      const answer = known.get(key);
      if (answer === undefined) wanted.set(key, request);
      return answer?.response ?? pending;
    };
    const result = audit(look);
    if (wanted.size === 0) {
      const used = [...asked].sort().flatMap((key) => known.get(key) ?? []);
      return { result, used };
    }
    await Promise.all(
      [...wanted].map(async ([key, request]) => {
        known.set(key, { request, response: await source.fetch(request) });
      }),
    );
  }
  throw new PmError("PM_BUG", `the audit still asks after ${maxRounds} rounds`);
}
