/** One request and its answer over node:http or node:https, cut off at the limits; nothing here judges a status. */
import http from "node:http";
import https from "node:https";
import { checkServerIdentity } from "node:tls";
import type { FetchOptions } from "./http.ts";

export type Exchanged =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: Uint8Array;
      readonly contentType: string | undefined;
      readonly encoding: string | undefined;
      /** Every value that a header was sent with, one by one; the name in lower case. */
      readonly header: (name: string) => readonly string[];
    }
  | { readonly kind: "redirect"; readonly status: number; readonly location: string }
  | { readonly kind: "large" }
  /** `again`: no connection came about, and another try may make one. */
  | { readonly kind: "failed"; readonly reason: string; readonly again: boolean };

/** Bodies of other statuses than 200 are read only for their error text. */
const maxErrorBytes = 65_536;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** All named, because each has a default that the environment can change (NODE_TLS_REJECT_UNAUTHORIZED, NODE_OPTIONS). */
const strict = {
  rejectUnauthorized: true,
  checkServerIdentity,
  minVersion: "TLSv1.2",
  insecureHTTPParser: false,
  maxHeaderSize: 16_384,
  // A socket of its own: no pool, no keep-alive, no proxy from the environment.
  agent: false,
} as const;

/** Resolves in any case, at the latest when the try's time or the run's deadline is over; the socket is gone then. */
export function exchange(url: URL, options: FetchOptions): Promise<Exchanged> {
  return new Promise((resolve) => {
    const { deadline, timeoutMs, apiKey, body } = options;
    let answer: http.IncomingMessage | undefined;
    if (deadline.aborted) {
      resolve(overdue());
      return;
    }
    const request = (url.protocol === "https:" ? https : http).request(url, {
      ...strict,
      method: options.method,
      headers: {
        ...options.headers,
        "accept-encoding": "identity",
        "user-agent": "pm-audit",
        ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey.reveal()}` }),
      },
    });
    const finish = (result: Exchanged): void => {
      clearTimeout(timer);
      deadline.removeEventListener("abort", onDeadline);
      request.destroy();
      resolve(result);
    };
    const onDeadline = (): void => finish(settled(answer) ?? overdue());
    const timer = setTimeout(() => finish(settled(answer) ?? late(answer !== undefined, timeoutMs)), timeoutMs);
    deadline.addEventListener("abort", onDeadline, { once: true });
    request.on("error", (error) => finish(settled(answer) ?? broken(error, answer !== undefined)));
    // A server may close without an error event, for example after 101.
    request.on("close", () => finish(settled(answer) ?? broken(undefined, answer !== undefined)));
    request.on("response", (message) => {
      answer = message;
      readBody(message, options.maxBytes, finish);
    });
    request.end(body);
  });
}

/** Calls `finish` once per end that the body can have; further calls change nothing, since a promise resolves once. */
function readBody(message: http.IncomingMessage, maxBytes: number, finish: (result: Exchanged) => void): void {
  const status = message.statusCode ?? 0;
  const location = message.headers.location;
  if (redirectStatuses.has(status) && location !== undefined) {
    finish({ kind: "redirect", status, location });
    return;
  }
  const limit = status === 200 ? maxBytes : maxErrorBytes;
  const tooLarge = (): void => finish(settled(message) ?? { kind: "large" });
  if (Number(message.headers["content-length"] ?? 0) > limit) {
    tooLarge();
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  message.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > limit) {
      chunks.length = 0;
      tooLarge();
    } else chunks.push(chunk);
  });
  message.on("end", () => {
    const whole = (): Exchanged => answered(message, new Uint8Array(Buffer.concat(chunks)));
    finish(message.complete ? whole() : (settled(message) ?? broken(undefined, true)));
  });
  message.on("error", (error) => finish(settled(message) ?? broken(error, true)));
}

/** Once a status other than 200 is known, the exchange is answered, whatever happens to its body. */
const settled = (message: http.IncomingMessage | undefined): Exchanged | undefined =>
  message === undefined || message.statusCode === 200 ? undefined : answered(message, new Uint8Array());

const answered = (message: http.IncomingMessage, body: Uint8Array): Exchanged => ({
  kind: "answer",
  status: message.statusCode ?? 0,
  body,
  contentType: message.headers["content-type"],
  encoding: message.headers["content-encoding"],
  header: (name) => message.headersDistinct[name] ?? [],
});

const failed = (reason: string, again = false): Exchanged => ({ kind: "failed", reason, again });
const overdue = (): Exchanged => failed("was cut off at the deadline of this run");
const late = (begun: boolean, timeoutMs: number): Exchanged =>
  failed(`${begun ? "did not finish its answer" : "gave no answer"} within ${timeoutMs / 1000} s`);

/** Only the error's code is shown: its message may hold addresses. */
function broken(error: Error | undefined, begun: boolean): Exchanged {
  const code = error !== undefined && "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === "HPE_HEADER_OVERFLOW") return { kind: "large" };
  if (begun) return failed("closed the connection in the middle of its answer");
  if (code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO|TLS|SSL/.test(code))
    return failed(`has no TLS certificate or version that is accepted (${code})`);
  return failed(`could not be reached (${code ?? "connection closed"}); check the address`, true);
}
