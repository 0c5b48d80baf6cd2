/** `pm coordinator attest`: one Coordinator by itself, live or from a recorded exchange. */
import { auditCoordinator } from "../chain/coordinator.ts";
import { unproven } from "../chain/unproven.ts";
import { usage } from "../errors.ts";
import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { type Exchange, run } from "../run.ts";
import { rfc } from "../time.ts";
import { attestRequest, decodeAttestRequest } from "../verifiers/contrast/index.ts";
import { planOf, relaxationsOf } from "./plan.ts";
import type { Settings } from "./settings.ts";
import { type Opened, openLive, openRecorded } from "./source.ts";

/** A request as it was sent and the body of its answer. */
export interface Recorded {
  readonly request: Uint8Array;
  readonly response: Uint8Array;
}

/** @throws PmError PM_USAGE for a request that is none, or another nonce beside it */
export async function attest(settings: Settings, recorded: Recorded | undefined): Promise<Report> {
  const opened = recorded === undefined ? await openLive(settings) : await openExchange(settings, recorded);
  const at = settings.at ?? settings.now;
  const plan = planOf(settings, opened.freshness, opened.capturedAt);
  const { result } = await run((look) => auditCoordinator(plan, look, at), opened.source);
  return composeReport({
    audited: { judged: result.judged, evidence: result.evidence, anchors: result.anchors, notProven: unproven },
    target: settings.target,
    scope: "coordinator",
    judgedAt: rfc(at),
    capturedAt: recorded === undefined ? rfc(settings.now) : null,
    freshness: opened.freshnessLine,
    profileSha256: settings.profile.sha256,
    bundleSha256: null,
    relaxations: relaxationsOf(settings),
    rules: { waivers: [], promoted: new Set(), now: settings.now },
    toolVersion: settings.toolVersion,
    selfConsistent: true,
  });
}

function openExchange(settings: Settings, { request, response }: Recorded): Promise<Opened> {
  const nonce = nonceOf(request);
  const exchange: Exchange = {
    request: attestRequest(settings.profile.form, nonce),
    response: { status: "ok", bytes: response, at: rfc(settings.now) },
  };
  return openRecorded(settings, nonce, exchange);
}

function nonceOf(request: Uint8Array): Uint8Array {
  try {
    return decodeAttestRequest(request);
  } catch (error) {
    throw usage(
      `--request: ${error instanceof Error ? error.message : String(error)}`,
      'the JSON that was posted: {"nonce": "<base64 of 32 bytes>"}',
    );
  }
}
