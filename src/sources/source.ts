/** The sources that a command composes: live, replayed from a bundle, and replayed with fresh collateral. */
import { type Exchange, keyOf, type Request, type Response, type Service, type Source } from "../run.ts";
import type { Collateral } from "./collateral.ts";
import { type CoordinatorOptions, coordinatorFetcher, publishedFetcher } from "./coordinator.ts";
import { type KdsOptions, kdsFetcher } from "./kds.ts";
import { isHighWater, memoryFetcher } from "./memory.ts";
import { type NetOptions, openNet } from "./net.ts";
import { pcsFetcher } from "./pcs.ts";

export interface LiveOptions extends NetOptions {
  /** Absent: requests to the Coordinator are refused ("no Coordinator given"). */
  readonly coordinator?: CoordinatorOptions;
  /** Base URL of published manifests; default Privatemode's CDN. */
  readonly publishedUrl?: string;
  readonly kdsUrl?: string;
  /** Base URL of a PCCS or of a mirror of Intel's service. */
  readonly pcsUrl?: string;
  /** From `collateralDir`: cache of certificates and CRLs, and high-water marks. Absent: neither read nor written. */
  readonly cacheDir?: string;
  /** From `loadCollateral`; answers before cache and network do. */
  readonly collateral?: Collateral;
  /** What this run decided, by request path. */
  readonly decided?: ReadonlyMap<string, Uint8Array>;
}

type Fetcher = (request: Request) => Promise<Response>;

/** Services of the CPU vendors: what they hand out is signed, and whoever holds a copy may give it. */
const isVendor = ({ service }: Request): boolean => service === "amd-kds" || service === "intel-pcs";

/**
 * Every service, live. With `offline` collateral, cache and memory still answer; the rest is unavailable.
 * @throws PmError PM_USAGE for URLs that are not allowed, before anything is asked
 */
export function liveSource(options: LiveOptions): Source {
  const net = openNet(options);
  const kds: KdsOptions = {
    ...(options.kdsUrl === undefined ? {} : { url: options.kdsUrl }),
    ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
  };
  const pcs = {
    ...(options.pcsUrl === undefined ? {} : { url: options.pcsUrl }),
    ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
  };
  const services: Readonly<Record<Service, Fetcher>> = {
    "amd-kds": kdsFetcher(kds, net),
    "intel-pcs": pcsFetcher(pcs, net),
    coordinator:
      options.coordinator === undefined
        ? async () => ({ status: "refused", reason: "no Coordinator given" })
        : coordinatorFetcher(options.coordinator, net),
    published: publishedFetcher(options.publishedUrl, net),
    memory: memoryFetcher(options.cacheDir, net.now),
    run: async ({ path }) => {
      const bytes = options.decided?.get(path);
      return bytes === undefined
        ? { status: "refused", reason: "this run decided no such thing" }
        : { status: "ok", bytes, at: net.now().toISOString() };
    },
  };
  return withCollateral(options.collateral, {
    fetch: async (request) =>
      request.service === "policy-engine"
        ? { status: "refused", reason: "this run has no policy engine" }
        : services[request.service](request),
  });
}

/** What the auditor gave goes first. */
function withCollateral(collateral: Collateral | undefined, otherwise: Source): Source {
  if (collateral === undefined) return otherwise;
  return {
    fetch: async (request) => {
      const given = isVendor(request) ? await collateral.answer(request) : undefined;
      return given ?? otherwise.fetch(request);
    },
  };
}

const nothing: Source = { fetch: async () => ({ status: "unavailable", reason: "not in this bundle" }) };

/**
 * Answers from recorded exchanges, and asks `otherwise` for what was not recorded. An answer belongs to its question:
 * another POST body (a nonce, say) under the same path is not answered by it.
 */
export function recordedSource(exchanges: readonly Exchange[], otherwise: Source = nothing): Source {
  const known = new Map(exchanges.map((exchange) => [keyOf(exchange.request), exchange]));
  return {
    fetch: async (request) => {
      const recorded = known.get(keyOf(request));
      if (recorded === undefined) return otherwise.fetch(request);
      if (recorded.request.post !== request.post)
        return { status: "unavailable", reason: "recorded as the answer to another question" };
      const { response } = recorded;
      return response.status === "ok" && response.bytes.length > request.maxBytes
        ? { status: "refused", reason: `the recorded answer has more than the ${request.maxBytes} bytes allowed` }
        : response;
    },
  };
}

/** Only the bundle, and collateral that the auditor gives beside it; opens no socket. */
export const replaySource = (bundle: { readonly exchanges: readonly Exchange[] }, collateral?: Collateral): Source =>
  withCollateral(collateral, recordedSource(bundle.exchanges));

/** `--refresh-collateral`: vendor services and this installation's high-water marks live, the rest from the bundle. */
export function refreshSource(bundle: { readonly exchanges: readonly Exchange[] }, live: Source): Source {
  const recorded = recordedSource(bundle.exchanges);
  // The rest of the memory is about the recorded run (its nonce), not about collateral.
  const fresh = (request: Request): boolean => isVendor(request) || isHighWater(request);
  return { fetch: (request) => (fresh(request) ? live : recorded).fetch(request) };
}
