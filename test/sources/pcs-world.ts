/** Intel-shaped collateral of the generator, a loopback server that serves it or anything else, and a client of it. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { intelDraft, makeIntelEvidence } from "../../fixtures/generator/intel-evidence.ts";
import { pcsAnswer } from "../../fixtures/generator/intel-pcs.ts";
import type { Request, Response } from "../../src/run.ts";
import { type LiveOptions, liveSource } from "../../src/sources/source.ts";

export const now = new Date("2026-06-10T12:00:00Z");
export const hour = 3600 * 1000;
export const later = (hours: number): Date => new Date(now.getTime() + hours * hour);

/** Collateral whose documents were issued for `at`; one seed, one authority whatever the time. */
export function collateralAt(at: Date, tee: "tdx" | "sgx" = "tdx", evaluationNumber = 18) {
  const draft = intelDraft("pcs", at, { tee });
  const [tcbInfo, qeIdentity] = [draft.tcbInfo.value, draft.qeIdentity.value];
  return makeIntelEvidence({
    ...draft,
    tcbInfo: { value: { ...tcbInfo, tcbEvaluationDataNumber: evaluationNumber } },
    qeIdentity: { value: { ...qeIdentity, tcbEvaluationDataNumber: evaluationNumber } },
  }).collateral;
}
export const collateral = collateralAt(now);
export const older = collateralAt(later(-48));
export const fmspc = collateral.fmspc;

export interface Served {
  readonly status: number;
  /** A list is sent as several header lines. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Uint8Array | string;
}
/** A hook may write to the socket itself and answer nothing. */
export type Serve = (path: string) => Served | "hang" | "drip";

export async function servePcs(answer: Serve) {
  const asked: { path: string; method: string; headers: IncomingHttpHeaders }[] = [];
  const state = { answer };
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "";
    asked.push({ path, method: incoming.method ?? "", headers: incoming.headers });
    outgoing.on("error", () => undefined);
    const got = state.answer(path);
    if (got === "hang") return;
    if (got === "drip") {
      outgoing.writeHead(200, { "content-length": "100000" });
      const timer = setInterval(() => outgoing.write("x"), 20);
      outgoing.on("close", () => clearInterval(timer));
      return;
    }
    outgoing.writeHead(got.status, { ...got.headers }).end(got.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, state };
}

/** The service as it is meant to be. */
export const good =
  (of = collateral): Serve =>
  (path) =>
    pcsAnswer({ collateral: [of] }, path);
/** The good answer with something changed. */
export const but =
  (change: (answer: Served) => Served, of = collateral): Serve =>
  (path) =>
    change(pcsAnswer({ collateral: [of] }, path));

export const ask = (request: Request, options: Omit<LiveOptions, "now">, at = now): Promise<Response> =>
  liveSource({ now: () => at, timeoutMs: 2000, ...options }).fetch(request);
