/** Mesh certificates and the secret exchange that were made with OpenSSL apart from pm, through `pm endpoint verify`. */
import { expect, test } from "vitest";
import { type Ran, reportOf, runPm } from "../command.ts";
import { describeEvidence, evidenceJson, evidencePath } from "../evidence.ts";

const at = ["--at", "2026-12-01T00:00:00Z", "--offline", "--json"];
const file = (name: string): string => evidencePath(`contrast/${name}`);
const verify = (meshCa: string, ...what: string[]): Promise<Ran> =>
  runPm([
    ...["endpoint", "verify", ...what, ...at, "--mesh-ca", file(meshCa)],
    ...["--manifest", file("manifest-privatemode-v1.40-shape.json")],
  ]);
const statusOf = (ran: Ran, id: string): string | undefined => {
  const claim = reportOf(ran).claims.find((c) => c.id === id);
  return claim === undefined ? undefined : [claim.status, ...(claim.code === undefined ? [] : [claim.code])].join(" ");
};
/** Made with OpenSSL: host data and WorkloadSecretID are the only ones of Contrast's extensions. */
const leftOut = [
  "contrast.mesh.extensions",
  "contrast.mesh.measurement",
  "contrast.mesh.tcb",
  "contrast.mesh.chip",
] as const;

describeEvidence("mesh certificates made apart from pm", () => {
  test("the leaf chains to the mesh CA, and names, host data and WorkloadSecretID are the manifest's", async () => {
    const ran = await verify("pki-meshca.pem", "--certificate", file("pki-leafcert.pem"));
    const open = reportOf(ran).claims.filter((c) => c.owed && c.status !== "pass");
    expect(open.map((c) => c.id)).toEqual(leftOut);
    expect([ran.status, statusOf(ran, "contrast.mesh.extensions")]).toEqual([1, "fail mesh-extension-missing"]);
  });
  test("the rogue leaf does not chain to it", async () => {
    const ran = await verify("pki-meshca.pem", "--certificate", file("pki-rogueleaf.pem"));
    expect([ran.status, statusOf(ran, "contrast.mesh.path")]).toEqual([1, "fail chain-root"]);
  });
  test("the leaf does not chain to the rogue mesh CA, nor to the root, nor to the intermediate in the CA's place", async () => {
    for (const [ca, code] of [
      ["pki-roguemesh.pem", "fail chain-root"],
      ["pki-rootca.pem", "fail chain-root"],
      // Name and key are the mesh CA's, but it hangs under the root, and so anchors more than this manifest.
      ["pki-interm.pem", "fail chain-root"],
    ] as const)
      expect(statusOf(await verify(ca, "--certificate", file("pki-leafcert.pem")), "contrast.mesh.path"), ca).toBe(
        code,
      );
  });

  test("the recorded exchange is signed by the secret service that its defaults demand", async () => {
    const ran = await verify("pki-meshca.pem", "--exchange", file("secret-exchange.json"));
    const open = reportOf(ran).claims.filter((c) => c.owed && c.status !== "pass");
    expect(open.map((c) => c.id)).toEqual(leftOut);
    const { expect: expected } = evidenceJson<{ expect: { secret_id: string } }>("contrast/secret-exchange.json");
    expect(reportOf(ran).evidence["secret exchange"]).toMatchObject({ secretId: expected.secret_id });
  });
  test("and proves nothing under the rogue mesh CA", async () => {
    const ran = await verify("pki-roguemesh.pem", "--exchange", file("secret-exchange.json"));
    expect(statusOf(ran, "contrast.mesh.path")).toBe("fail chain-root");
    expect(statusOf(ran, "contrast.exchange.signature")).toBe("skip");
  });
});
