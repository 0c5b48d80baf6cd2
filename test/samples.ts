/** Genuine inputs for each decoder of the registry: made by the generator, and real ones where the evidence folder is there. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { certChainPem } from "../fixtures/generator/amd.ts";
import {
  attestationProtobuf,
  certificateGuid,
  certificateTable,
  extendedReport,
} from "../fixtures/generator/carriers.ts";
import { pem } from "../fixtures/generator/der.ts";
import { sealed } from "../fixtures/generator/guest.ts";
import { sharedDeployment } from "../fixtures/generator/shared.ts";
import type { Exchange } from "../src/run.ts";
import { writeBundle } from "../src/sources/bundle.ts";
import { evidence, evidenceDir } from "./evidence.ts";
import { annotation, bytes, device } from "./verifiers/kata/make.ts";

const nonce = new Uint8Array(32).fill(7);
const real = (...paths: readonly string[]): Uint8Array[] => (evidenceDir === undefined ? [] : paths.map(evidence));

/** A bundle as tar, and the index inside it: what `pm capture` writes. */
async function bundleSamples(exchanges: readonly Exchange[]): Promise<{ tar: Uint8Array; index: Uint8Array }> {
  const folder = mkdtempSync(join(tmpdir(), "pm-samples-"));
  try {
    const content = { capturedAt: "2027-01-01T00:00:00Z", exchanges };
    await writeBundle(join(folder, "bundle.tar"), content);
    await writeBundle(join(folder, "bundle"), content);
    return {
      tar: new Uint8Array(readFileSync(join(folder, "bundle.tar"))),
      index: new Uint8Array(readFileSync(join(folder, "bundle", "index.json"))),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const profile = `version: 1
service: privatemode
contrastVersion: v1.20
history: exactly-one
manifest: { reference: pinned, sha256: ${"a".repeat(64)} }
measurements:
  - "${"b".repeat(96)}"
minimumTcb: { bootloader: 10, tee: 0, snp: 23, microcode: 84 }
waivers:
  - claim: snp.platform.info
    subject: coordinator
    reason: hyperthreading is accepted until the move
    owner: audit
    expires: 2027-06-01T00:00:00Z
`;

/** By decoder id; each list has at least one input that the decoder reads. */
export async function genuineInputs(): Promise<ReadonlyMap<string, readonly Uint8Array[]>> {
  const d = sharedDeployment();
  const report = sealed(d.fields, d.vcek.key);
  const ask = d.authority.ask.certificate;
  const ark = d.authority.ark.certificate;
  const vcek = d.vcek.certificate;
  const table = certificateTable([
    [certificateGuid.vcek, vcek],
    [certificateGuid.ask, ask],
  ]);
  const policy = d.coordinator.body;
  const ok = (service: "coordinator" | "amd-kds", path: string, body: Uint8Array, post?: string): Exchange => ({
    request: { service, path, maxBytes: body.length, ...(post === undefined ? {} : { post }) },
    response: { status: "ok", bytes: body, at: "2027-01-01T00:00:00Z" },
  });
  const refused: Exchange = {
    request: { service: "published", path: "/manifest.json", maxBytes: 0 },
    response: { status: "refused", reason: "status 404" },
  };
  const bundle = await bundleSamples([
    ok("amd-kds", "/vcek/v1/Genoa/crl", d.crl),
    ok("coordinator", "/attest", d.manifest, "{}"),
    refused,
  ]);
  return new Map([
    [
      "snp-evidence",
      [
        report,
        bytes(Buffer.from(report).toString("hex")),
        bytes(Buffer.from(report).toString("base64")),
        extendedReport(report, table),
        attestationProtobuf(report, { vcek, ask, ark, crl: d.crl }),
        ...real(
          "snp/real/turin-v5.report.bin",
          "snp/real/genoa-v3-exttable.extended.bin",
          "snp/real/milan-v2-debug.report.bin",
        ),
      ],
    ],
    ["crl", [d.crl, bytes(pem(d.crl, "X509 CRL")), ...real("snp/synthetic/revokes-ask.crl.der")]],
    [
      "certificates",
      [
        vcek,
        ask,
        bytes(certChainPem(d.authority)),
        d.rootCa,
        ...real("snp/real/turin-v5.vcek.der", "contrast/pki-leafcert.pem"),
      ],
    ],
    ["bundle", [bundle.tar]],
    ["bundle-index", [bundle.index]],
    ["privatemode-response", [d.respond(nonce, "privatemode"), ...real("contrast/privatemode-attest-ok.json")]],
    ["coordinator-response", [d.respond(nonce), d.respond(nonce, "v1"), ...real("contrast/attest-ok.json")]],
    [
      "manifest",
      [d.manifest, ...real("contrast/manifest-privatemode-v1.40-shape.json", "contrast/manifest-sdk-test.json")],
    ],
    ["attest-request", [bytes(JSON.stringify({ nonce: Buffer.from(nonce).toString("base64") }))]],
    [
      "policy",
      [
        policy,
        bytes(annotation(policy)),
        device(policy),
        new Uint8Array(gzipSync(policy)),
        bytes("package agent_policy\n\ndefault AllowRequestsFailingPolicy := false\n"),
        ...real("contrast/initdata-synthetic.toml", "contrast/initdata-synthetic.annotation.txt"),
      ],
    ],
    ["profile", [bytes(profile)]],
  ]);
}
