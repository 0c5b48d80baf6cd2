/** The one door to the network; it is shut with --offline, and the HTTP code is not even loaded then. */
import type { Response } from "../run.ts";
import type { FetchOptions } from "./http.ts";

export interface NetOptions {
  /** Opens no socket. */
  readonly offline?: boolean;
  /** Limit of one try; default 20 s. */
  readonly timeoutMs?: number;
  /** Limit of all fetches together; default 120 s from here on. */
  readonly deadline?: AbortSignal;
  readonly now?: () => Date;
  /** Takes warnings for stderr. */
  readonly notice?: (text: string) => void;
}

export interface Net {
  readonly fetch: (
    url: URL,
    options: Omit<FetchOptions, "timeoutMs" | "deadline" | "now"> & { readonly timeoutMs?: number },
  ) => Promise<Response>;
  /** No socket is opened: every answer of `fetch` is unavailable. */
  readonly offline: boolean;
  readonly now: () => Date;
  readonly notice: (text: string) => void;
}

const defaultTryMs = 20_000;
const defaultRunMs = 120_000;

/** One limit for the whole run, from now on; a single try never gets more than it does by default. */
export const limitedTo = (runMs: number | undefined): Pick<NetOptions, "timeoutMs" | "deadline"> =>
  runMs === undefined
    ? {}
    : { timeoutMs: Math.min(runMs, defaultTryMs), deadline: AbortSignal.timeout(Math.ceil(runMs)) };

export function openNet(options: NetOptions): Net {
  const now = options.now ?? (() => new Date());
  const deadline = options.deadline ?? AbortSignal.timeout(defaultRunMs);
  const timeoutMs = options.timeoutMs ?? defaultTryMs;
  return {
    offline: options.offline === true,
    now,
    notice: options.notice ?? (() => undefined),
    fetch: async (url, request) => {
      if (options.offline === true) return { status: "unavailable", reason: `offline: ${request.label} was not asked` };
      const { fetchBounded } = await import("./http.ts");
      return fetchBounded(url, { timeoutMs, deadline, now, ...request });
    },
  };
}
