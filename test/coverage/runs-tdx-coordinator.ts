/** `pm coordinator attest` of recorded exchanges with a Coordinator on TDX: what only a manifest demands of a quote. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collateralJson } from "../../fixtures/generator/intel-collateral.ts";
import { makeTdxDeployment, type TdxTamper } from "../../fixtures/generator/intel-deployment.ts";
import { tdxTampers } from "../../fixtures/generator/intel-tamper.ts";
import { sharedNow } from "../../fixtures/generator/shared.ts";
import { type Ran, runPm } from "../command.ts";

const folder = mkdtempSync(join(tmpdir(), "pm-coverage-tdx-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const written = (content: Uint8Array | string): string => {
  const path = join(folder, String(files++));
  writeFileSync(path, content);
  return path;
};

const deployment = makeTdxDeployment("coverage of tdx", { now: sharedNow });
const nonce = new Uint8Array(32).fill(0x5a);

function attest(tamper?: TdxTamper): Promise<Ran> {
  const [collateral] = deployment.pcs(tamper).collateral;
  if (collateral === undefined) throw new Error("a deployment without collateral");
  return runPm([
    ...["coordinator", "attest", "--response", written(deployment.respond(nonce, "attest", tamper))],
    ...["--request", written(JSON.stringify({ nonce: Buffer.from(nonce).toString("base64") }))],
    ...["--manifest", written(deployment.manifest), "--collateral", written(collateralJson(collateral))],
    ...["--insecure-trust-root", written(deployment.files.get("sgx-root-ca.pem") ?? "")],
    ...["--at", sharedNow.toISOString(), "--offline", "--json"],
  ]);
}

export const tdxCoordinatorRuns = {
  "Coordinator on TDX as demanded": () => attest(),
  "Coordinator on a platform that is not listed": () => attest(tdxTampers.piid.apply),
  "Coordinator on a platform with SMT": () => attest(tdxTampers.smt.apply),
  "Coordinator without SEPT_VE_DISABLE": () => attest(tdxTampers.septVe.apply),
} as const;
