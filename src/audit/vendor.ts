/** What every judging run shares: the sources of vendor collateral in one scope, and the relaxation of a replaced root. */
import { testRootRelaxation } from "../report/compose.ts";
import type { Relaxation } from "../report/report.ts";
import type { Local, Service, Source } from "../run.ts";
import { limitedTo } from "../sources/net.ts";
import { collateralDir } from "../sources/paths.ts";
import { type LiveOptions, liveSource } from "../sources/source.ts";

export interface VendorSettings {
  readonly offline: boolean;
  readonly kdsUrl?: string;
  readonly pcsUrl?: string;
  readonly testRoot?: { readonly file: string; readonly bytes: Uint8Array };
  /** Limit of all questions to services together. */
  readonly timeoutMs?: number;
  /** Somebody watches: say what is waited for. */
  readonly progress?: boolean;
}

/** Cache and memory of this key service under this root; a test root never shares AMD's. */
export function cacheDirOf({ kdsUrl, testRoot }: VendorSettings): string {
  return collateralDir({
    ...(kdsUrl === undefined ? {} : { kdsUrl }),
    ...(testRoot === undefined ? {} : { testRoot: testRoot.bytes }),
  });
}

/**
 * @param more what else is asked: the Coordinator, published files, given collateral
 * @throws PmError PM_USAGE for URLs that are not allowed
 */
export function vendorSource(
  settings: VendorSettings,
  notice: (text: string) => void,
  more: Pick<LiveOptions, "coordinator" | "publishedUrl" | "collateral" | "decided"> = {},
): Source {
  const { kdsUrl, pcsUrl, offline } = settings;
  const source = liveSource({
    offline,
    notice,
    cacheDir: cacheDirOf(settings),
    ...limitedTo(settings.timeoutMs),
    ...(kdsUrl === undefined ? {} : { kdsUrl }),
    ...(pcsUrl === undefined ? {} : { pcsUrl }),
    ...more,
  });
  return settings.progress === true ? watched(source, notice) : source;
}

const names: Readonly<Record<Service | Local, string>> = {
  "amd-kds": "AMD's key distribution service",
  "intel-pcs": "Intel's certification service",
  coordinator: "the Coordinator",
  published: "the publisher's web server",
  memory: "the high-water marks",
  run: "this run",
  "policy-engine": "the policy engine",
};

/** Says on a terminal what keeps the run waiting. */
const watched = (source: Source, notice: (text: string) => void): Source => ({
  fetch: async (request) => {
    const timer = setTimeout(() => notice(`waiting for ${names[request.service]}`), 2000);
    try {
      return await source.fetch(request);
    } finally {
      clearTimeout(timer);
    }
  },
});

/** Named in every report whose root is not the vendor's. */
export const testRootRelaxations = ({ testRoot }: Pick<VendorSettings, "testRoot">): Relaxation[] =>
  testRoot === undefined
    ? []
    : [
        {
          name: testRootRelaxation,
          meaning: `the vendors' roots are replaced by ${testRoot.file}: nothing here says anything about AMD or Intel hardware`,
        },
      ];
