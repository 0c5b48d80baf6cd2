/** `pm coordinator attest`: one Coordinator by itself, live or from a recorded exchange. */
import { auditCoordinator } from "../chain/coordinator.ts";
import { unproven, unprovenRevocation } from "../chain/unproven.ts";
import { usage } from "../errors.ts";
import type { BuiltInName } from "../profile/profile.ts";
import { composeReport } from "../report/compose.ts";
import type { Report } from "../report/report.ts";
import { type Exchange, type Response, run } from "../run.ts";
import { rfc } from "../time.ts";
import { attestRequest, capabilitiesRequest, decodeAttestRequest } from "../verifiers/contrast/index.ts";
import { planOf, relaxationsOf } from "./plan.ts";
import type { Settings } from "./settings.ts";
import { type Opened, openLive, openRecorded } from "./source.ts";

/** A question as it was posted and the body of its answer. */
export interface Recorded {
  readonly nonce: Uint8Array;
  readonly response: Uint8Array;
  /** Body of GET /capabilities, which the form v1 covers. */
  readonly capabilities?: Uint8Array;
}

/**
 * The nonce of a recorded request, and the service in whose spelling it is.
 * @throws PmError PM_USAGE for a file that is no such request
 */
export function recordedRequest(bytes: Uint8Array): { readonly nonce: Uint8Array; readonly service: BuiltInName } {
  try {
    const { nonce, wrapped } = decodeAttestRequest(bytes);
    return { nonce, service: wrapped ? "privatemode" : "contrast" };
  } catch (error) {
    throw usage(
      `--request: ${error instanceof Error ? error.message : String(error)}`,
      'the JSON that was posted: {"nonce": "<base64 of 32 bytes>"}',
    );
  }
}

/** @throws PmError PM_USAGE for settings that cannot be used */
export async function attest(settings: Settings, recorded: Recorded | undefined): Promise<Report> {
  const opened = recorded === undefined ? await openLive(settings) : await openExchange(settings, recorded);
  const at = settings.at ?? settings.now;
  const plan = planOf(settings, opened);
  const { result } = await run((look) => auditCoordinator(plan, look, at), opened.source);
  return composeReport({
    audited: {
      judged: result.judged,
      evidence: result.evidence,
      anchors: result.anchors,
      notProven: [...unproven, ...unprovenRevocation(result.cpu.snp?.crls ?? [])],
    },
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

function openExchange(settings: Settings, { nonce, response, capabilities }: Recorded): Promise<Opened> {
  const ok = (bytes: Uint8Array): Response => ({ status: "ok", bytes, at: rfc(settings.now) });
  const exchanges: Exchange[] = [
    { request: attestRequest(settings.profile.form, nonce), response: ok(response) },
    ...(capabilities === undefined ? [] : [{ request: capabilitiesRequest, response: ok(capabilities) }]),
  ];
  return openRecorded(settings, nonce, exchanges);
}
