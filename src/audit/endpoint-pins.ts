/** Whose mesh CA and manifest count: files that the auditor holds, or those of a recorded run that is verified again here. */
import { auditChain } from "../chain/chain.ts";
import { type Answer, type Origin, skip } from "../claims/answer.ts";
import { conclude } from "../claims/verdict.ts";
import { PmError, usage } from "../errors.ts";
import type { Input } from "../input.ts";
import type { Audited, Relaxation } from "../report/report.ts";
import { run } from "../run.ts";
import type { Bundle } from "../sources/bundle.ts";
import { rfc } from "../time.ts";
import { decodeCa } from "../verifiers/contrast/ca.ts";
import { decodeState, manifestOrigin, manifestRules } from "../verifiers/contrast/index.ts";
import type { MeshInput } from "../verifiers/contrast/mesh.ts";
import { planOf, relaxationsOf } from "./plan.ts";
import type { Settings } from "./settings.ts";
import { openReplay } from "./source.ts";

export type EndpointPins =
  | {
      readonly kind: "files";
      readonly meshCa: Input;
      readonly manifest: Input;
      /** Undefined: the default version's rules. */
      readonly contrastVersion: string | undefined;
    }
  | { readonly kind: "bundle"; readonly bundle: Bundle; readonly settings: Settings };

type Pinned = Pick<MeshInput, "meshCa" | "manifest" | "rules">;
/** The pins with what the report says about them. */
export interface OpenedPins {
  /** Or what every question about the endpoint says. */
  readonly pins: Pinned | { readonly blocked: Answer<never> };
  /** Where the anchor comes from. */
  readonly source: string;
  /** The recorded run's own judgement; empty for files. */
  readonly audited: Audited;
  readonly relaxations: readonly Relaxation[];
  readonly profileSha256: string | null;
  readonly bundleSha256: string | null;
  readonly recordedAt: string | undefined;
  /** The recorded run's, for people. */
  readonly freshness: string | undefined;
}

const pinned = ({ name, sha256 }: Input): Origin => ({ kind: "pinned", file: name, sha256 });

/** What no mesh certificate can show by itself. */
const onlyGiven =
  "Mesh CA: that an attested Coordinator of this deployment showed the given certificate. Compare the mesh CA key's SHA-256 with the one that pm coordinator attest prints, or name a recorded run with --bundle.";

/** @throws PmError PM_USAGE for a mesh CA that is no certificate, or settings that cannot be used */
export async function openPins(pins: EndpointPins, at: Date): Promise<OpenedPins> {
  if (pins.kind === "bundle") return openBundle(pins.settings, pins.bundle, at);
  const { meshCa, manifest, contrastVersion } = pins;
  const decoded = decodeCa(meshCa.bytes, "mesh_ca");
  if ("reason" in decoded)
    throw usage(`--mesh-ca ${meshCa.name}: ${decoded.reason}`, "one PEM certificate, as the Coordinator's mesh_ca is");
  return {
    pins: {
      meshCa: {
        pem: meshCa.bytes,
        certificate: decoded.certificate,
        name: meshCa.name,
        origin: pinned(meshCa),
      },
      manifest: { bytes: manifest.bytes, name: manifest.name, origin: pinned(manifest) },
      rules: manifestRules(contrastVersion),
    },
    source: `--mesh-ca ${meshCa.name}`,
    audited: { judged: [], evidence: {}, anchors: [], notProven: [onlyGiven] },
    relaxations: [],
    profileSha256: null,
    bundleSha256: null,
    recordedAt: undefined,
    freshness: undefined,
  };
}

/** The whole judgement of `pm verify BUNDLE --profile`, and only if it verifies the mesh CA and manifest that it attested. */
async function openBundle(settings: Settings, bundle: Bundle, at: Date): Promise<OpenedPins> {
  if (settings.profile.manifest.kind === "recomputed")
    throw usage(
      "the profile's manifest reference is recomputed, which this command does not do",
      "pm manifest generate --save FILE makes it once; then use --manifest FILE",
    );
  const opened = await openReplay(settings, bundle);
  const plan = planOf(settings, opened);
  const { result, used } = await run((look) => auditChain(plan, look, at), opened.source);
  const { profile, now } = settings;
  const rules = { waivers: profile.waivers, promoted: new Set(profile.promote), now };
  const { verdict } = conclude(result.judged, rules);
  const answered = used.find(({ request: r }) => r.service === "coordinator" && r.path.endsWith("/attest"));
  const state = (): Pinned => {
    if (answered?.response.status !== "ok")
      throw new PmError("PM_BUG", "a verified run without the Coordinator's answer");
    const { meshCa: pem, manifests } = decodeState(answered.response.bytes, plan.form);
    const [decoded, bytes] = [decodeCa(pem, "mesh_ca"), manifests.at(-1)];
    if ("reason" in decoded || bytes === undefined || result.manifestSha256 === undefined)
      throw new PmError("PM_BUG", "a verified run without mesh CA or manifest");
    const { manifestReference } = result;
    return {
      // The report data of the recorded run covers both, and its claims passed.
      meshCa: {
        pem,
        certificate: decoded.certificate,
        name: "response",
        origin: { kind: "evidence", name: "attested mesh CA" },
      },
      manifest: { bytes, name: "manifest", origin: manifestOrigin(result.manifestSha256, manifestReference) },
      rules: manifestRules(plan.contrastVersion),
    };
  };
  return {
    pins: verdict === "verified" ? state() : { blocked: skip(`not asked: the recorded run is ${verdict}`) },
    source: "attested by the Coordinator of the bundle",
    audited: result,
    relaxations: relaxationsOf(settings),
    profileSha256: profile.sha256,
    bundleSha256: bundle.sha256,
    recordedAt: rfc(opened.capturedAt),
    freshness: opened.freshnessLine,
  };
}
