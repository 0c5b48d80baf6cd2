/** One run of the Contrast CLI: what it was given, how it ended, and digests of what it wrote. */
import { createHash } from "node:crypto";
import { hex } from "../bytes/hex.ts";
import { type Input, maxDeploymentBytes, readInput } from "../input.ts";
import type { PreparedCli } from "../measure/contrast-cli.ts";
import type { Json } from "../report/report.ts";
import type { CliRunFacts } from "../verifiers/contrast/generate.ts";

const maxManifestBytes = 4 * 1024 * 1024;
const maxSettingsBytes = 16 * 1024 * 1024;
const maxCacheBytes = 256 * 1024 * 1024;
/** Files that pm puts beside each other for the CLI. */
export const names = { deployment: "deployment.yaml", key: "supplied-seedshare-owner.pem" } as const;

export const sha256Of = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());

export interface CliRun {
  readonly facts: CliRunFacts;
  readonly version: string | undefined;
  /** Digests of what the CLI wrote beside the manifest. */
  readonly written: { readonly [name: string]: Json };
}
export interface Given {
  readonly args: readonly string[];
  readonly deployment: Input;
  readonly key: Input | undefined;
}

/** Puts the copies in place, lets the CLI generate, and takes down what it left. */
export async function runCli(cli: PreparedCli, { args, deployment, key }: Given): Promise<CliRun> {
  await cli.put(names.deployment, deployment.bytes);
  if (key !== undefined) await cli.put(names.key, key.bytes);
  const version = await cli.version();
  // After that first start, so that whatever it left behind is seen.
  const found = await cli.contents();
  const ended = await cli.run(args);
  const digest = async (name: string, maxBytes: number): Promise<string | null> => {
    const bytes = await cli.read(name, maxBytes);
    return bytes === undefined ? null : sha256Of(bytes);
  };
  const cache = "layers-cache.json";
  const put = [names.deployment, ...(key === undefined ? [] : [names.key])];
  const given = ["bin/contrast", ...put.map((name) => `work/${name}`)];
  const facts: CliRunFacts = {
    found,
    given,
    ended,
    manifest: await cli.read("manifest.json", maxManifestBytes),
    checkout: { file: deployment.name, before: deployment.sha256, after: await digestNow(deployment.name) },
  };
  return {
    facts,
    version,
    written: {
      layersCache: {
        before: found.some((name) => name.endsWith(`/${cache}`)) ? "present" : "absent",
        sha256After: await digest(cache, maxCacheBytes),
      },
      settingsSha256: await digest("settings.json", maxSettingsBytes),
      rulesSha256: await digest("rules.rego", maxSettingsBytes),
      annotatedDeploymentSha256: await digest(names.deployment, maxCacheBytes),
      generatedManifestSha256: facts.manifest === undefined ? null : sha256Of(facts.manifest),
    },
  };
}

/** undefined: it is not there any more, or longer than a deployment file may be. */
const digestNow = (path: string): Promise<string | undefined> =>
  readInput(path, "a deployment file", maxDeploymentBytes).then(
    (input) => input.sha256,
    () => undefined,
  );
