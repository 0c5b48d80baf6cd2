/** The source of one run: live, a bundle, or a bundle under fresh collateral; and the nonce that goes with it. */
import { createHash, randomBytes } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import type { ChainPlan } from "../chain/chain.ts";
import { encodeExchangeKey, exchangeKeyRequest, exchangeKeySha256 } from "../chain/exchange-key.ts";
import { beaconNonce, encodeNonce, type Nonce, nonceRequest } from "../chain/nonce.ts";
import type { Origin, Sourced } from "../claims/answer.ts";
import { PmError, usage } from "../errors.ts";
import type { Exchange, Source } from "../run.ts";
import type { Bundle } from "../sources/bundle.ts";
import { type Collateral, loadCollateral } from "../sources/collateral.ts";
import type { CoordinatorOptions } from "../sources/coordinator.ts";
import { recordedSource, refreshSource, replaySource } from "../sources/source.ts";
import { rfc } from "../time.ts";
import { drawExchangeKey } from "./exchange-key.ts";
import type { Settings } from "./settings.ts";
import { cacheDirOf, vendorSource } from "./vendor.ts";

export interface Opened {
  readonly source: Source;
  readonly freshness: ChainPlan["freshness"];
  /** Text for people. */
  readonly freshnessLine: string;
  readonly capturedAt: Date;
  /** Folder of the high-water marks, in runs that asked the vendor live. */
  readonly marksDir: string | undefined;
}

/** @throws PmError PM_USAGE for URLs, collateral or roots that cannot be used */
export async function openLive(settings: Settings): Promise<Opened> {
  if (settings.profile.coordinatorUrl === undefined)
    throw usage("no Coordinator to ask", "add --coordinator URL, or coordinator.url to the profile");
  const nonce = drawNonce(settings);
  const publicKey = chosenKey(settings) ?? (settings.profile.exchange === undefined ? undefined : drawExchangeKey());
  const collateral = await collateralOf(settings);
  return {
    source: await live(settings, collateral, { nonce, publicKey }),
    freshness: {
      drawn: { value: hex(nonce.bytes), origin: nonceOrigin(settings) },
      ...(publicKey === undefined ? {} : { exchangeKey: keyWord(settings, publicKey) }),
    },
    freshnessLine: [freshnessLine(settings), ...(publicKey === undefined ? [] : [keyLine(settings)])].join("; "),
    capturedAt: settings.now,
    marksDir: settings.offline ? undefined : cacheDirOf(settings),
  };
}

/** A record may answer the nonce and the key that flags name; that it is fresh shows only in the run that sent them. */
function ofRecord(settings: Settings, notDrawn: string): ChainPlan["freshness"] {
  const { nonce, requireFresh } = settings;
  const publicKey = chosenKey(settings);
  return {
    notDrawn,
    ...(nonce === undefined ? {} : { named: { value: hex(nonce), origin: { kind: "flag", name: "--nonce" } } }),
    ...(publicKey === undefined ? {} : { exchangeKey: keyWord(settings, publicKey) }),
    owed: requireFresh,
  };
}

/** @throws PmError PM_USAGE for a key that nothing would be asked with */
function chosenKey({ exchangeKey, profile }: Settings): Uint8Array | undefined {
  if (exchangeKey !== undefined && profile.exchange === undefined)
    throw usage(
      "--exchange-public-key: the profile demands no secret exchange",
      "add exchange: {} to the profile; Privatemode's services have one",
    );
  return exchangeKey;
}

const keyWord = ({ exchangeKey, now }: Settings, publicKey: Uint8Array): Sourced => ({
  value: exchangeKeySha256(publicKey),
  origin:
    exchangeKey === undefined
      ? { kind: "measured", tool: "pm, random source", at: rfc(now) }
      : { kind: "flag", name: "--exchange-public-key" },
});

const keyLine = ({ exchangeKey }: Settings): string =>
  exchangeKey === undefined
    ? "it drew the public key of the secret exchange, too"
    : "it asked for a secret with the public key that --exchange-public-key gave";

const nonceOrigin = ({ nonce, now }: Settings): Origin =>
  nonce === undefined
    ? { kind: "measured", tool: "pm, random source", at: rfc(now) }
    : { kind: "flag", name: "--nonce" };

/** Everything from the bundle; the vendor's services live with --refresh-collateral. */
export async function openReplay(settings: Settings, bundle: Bundle): Promise<Opened> {
  if (settings.refreshCollateral && settings.at === undefined)
    throw usage(
      "--refresh-collateral judges under today's collateral, and needs to know for when",
      `add --at, for example --at ${rfc(settings.now)}`,
    );
  const collateral = await collateralOf(settings);
  const capturedAt = new Date(bundle.capturedAt);
  return {
    source: settings.refreshCollateral
      ? refreshSource(bundle, await live(settings, collateral))
      : replaySource(bundle, collateral),
    freshness: ofRecord(settings, "the nonce is the capturer's: this run drew none"),
    freshnessLine: `recorded at ${rfc(capturedAt)} by the capturer's clock; this run drew no nonce`,
    capturedAt,
    marksDir: settings.refreshCollateral ? cacheDirOf(settings) : undefined,
  };
}

/** A recorded request and its response as files; the vendor's services live unless offline. */
export async function openRecorded(
  settings: Settings,
  nonce: Uint8Array,
  exchanges: readonly Exchange[],
): Promise<Opened> {
  const collateral = await collateralOf(settings);
  return {
    source: recordedSource(exchanges, await live(settings, collateral, { nonce: { bytes: nonce } })),
    freshness: ofRecord(settings, "a recorded response: this run drew no nonce"),
    freshnessLine: "recorded response; this run drew no nonce",
    capturedAt: settings.now,
    marksDir: undefined,
  };
}

const collateralOf = async ({ collateral }: Settings): Promise<Collateral | undefined> =>
  collateral === undefined ? undefined : loadCollateral(collateral);

/** What a run asks with. */
interface Decided {
  readonly nonce: Nonce;
  readonly publicKey?: Uint8Array | undefined;
}

async function live(settings: Settings, collateral: Collateral | undefined, decided?: Decided): Promise<Source> {
  const { publishedUrl } = settings.profile;
  const coordinator = coordinatorOptions(settings);
  return vendorSource(settings, settings.notice, {
    ...(coordinator === undefined ? {} : { coordinator }),
    ...(publishedUrl === undefined ? {} : { publishedUrl: new URL(publishedUrl).origin }),
    ...(collateral === undefined ? {} : { collateral }),
    ...(decided === undefined ? {} : { decided: recordOf(decided) }),
  });
}

const recordOf = ({ nonce, publicKey }: Decided): ReadonlyMap<string, Uint8Array> =>
  new Map([
    [nonceRequest.path, encodeNonce(nonce)],
    ...(publicKey === undefined ? [] : [[exchangeKeyRequest.path, encodeExchangeKey(publicKey)] as const]),
  ]);

function coordinatorOptions({ profile, apiKey }: Settings): CoordinatorOptions | undefined {
  const { coordinatorUrl: url, clientVersion } = profile;
  if (profile.form !== "privatemode") return url === undefined ? undefined : { transport: "contrast-http", url };
  if (clientVersion === undefined) throw new PmError("PM_BUG", "the privatemode profile has no client version");
  return {
    transport: "privatemode-api",
    clientVersion,
    ...(url === undefined ? {} : { url }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

function drawNonce({ nonce, beacon }: Settings): Nonce {
  if (nonce !== undefined) return { bytes: nonce };
  const random = new Uint8Array(randomBytes(32));
  return beacon === undefined ? { bytes: random } : { bytes: beaconNonce(random, beacon), salt: random, beacon };
}

function freshnessLine({ nonce, beacon }: Settings): string {
  if (nonce !== undefined) return "fresh: this run sent the nonce that --nonce gave";
  if (beacon === undefined) return "fresh: this run drew the nonce";
  const digest = createHash("sha256").update(beacon, "utf8").digest("hex");
  return `fresh: this run drew the nonce and mixed in the beacon (SHA-256 ${digest})`;
}
