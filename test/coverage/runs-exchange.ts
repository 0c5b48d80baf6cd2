/** `pm verify` with the secret exchange in the same run, and a record of one under the key that somebody names. */
import { join } from "node:path";
import type { Ran } from "../command.ts";
import { demoNames, type ExchangeWorld, startExchangeWorld } from "../commands/exchange-world.ts";

async function inWorld(ask: (world: ExchangeWorld, profile: string) => Promise<Ran>): Promise<Ran> {
  const world = await startExchangeWorld();
  try {
    return await ask(world, world.profile(demoNames(world.deployment)));
  } finally {
    await world.close();
  }
}

export const exchangeRuns = {
  "live with the secret exchange": () => inWorld((world, profile) => world.verify(profile)),
  "record of an exchange with another key than the named one": () =>
    inWorld(async (world, profile) => {
      const bundle = join(world.folder, "run.tar");
      await world.verify(profile, "--save", bundle);
      const named = world.write("key.bin", new Uint8Array(1216));
      return world.verify(bundle, "--profile", profile, "--offline", "--exchange-public-key", named);
    }),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
