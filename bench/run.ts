/** All benchmarks in one run, printed as ratios with their targets; ends with 1 when a target was missed. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bundle, explainedBundle } from "./bundle.ts";
import { temporaryFolder } from "./fixture.ts";
import { cleanEnv, printRows } from "./measure.ts";
import { policyEngine } from "./policy-engine.ts";
import { inProcess } from "./snp.ts";
import { startup } from "./startup.ts";
import { tdxInProcess } from "./tdx.ts";

const folder = temporaryFolder();
const part = (name: string): string => {
  mkdirSync(join(folder, name));
  return join(folder, name);
};
// A home of their own: the user's compile cache and collateral are neither used nor filled.
cleanEnv["HOME"] = part("home");
cleanEnv["XDG_CACHE_HOME"] = join(folder, "home", "cache");

process.stdout.write(`Node ${process.version}; ratios of minimums that were measured in turns\n`);
printRows(startup(part("startup")));
printRows(inProcess(part("snp")));
printRows(tdxInProcess());
printRows(policyEngine());
printRows([await bundle(part("bundle")), await explainedBundle(part("explained"))]);
