/** One bounded HTTP exchange: bytes, time and redirects are limited, and every outcome is a `Response`. */
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import type { Response } from "../run.ts";
import { type Exchanged, exchange } from "./http-exchange.ts";
import type { ApiKey } from "./secret.ts";

export interface FetchOptions {
  /** Who is asked, as the reader knows it: "the Coordinator". Begins every reason. */
  readonly label: string;
  readonly method: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Limit of the body, compressed and inflated alike. */
  readonly maxBytes: number;
  /** Limit of one try, from the look-up of the name to the last byte of the body. */
  readonly timeoutMs: number;
  /** Limit of the whole run. */
  readonly deadline: AbortSignal;
  /** Tries once more when no connection came about. */
  readonly retry?: boolean;
  /** Sent as a bearer token; an answer that repeats it is refused, so that no bundle can hold it. */
  readonly apiKey?: ApiKey;
  /** What a status means for this service. */
  readonly explain?: Readonly<Record<number, string>>;
  /** Headers, in lower case, of which one carries the URL-encoded issuer chain of the document. */
  readonly issuerChain?: { readonly headers: readonly string[]; readonly required: boolean } | undefined;
  readonly now?: () => Date;
}

const maxRedirects = 3;
const unavailable = (reason: string): Response => ({ status: "unavailable", reason });
const refused = (reason: string): Response => ({ status: "refused", reason });

/**
 * Status 200 is `ok`, whatever its body: the verifier judges it. Unavailable: no answer, time over, closed mid-body,
 * 5xx, 429, a redirect elsewhere. Refused: over the byte limit, other statuses. Never rejects.
 */
export async function fetchBounded(url: URL, options: FetchOptions): Promise<Response> {
  let target = url;
  let tries = options.retry === true ? 2 : 1;
  for (let redirects = 0; ; ) {
    const got = await exchange(target, options);
    if (got.kind === "failed" && got.again && --tries > 0 && !options.deadline.aborted) continue;
    if (got.kind !== "redirect") return classify(got, options);
    const next = sameHost(target, got.location);
    if (next === undefined) return unavailable(`${options.label} redirects to another host or scheme (${got.status})`);
    if (options.method === "POST" && got.status < 307)
      return unavailable(`${options.label} answers a POST with redirect ${got.status}, which would drop the question`);
    if (++redirects > maxRedirects) return unavailable(`${options.label} redirects more than ${maxRedirects} times`);
    target = next;
  }
}

/** A redirect may change the path only: another host would get the question and the API key. */
function sameHost(from: URL, location: string): URL | undefined {
  if (!URL.canParse(location, from.href)) return undefined;
  const to = new URL(location, from.href);
  return to.origin === from.origin && to.username === "" && to.password === "" ? to : undefined;
}

async function classify(got: Exclude<Exchanged, { kind: "redirect" }>, options: FetchOptions): Promise<Response> {
  const { label, apiKey } = options;
  if (got.kind === "failed") return unavailable(`${label} ${got.reason}`);
  if (got.kind === "large") return refused(`${label} sent more than the ${options.maxBytes} bytes allowed`);
  if (got.status !== 200) {
    const said = options.explain?.[got.status] ?? errorText(got.body);
    const safe = said === undefined || apiKey?.occursIn(Buffer.from(said)) ? "" : `: ${printable(said)}`;
    const reason = `${label} answered with status ${got.status}${safe}${waitText(got)}`;
    return got.status >= 500 || got.status === 429 ? unavailable(reason) : refused(reason);
  }
  const inflated = await inflateBounded(got.body, got.encoding, options.maxBytes);
  if ("reason" in inflated) return refused(`${label} ${inflated.reason}`);
  if (apiKey?.occursIn(inflated.bytes) || apiKey?.occursIn(Buffer.from(got.contentType ?? "")))
    return refused(`${label} repeats the API key in its answer, which is therefore not kept`);
  const chain = issuerChainOf(got, options.issuerChain);
  if ("reason" in chain) return refused(`${label} ${chain.reason}`);
  const contentType = got.contentType === undefined ? undefined : printable(got.contentType);
  const at = (options.now?.() ?? new Date()).toISOString();
  return { status: "ok", bytes: inflated.bytes, at, ...(contentType === undefined ? {} : { contentType }), ...chain };
}

type Answered = Exclude<Exchanged, { kind: "redirect" | "failed" | "large" }>;
const maxChain = 16_384;

/** One header, one value: of two chains nobody can say which one belongs to the document. */
function issuerChainOf(
  got: Answered,
  wanted: FetchOptions["issuerChain"],
): { readonly issuerChain?: string } | { readonly reason: string } {
  const [value, ...others] = wanted?.headers.flatMap(got.header) ?? [];
  if (others.length > 0) return { reason: `sent ${others.length + 1} issuer chains, needs one` };
  if (value === undefined) return wanted?.required ? { reason: "sent no issuer chain beside its answer" } : {};
  let text: string;
  try {
    text = decodeURIComponent(value);
  } catch {
    return { reason: "sent an issuer chain with a broken URL encoding" };
  }
  if (text.length > maxChain) return { reason: `sent an issuer chain of more than ${maxChain} characters` };
  // No comma: that is how a proxy folds two values into one.
  return /^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\r\n -]*$/.test(text)
    ? { issuerChain: text }
    : { reason: "sent an issuer chain that is not PEM" };
}

/** What a service that is overrun asks for; dates and other forms are left out. */
function waitText(got: Answered): string {
  const [seconds] = got.status === 429 || got.status === 503 ? got.header("retry-after") : [];
  return seconds !== undefined && /^\d{1,6}$/.test(seconds) ? `, and asks to wait ${seconds} s` : "";
}

const decoders = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** pm asks for `identity`; a server that compresses all the same gets no more memory by it. */
async function inflateBounded(
  bytes: Uint8Array,
  encoding: string | undefined,
  maxBytes: number,
): Promise<{ bytes: Uint8Array } | { reason: string }> {
  const name = encoding?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return { bytes };
  const decode = Object.hasOwn(decoders, name) ? decoders[name as keyof typeof decoders] : undefined;
  if (decode === undefined) return { reason: "sent a content encoding that was not asked for" };
  try {
    return { bytes: new Uint8Array(await decode(bytes, { maxOutputLength: maxBytes })) };
  } catch (error) {
    const large = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    return { reason: large ? `sent ${name} that inflates to more than ${maxBytes} bytes` : `sent broken ${name}` };
  }
}

/** `{"error": text}` of a Coordinator's error body (contrast.md 3.1), whole, since a cut key would not be found in it. */
function errorText(body: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    if (typeof value !== "object" || value === null || !("error" in value)) return undefined;
    return typeof value.error === "string" && value.error !== "" ? value.error : undefined;
  } catch {
    return undefined;
  }
}

/** At most 200 printable ASCII characters: the text goes to a terminal and into a bundle. */
export const printable = (text: string): string => text.slice(0, 200).replace(/[^\x20-\x7e]/g, "?");
