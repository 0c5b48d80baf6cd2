/** `pm verify` with the reference `recomputed`: a stand-in for the Contrast CLI makes the manifest anew in the same run. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../../demo/server.ts";
import { profileValue } from "../../fixtures/generator/profile.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import { writeDeployment } from "../../fixtures/generator/write.ts";
import type { ReportClaim } from "../../src/report/report.ts";
import { type Ran, reportOf, runPm } from "../command.ts";
import { alone, sha256 } from "./generate-world.ts";

const folder = mkdtempSync(join(tmpdir(), "pm-recomputed-"));
const deployment = sharedDeployment(new Date());
const file = writeDeployment(deployment, folder);
let server: RunningServer;
beforeAll(async () => {
  server = await startServer(deployment);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, content: string | Uint8Array, mode = 0o644): string => {
  writeFileSync(join(folder, name), content, { mode });
  return join(folder, name);
};
/** Leaves these bytes as manifest.json. */
const leaving = (manifest: Uint8Array): string =>
  alone(`import { writeFileSync } from "node:fs";
if (process.argv.includes("generate"))
  writeFileSync("manifest.json", Buffer.from("${Buffer.from(manifest).toString("base64")}", "base64"));
else process.stdout.write("contrast version v1.20.0\\n");`);

let runs = 0;
interface Question {
  /** Text of the CLI; default leaves the deployment's manifest. */
  readonly cli?: string;
  /** Default: the CLI's own digest; null: none is named. */
  readonly cliSha256?: string | null;
  /** Further members of the profile's manifest. */
  readonly manifest?: object;
  readonly target?: string;
  readonly args?: readonly string[];
}
function verify({ cli = leaving(deployment.manifest), cliSha256 = sha256(cli), ...question }: Question): Promise<Ran> {
  const name = `cli-${runs++}.mjs`;
  write(name, cli, 0o755);
  const value = profileValue(deployment, { coordinator: server.url, reference: "none" });
  const manifest = {
    reference: "recomputed",
    cli: name,
    ...(cliSha256 === null ? {} : { cliSha256 }),
    referenceValues: "metal-qemu-snp-gpu",
    ...question.manifest,
  };
  const profile = write(`pm-${name}.yaml`, JSON.stringify({ ...value, manifest }));
  return runPm([
    ...["verify", ...(question.target === undefined ? [profile] : [question.target, "--profile", profile]), "--json"],
    ...["--insecure-trust-root", file("ark.pem"), "--kds-url", server.kdsUrl, ...(question.args ?? [])],
  ]);
}
const owedOpen = (ran: Ran): string[] =>
  reportOf(ran)
    .claims.filter((c) => c.owed && c.status !== "pass")
    .map((c) => `${c.id} ${c.status} ${c.code ?? ""}`.trim());
const expectedOf = (ran: Ran): ReportClaim | undefined =>
  reportOf(ran).claims.find((c) => c.id === "contrast.manifest.expected");

describe("a manifest that this run made anew", () => {
  it("is the reference, in a replay too: a bundle is none", async () => {
    const bundle = join(folder, "run.tar");
    const ran = await verify({ args: ["--save", bundle] });
    expect([ran.status, owedOpen(ran)]).toEqual([0, []]);
    expect(expectedOf(ran)?.expected?.origin.kind).toBe("recomputed");
    const replay = await verify({ target: bundle });
    expect([replay.status, owedOpen(replay)]).toEqual([0, []]);
    const other = await verify({
      target: bundle,
      cli: leaving(Buffer.concat([deployment.manifest, Buffer.from("\n")])),
    });
    expect([other.status, owedOpen(other)[0]]).toEqual([1, "contrast.manifest.expected fail manifest-differs"]);
  });
  it("is none by a CLI that nobody named", async () => {
    const ran = await verify({ cliSha256: null });
    expect(ran.status).toBe(3);
    expect(owedOpen(ran)).toContain("contrast.generate.cli_known error cli-unknown");
    expect(expectedOf(ran)?.status).toBe("skip");
  });
  it("is none by another CLI, which is not run", async () => {
    const trace = join(folder, "was-run");
    const cli = alone(`import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(trace)}, "");`);
    const ran = await verify({ cli, cliSha256: "ab".repeat(32) });
    expect(ran.status).toBe(1);
    expect(owedOpen(ran)).toContain("contrast.generate.cli_known fail cli-differs");
    expect(() => rmSync(trace)).toThrow();
  });
  it("is none by a CLI that fails", async () => {
    const ran = await verify({ cli: alone("process.exitCode = 1;") });
    expect(ran.status).toBe(1);
    expect(owedOpen(ran)).toContain("contrast.generate.ran fail generate-failed");
    expect(expectedOf(ran)?.status).toBe("skip");
  });
  it.each([
    ["offline", { args: ["--offline"] }, "--offline"],
    ["with a member of another reference", { manifest: { file: "manifest.json" } }, "manifest.file"],
  ] as const)("cannot be asked for %s", async (_what, question, words) => {
    const ran = await verify(question);
    expect([ran.status, ran.stdout]).toEqual([2, expect.stringContaining(words)]);
  });
});
