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
import { erofsStates } from "../fixtures/generator/erofs-damage.ts";
import { sealed } from "../fixtures/generator/guest.ts";
import { intelDraft, makeIntelEvidence } from "../fixtures/generator/intel-evidence.ts";
import { prng } from "../fixtures/generator/prng.ts";
import { sharedDeployment } from "../fixtures/generator/shared.ts";
import {
  attestationRsEvidence,
  configfsEvidence,
  hclBlob,
  jsonBytes,
  sevCrateJson,
  tinfoilEvidence,
  trusteeEvidence,
} from "../fixtures/generator/snp-carriers.ts";
import { veritySuperblock } from "../fixtures/generator/verity.ts";
import type { Exchange } from "../src/run.ts";
import { writeBundle } from "../src/sources/bundle.ts";
import { evidence, evidenceDir } from "./evidence.ts";
import { annotation, bytes, device } from "./verifiers/kata/make.ts";
import { ccel, dstackEvent, dstackLog, logEvents } from "./verifiers/tdx/eventlog-make.ts";

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

/** ACPI table CCEL of a TD, without checksum. */
const ccelTable = new Uint8Array(
  Buffer.concat([
    Buffer.from("CCEL\x38\0\0\0", "latin1"),
    Buffer.alloc(28),
    Buffer.from([2, 0, 0, 0]),
    Buffer.alloc(16, 0x10),
  ]),
);

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
  const at = new Date("2027-01-01T00:00:00Z");
  const td = makeIntelEvidence(intelDraft("samples", at, { version: 5 }));
  const enclave = makeIntelEvidence(intelDraft("samples", at, { tee: "sgx", ca: "processor" }));
  const pckLeaf = td.pck.certificate;
  return new Map([
    [
      "intel-quote",
      [
        td.raw,
        enclave.raw,
        bytes(Buffer.from(enclave.raw).toString("hex")),
        bytes(Buffer.from(td.raw).toString("base64")),
        makeIntelEvidence(intelDraft("samples", at, { form: "protobuf" })).quote,
        ...real("tdx/sets/v4-contrast-90c0/quote.bin", "tdx/sets/v3-sgx-processorca-00a0/quote.bin"),
      ],
    ],
    [
      "tcb-info",
      [td.collateral.tcbInfo.body, enclave.collateral.tcbInfo.body, ...real("tdx/pcs-raw/tcb_info_90c06f000000.json")],
    ],
    [
      "qe-identity",
      [td.collateral.qeIdentity.body, enclave.collateral.qeIdentity.body, ...real("tdx/pcs-raw/qe_identity.json")],
    ],
    [
      "event-log",
      [
        ccel(logEvents()),
        new Uint8Array([...ccel(logEvents()), ...new Uint8Array(64).fill(0xff)]),
        dstackLog(logEvents()),
        bytes(JSON.stringify({ quote: "", event_log: JSON.stringify([dstackEvent("compose-hash", "ab")]) })),
        ...real("tdx/eventlogs/dstack-0.5/quote-report.json"),
      ],
    ],
    ["ccel-table", [ccelTable, ...real("tdx/eventlogs/gcp-cos-113/ccel_table.dat")]],
    [
      "snp-evidence",
      [
        report,
        bytes(Buffer.from(report).toString("hex")),
        bytes(Buffer.from(report).toString("base64")),
        extendedReport(report, table),
        attestationProtobuf(report, { vcek, ask, ark, crl: d.crl }),
        hclBlob(report),
        ...[sevCrateJson(report, "older"), sevCrateJson(report, "newer")].map(jsonBytes),
        jsonBytes(trusteeEvidence(report, [["VCEK", vcek]])),
        jsonBytes(attestationRsEvidence(report, { vcek })),
        jsonBytes(configfsEvidence(report, table)),
        jsonBytes(tinfoilEvidence(report)),
        ...real(
          "snp/real/siena-v5.evidence.json",
          "snp/real/milan-v2-vmpl1.report.sevcrate.json",
          "snp/real/turin-v5.report.bin",
          "snp/real/genoa-v3-exttable.extended.bin",
          "snp/real/milan-v2-debug.report.bin",
        ),
      ],
    ],
    ["verity-superblock", [veritySuperblock(733)]],
    ["erofs-image", [erofsStates(prng("samples")).good]],
    ["crl", [d.crl, bytes(pem(d.crl, "X509 CRL")), ...real("snp/synthetic/revokes-ask.crl.der")]],
    [
      "certificates",
      [
        vcek,
        ask,
        pckLeaf,
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
    ["snp-gzip", [bytes(`${tinfoilEvidence(report).body}\n`)]],
    ["profile", [bytes(profile)]],
  ]);
}
