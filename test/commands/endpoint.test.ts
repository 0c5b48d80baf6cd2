/** `pm endpoint verify`: a good certificate and exchange, and one defect a case with the one claim that names it. */
import { createServer, type Server } from "node:net";
import { createServer as createTls } from "node:tls";
import { afterAll, describe, expect, test } from "vitest";
import { dayFrom } from "../../fixtures/generator/amd.ts";
import { meshCaPem } from "../../fixtures/generator/contrast.ts";
import { integer, pem } from "../../fixtures/generator/der.ts";
import { manifestBytes } from "../../fixtures/generator/manifest.ts";
import {
  arcs,
  exchangeSignature,
  type LeafDefect,
  leafDefects,
  leafKey,
  makeLeaf,
  workload,
} from "../../fixtures/generator/mesh.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import type { Status } from "../../src/claims/answer.ts";
import { type Ran, reportOf } from "../command.ts";
import {
  certificate,
  demo,
  demoPins,
  exchange,
  exchangeKeySha256,
  folder,
  removeEndpoints,
  underBundle,
  verifyEndpoint,
} from "./endpoint-world.ts";

afterAll(removeEndpoints);
const d = sharedDeployment();

const owed = (ran: Ran, ...statuses: readonly Status[]): string[] =>
  reportOf(ran)
    .claims.filter((c) => c.owed && statuses.includes(c.status))
    .map((c) => `${c.id} ${c.code ?? "-"}`);
/** Exactly these claims fail, and nothing that is owed is left without a word. */
function failsWith(ran: Ran, ...expected: readonly string[]): void {
  expect(ran.stdout, ran.stderr).not.toBe("");
  expect(owed(ran, "fail")).toEqual(expected);
  expect(ran.status).toBe(1);
}

describe("a certificate as a file", () => {
  test("of the mesh CA and one entry is verified, and says for which question", async () => {
    const ran = await certificate({ args: demoPins });
    expect(ran.stderr).toBe("");
    expect(owed(ran, "fail", "error", "skip", "consistent", "unavailable")).toEqual([]);
    expect([ran.status, reportOf(ran).verdictLine]).toEqual([0, "verified (endpoint)"]);
    const text = reportOf(ran).notProven.join("\n");
    expect(text).toMatch(/attested Coordinator/);
    expect(text).toMatch(/need not hold its key/);
    expect(text).not.toMatch(/no reference value/);
  });
  test("without an expected name is verified as some workload of the mesh, and says that the name was not asked", async () => {
    const ran = await certificate();
    expect(ran.status).toBe(0);
    expect(reportOf(ran).notProven.at(-1)).toMatch(/contrast\.mesh\.expected_san, contrast\.mesh\.expected_workload/);
  });
  test("is taken from the front of a chain and as DER, too", async () => {
    const chain = await certificate({ chain: new TextDecoder().decode(d.meshCa) });
    const der = await certificate({ bytes: makeLeaf(d).certificate });
    expect([chain.status, der.status]).toEqual([0, 0]);
    expect(reportOf(chain).evidence["endpoint"]).toMatchObject({ furtherCertificates: 1 });
  });
  test("without the pod's own address is verified: the address is allowed, not demanded", async () => {
    const ran = await certificate({ defect: (l) => ({ ...l, names: l.names.slice(0, -1) }) });
    expect(ran.status).toBe(0);
  });

  test.each([
    ["of another mesh CA of the same root", leafDefects.otherMeshCa, "contrast.mesh.path chain-root"],
    ["of the root CA itself", leafDefects.underRoot, "contrast.mesh.path chain-root"],
    ["forged with the mesh CA's key identifier", leafDefects.copiedKeyIdentifier, "contrast.mesh.path chain-signature"],
    ["of an issuer of another name", leafDefects.otherIssuerName, "contrast.mesh.path chain-name"],
    ["signed with SHA-256", leafDefects.sha256, "contrast.mesh.path chain-algorithm"],
    ["with an RSA key", leafDefects.rsaLeaf, "contrast.mesh.path chain-algorithm"],
    ["with an unknown critical extension", leafDefects.unknownCritical, "contrast.mesh.path chain-extension"],
    ["of a CA", leafDefects.isCa, "contrast.mesh.path chain-extension"],
    ["that is expired", leafDefects.expired, "contrast.mesh.validity chain-validity"],
    ["for servers alone", leafDefects.serverOnly, "contrast.mesh.usage mesh-usage"],
    ["without usages", leafDefects.noUsage, "contrast.mesh.usage mesh-usage"],
    ["with usages that are no list", leafDefects.brokenUsage, "contrast.mesh.format mesh-malformed"],
    ["of a pod without a TEE", leafDefects.noAttestation, "contrast.mesh.extensions mesh-extension-missing"],
    ["without a measurement", leafDefects.noMeasurement, "contrast.mesh.extensions mesh-extension-missing"],
    ["with two measurements", leafDefects.twoMeasurements, "contrast.mesh.extensions mesh-extension-duplicate"],
    ["with values of two TEEs", leafDefects.twoTees, "contrast.mesh.extensions mesh-extension-duplicate"],
    ["with a chip id of 63 bytes", leafDefects.shortChipId, "contrast.mesh.extensions mesh-extension-malformed"],
    ["with a negative TCB level", leafDefects.negativeLevel, "contrast.mesh.extensions mesh-extension-malformed"],
    ["with host data that the manifest has not", leafDefects.unknownHostData, "contrast.mesh.host_data host-data"],
    ["with a name more", leafDefects.moreNames, "contrast.mesh.sans sans"],
    ["with a name less", leafDefects.fewerNames, "contrast.mesh.sans sans"],
    ["with two addresses more", leafDefects.twoAddresses, "contrast.mesh.sans sans"],
    [
      "whose WorkloadSecretID differs from its entry",
      leafDefects.otherWorkloadSecretId,
      "contrast.mesh.workload_secret_id workload-secret-id",
    ],
    [
      "without the entry's WorkloadSecretID",
      leafDefects.noWorkloadSecretId,
      "contrast.mesh.workload_secret_id workload-secret-id",
    ],
    ["of another guest image", leafDefects.otherMeasurement, "contrast.mesh.measurement measurement"],
    ["of a platform that reports too low a TCB", leafDefects.lowReportedTcb, "contrast.mesh.tcb tcb-minimum"],
    ["of a guest that was launched with too low a TCB", leafDefects.lowLaunchTcb, "contrast.mesh.tcb tcb-minimum"],
    ["of a chip that the manifest does not allow", leafDefects.otherChip, "contrast.mesh.chip chip-id-mismatch"],
  ] as const)("%s fails", async (_, defect, expected) => {
    failsWith(await certificate({ defect }), expected);
  });

  test("that is no certificate fails as malformed", async () => {
    failsWith(await certificate({ bytes: "no certificate" }), "contrast.mesh.format mesh-malformed");
  });
  test("with host data of one entry and the names of another fails: two entries never add up", async () => {
    const other = d.policies.find((p) => p.workload.name.startsWith("workload-"));
    const ran = await certificate({ defect: (l) => ({ ...l, names: other?.workload.sans ?? [] }) });
    failsWith(ran, "contrast.mesh.sans sans");
  });
  test("that names TDX and repeats its policy alone fails, and is compared with no reference value of SNP", async () => {
    const ran = await certificate({ defect: leafDefects.tdx });
    failsWith(ran, "contrast.mesh.extensions mesh-extension-missing");
    expect(owed(ran, "error")).toEqual(["contrast.mesh.measurement -"]);
  });
  test("with another name than the expected one fails, a wildcard notwithstanding", async () => {
    failsWith(await certificate({ args: ["--san", "elsewhere.example"] }), "contrast.mesh.expected_san san-missing");
    failsWith(await certificate({ args: ["--san", "secret.demo.exampl"] }), "contrast.mesh.expected_san san-missing");
    failsWith(
      await certificate({ args: ["--workload-secret-id", "apps/v1/StatefulSet/demo/other"] }),
      "contrast.mesh.expected_workload workload-unexpected",
    );
  });
  test("is not verified where no name was expected at all", async () => {
    expect((await certificate({ args: ["--san", ""] })).status).toBe(3);
  });
});

describe("the auditor's pins", () => {
  test("a mesh CA that is expired fails twice: as a CA, and in the path's dates", async () => {
    const meshCa = meshCaPem(d.random, d.now, d.manifest, (s) => ({
      ...s,
      notBefore: dayFrom(d.now, -20),
      notAfter: dayFrom(d.now, -10),
    }));
    failsWith(
      await certificate({ meshCa }),
      "contrast.mesh_ca.certificate mesh-ca",
      "contrast.mesh.validity chain-validity",
    );
  });
  test("the root CA in the mesh CA's place fails, though the chain ends in it", async () => {
    const ran = await certificate({ meshCa: d.rootCa, defect: leafDefects.underRoot });
    failsWith(ran, "contrast.mesh_ca.certificate mesh-ca");
  });
  test("a manifest that cannot be read in one way leaves every comparison open", async () => {
    const text = new TextDecoder().decode(d.manifest).replace('"SANs"', '"sans"');
    const ran = await certificate({ manifest: text });
    failsWith(ran, "contrast.manifest.unambiguous manifest-ambiguous");
    expect(owed(ran, "error")).toContain("contrast.mesh.host_data -");
  });
  test("reference values do not add up: the chip of one and the measurement of another", async () => {
    const [value] = d.manifestValue.ReferenceValues.snp;
    if (value === undefined) throw new Error("no reference value");
    const [a, b] = value.AllowedChipIDs ?? [];
    const snp = [
      { ...value, TrustedMeasurement: "ab".repeat(48), AllowedChipIDs: [a ?? ""] },
      { ...value, AllowedChipIDs: [b ?? ""] },
    ];
    const manifest = manifestBytes({ ...d.manifestValue, ReferenceValues: { snp } });
    failsWith(await certificate({ manifest }), "contrast.mesh.chip chip-id-mismatch");
  });
  test.each([
    [0, "BootloaderVersion"],
    [1, "SNPVersion"],
    [2, "TEEVersion"],
    [3, "MicrocodeVersion"],
  ] as const)("TCB extension %i is %s: one below its minimum fails, at it passes", async (place, part) => {
    const levels = [3, 27, 1, 90];
    const tcb =
      (change: number): LeafDefect =>
      (l) => ({
        ...l,
        extensions: l.extensions.map((e) => {
          const at = [28, 43].flatMap((from) => levels.map((_, i) => `${arcs.snp}.${from + i}`)).indexOf(e.oid);
          const level = (levels[at % 4] ?? 0) - (at === place + 4 ? change : 0);
          return at < 0 ? e : { ...e, value: integer(level) };
        }),
      });
    const MinimumTCB = { BootloaderVersion: 3, SNPVersion: 27, TEEVersion: 1, MicrocodeVersion: 90 };
    const snp = d.manifestValue.ReferenceValues.snp.map((v) => ({ ...v, MinimumTCB }));
    const manifest = manifestBytes({ ...d.manifestValue, ReferenceValues: { snp } });
    expect((await certificate({ manifest, defect: tcb(0) })).status, part).toBe(0);
    failsWith(await certificate({ manifest, defect: tcb(1) }), "contrast.mesh.tcb tcb-minimum");
  });
  test("a list of chips in one reference value and none in the one that fits leaves the chip open", async () => {
    const [value] = d.manifestValue.ReferenceValues.snp;
    if (value === undefined) throw new Error("no reference value");
    const snp = [
      { ...value, TrustedMeasurement: "ab".repeat(48) },
      { ...value, AllowedChipIDs: null },
    ];
    const ran = await certificate({ manifest: manifestBytes({ ...d.manifestValue, ReferenceValues: { snp } }) });
    expect([ran.status, owed(ran, "skip")]).toEqual([3, ["contrast.mesh.chip -"]]);
  });
  test("a manifest that names no chips does not owe the question, and it is listed as not proven", async () => {
    const snp = d.manifestValue.ReferenceValues.snp.map((v) => ({ ...v, AllowedChipIDs: null }));
    const ran = await certificate({ manifest: manifestBytes({ ...d.manifestValue, ReferenceValues: { snp } }) });
    expect(ran.status).toBe(0);
    expect(reportOf(ran).notProven.join("\n")).toMatch(/allows every chip: contrast\.mesh\.chip/);
  });

  test.each([
    ["no mesh CA", ["--certificate", "x", "--manifest", "x"]],
    ["no manifest", ["--certificate", "x", "--mesh-ca", "x"]],
    ["nothing to judge", ["--manifest", "x", "--mesh-ca", "x"]],
    ["two things to judge", ["host:1", "--certificate", "x", "--manifest", "x", "--mesh-ca", "x"]],
    ["an address with a scheme", ["https://host:1", "--manifest", "x", "--mesh-ca", "x"]],
    ["an address without a port", ["host", "--manifest", "x", "--mesh-ca", "x"]],
    ["port 0", ["host:0", "--manifest", "x", "--mesh-ca", "x"]],
    ["port 65536", ["host:65536", "--manifest", "x", "--mesh-ca", "x"]],
  ] as const)("%s is a usage error", async (_, args) => {
    const { runPm } = await import("../command.ts");
    const ran = await runPm(["endpoint", "verify", ...args, "--json"]);
    expect([ran.status, JSON.parse(ran.stdout).error.code]).toEqual([2, "PM_USAGE"]);
  });
  test("a mesh CA that is no certificate is a usage error", async () => {
    const ran = await certificate({ meshCa: "no certificate" });
    expect([ran.status, JSON.parse(ran.stdout).error.code]).toEqual([2, "PM_USAGE"]);
    expect(ran.stdout).toContain("--mesh-ca");
  });
});

describe("a recorded secret exchange", () => {
  test("is verified, and says that the key was not asked for", async () => {
    const ran = await exchange();
    expect([ran.status, ran.stderr, reportOf(ran).verdictLine]).toEqual([0, "", "verified (secret exchange)"]);
    expect(owed(ran, "fail", "error", "skip", "consistent", "unavailable")).toEqual([]);
    expect(reportOf(ran).notProven.join("\n")).toMatch(/no reference value given: contrast\.exchange\.public_key/);
  });
  test("demands Privatemode's secret service where no flag says otherwise", async () => {
    failsWith(
      await exchange({ args: [] }),
      "contrast.mesh.expected_san san-missing",
      "contrast.mesh.expected_workload workload-unexpected",
    );
  });
  test("of the auditor's own public key is told from another's", async () => {
    const own = ["--public-key-sha256", exchangeKeySha256()];
    const ran = await exchange({ args: [...demoPins, ...own] });
    expect(ran.status).toBe(0);
    expect(reportOf(ran).notProven.join("\n")).not.toMatch(/exchange\.public_key/);
    failsWith(
      await exchange({ args: [...demoPins, "--public-key-sha256", "ab".repeat(32)] }),
      "contrast.exchange.public_key exchange-public-key",
    );
  });
  test("under a rogue mesh CA fails, and its signature counts for nothing", async () => {
    const ran = await exchange({ defect: leafDefects.otherMeshCa });
    failsWith(ran, "contrast.mesh.path chain-root");
    expect(reportOf(ran).claims.find((c) => c.id === "contrast.exchange.signature")?.status).toBe("skip");
  });
  test("with a changed encapsulated key fails", async () => {
    const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((b, i) => (i === 7 ? b ^ 1 : b));
    failsWith(
      await exchange({ edit: (e) => ({ ...e, encapsulatedKey: flipped(e.encapsulatedKey) }) }),
      "contrast.exchange.signature exchange-signature",
    );
    failsWith(
      await exchange({ edit: (e) => ({ ...e, publicKey: flipped(e.publicKey) }) }),
      "contrast.exchange.signature exchange-signature",
    );
  });
  test("with r and s side by side (P1363) fails", async () => {
    const key = leafKey(d.random, "secret-service");
    const edit = (e: { publicKey: Uint8Array; encapsulatedKey: Uint8Array }) =>
      exchangeSignature(e.publicKey, e.encapsulatedKey, key, "ieee-p1363");
    failsWith(
      await exchange({ edit: (e) => ({ ...e, signature: edit(e) }) }),
      "contrast.exchange.signature exchange-signature-form",
    );
  });
  test.each([
    ["a byte behind it", (s: Uint8Array) => Buffer.concat([s, Buffer.alloc(1)])],
    ["r = 0", () => Buffer.from("3006020100020101", "hex")],
    ["a negative s", () => Buffer.from("30060201010201ff", "hex")],
    ["a length in long form", (s: Uint8Array) => Buffer.concat([Buffer.of(0x30, 0x81), s.subarray(1)])],
  ] as const)("with a signature that has %s fails", async (_, edit) => {
    failsWith(
      await exchange({ edit: (e) => ({ ...e, signature: new Uint8Array(edit(e.signature)) }) }),
      "contrast.exchange.signature exchange-signature-form",
    );
  });
  test("by another mesh workload fails on its name, though everything it says is true", async () => {
    const other = d.policies.find((p) => p.workload.name.startsWith("workload-"))?.workload.name ?? "";
    failsWith(
      await exchange({ workload: other }),
      "contrast.mesh.expected_san san-missing",
      "contrast.mesh.expected_workload workload-unexpected",
    );
    const named = ["--san", other, "--workload-secret-id", workload(d, other).workloadSecretId];
    expect((await exchange({ workload: other, args: named })).status).toBe(0);
  });
  test("with bytes that moved from one key into the other fails: the signed bytes are the same", async () => {
    const ran = await exchange({
      edit: (e) => ({
        ...e,
        publicKey: new Uint8Array(Buffer.concat([e.publicKey, e.encapsulatedKey.subarray(0, 1)])),
        encapsulatedKey: e.encapsulatedKey.slice(1),
      }),
    });
    failsWith(ran, "contrast.exchange.lengths exchange-length");
  });
  test.each([
    ["is no JSON", () => "no json"],
    ["lacks a member", (t: string) => t.replace('"Signature"', '"Other"')],
    ["has a member in other letters", (t: string) => t.replace('"Signature"', '"signature"')],
    ["has a member twice", (t: string) => t.replace('"request"', '"Request":{},"request"')],
    ["has a number for a key", (t: string) => t.replace(/"PublicKey":"[^"]*"/, '"PublicKey":1')],
    ["has base64 with a line break", (t: string) => t.replace('"PublicKey":"', '"PublicKey":"\\n')],
  ] as const)("that %s fails as malformed", async (_, text) => {
    failsWith(await exchange({ text }), "contrast.exchange.format exchange-malformed");
  });
  test("with an empty signature fails as malformed", async () => {
    const ran = await exchange({ edit: (e) => ({ ...e, signature: new Uint8Array() }) });
    failsWith(
      ran,
      "contrast.exchange.format exchange-malformed",
      "contrast.exchange.signature exchange-signature-form",
    );
  });
  test("with PEM in place of the certificate fails as malformed", async () => {
    const ran = await exchange({ edit: (e) => ({ ...e, certificate: Buffer.from(pem(e.certificate)) }) });
    failsWith(ran, "contrast.mesh.format mesh-malformed");
  });
});

describe("mesh CA and manifest of a recorded run", () => {
  const endpoint = (ran: Ran) => reportOf(ran).claims.filter((c) => c.subject === "endpoint");

  test("count where that run verifies, and the report holds both judgements", async () => {
    const ran = await underBundle();
    expect([ran.status, reportOf(ran).verdictLine]).toEqual([
      0,
      "TEST ROOT verified (endpoint) as recorded at 2025-06-01T00:00:00Z, time asserted by NOBODY",
    ]);
    const subjects = new Set(reportOf(ran).claims.map((c) => c.subject));
    expect([...subjects]).toEqual(expect.arrayContaining(["chain", "coordinator", "endpoint"]));
    expect(endpoint(ran).find((c) => c.id === "contrast.mesh.host_data")?.expected?.origin.kind).toBe("pinned");
    expect(reportOf(ran).notProven.join("\n")).not.toMatch(/^Mesh CA: /m);
    expect(reportOf(ran).judgedAt).toBe("2025-06-01T00:00:00Z");
  });
  test("do not count where it fails: nothing of the endpoint is asked", async () => {
    const ran = await underBundle({ tamper: tampers.meshCaSwapped.apply });
    expect(ran.status).toBe(1);
    expect(endpoint(ran).every((c) => c.status === "skip" && c.reason?.includes("failed"))).toBe(true);
  });
  test.each([
    ["fails on another launch measurement", "ab".repeat(48), 1, "failed"],
    ["is inconclusive without one", null, 3, "inconclusive"],
  ] as const)("do not count where it %s", async (_, measurement, status, word) => {
    const ran = await underBundle({ measurement });
    expect(ran.status).toBe(status);
    expect(endpoint(ran).every((c) => c.status === "skip" && c.reason?.endsWith(word))).toBe(true);
  });
  test("refuse a certificate of another mesh CA", async () => {
    failsWith(await underBundle({ defect: leafDefects.otherMeshCa }), "contrast.mesh.path chain-root");
  });
  test("leave no room for a mesh CA beside them", async () => {
    const ran = await underBundle({ args: ["--mesh-ca", "x", "--manifest", "x"] });
    expect([ran.status, JSON.parse(ran.stdout).error.code]).toEqual([2, "PM_USAGE"]);
  });
});

describe("a live endpoint", () => {
  const listening = async (server: Server): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    return `127.0.0.1:${address.port}`;
  };
  const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  const at = { args: [...demoPins] } as const;

  /** A TLS server of the secret service; counts the bytes of application data that it gets. */
  async function serving<T>(
    options: { maxVersion?: "TLSv1.2"; requestCert?: boolean },
    ask: (address: string, received: () => number) => Promise<T>,
    from = d,
  ): Promise<T> {
    const leaf = makeLeaf(from);
    let bytes = 0;
    const server = createTls(
      {
        cert: `${pem(leaf.certificate)}${new TextDecoder().decode(d.meshCa)}`,
        key: leaf.key.export({ format: "pem", type: "pkcs8" }),
        ...options,
        rejectUnauthorized: options.requestCert === true,
      },
      (socket) => {
        socket
          .on("error", () => undefined)
          .on("data", (part: Buffer) => {
            bytes += part.length;
          });
      },
    );
    server.on("tlsClientError", () => undefined);
    try {
      return await ask(await listening(server), () => bytes);
    } finally {
      await closed(server);
    }
  }

  test("is verified by the certificate of its handshake, and gets no data", async () => {
    await serving({}, async (address, received) => {
      const ran = await verifyEndpoint(folder(), [address], at);
      expect([ran.status, reportOf(ran).verdictLine, ran.stderr]).toEqual([0, "verified (endpoint)", ""]);
      expect(reportOf(ran).freshness).toMatch(/held the certificate's key in that one connection/);
      expect([reportOf(ran).target, received()]).toEqual([address, 0]);
    });
  });
  test("that demands a client certificate shows its own all the same", async () => {
    await serving({ requestCert: true }, async (address) => {
      expect((await verifyEndpoint(folder(), [address], at)).status).toBe(0);
    });
  });
  test("of another mesh fails, as a file of it would", async () => {
    const other = meshCaPem(d.random, d.now, Buffer.from("another manifest"));
    await serving({}, async (address) => {
      failsWith(await verifyEndpoint(folder(), [address], { meshCa: other }), "contrast.mesh.path chain-root");
    });
  });
  test("is held against the mesh CA of a recorded run, both judged now", async () => {
    const from = sharedDeployment(new Date());
    await serving(
      {},
      async (address) => {
        const ran = await underBundle({ live: { address, from } });
        expect([ran.status, reportOf(ran).verdictLine]).toEqual([0, expect.stringContaining("verified (endpoint)")]);
        expect(reportOf(ran).freshness).toMatch(/recorded at .*; endpoint: a TLS 1\.3 handshake/);
      },
      from,
    );
  });
  test("with TLS 1.2 is unavailable: there the handshake is another", async () => {
    await serving({ maxVersion: "TLSv1.2" }, async (address) => {
      expect((await verifyEndpoint(folder(), [address], at)).status).toBe(4);
    });
  });
  test("that says nothing is cut off in time", async () => {
    const silent = createServer((socket) => void socket.on("error", () => undefined).resume());
    const address = await listening(silent);
    try {
      const ran = await verifyEndpoint(folder(), [address], { args: ["--timeout", "0.5"] });
      expect(ran.status).toBe(4);
      expect(reportOf(ran).claims.find((c) => c.id === "contrast.mesh.format")?.reason).toMatch(/within 0.5 s/);
    } finally {
      await closed(silent);
    }
  });
  test("that closes at once, or speaks no TLS, is unavailable", async () => {
    for (const greet of ["", "HTTP/1.1 400 Bad Request\r\n\r\n"]) {
      const server = createServer(
        (socket) =>
          void socket
            .on("error", () => undefined)
            .resume()
            .end(greet),
      );
      const address = await listening(server);
      try {
        expect((await verifyEndpoint(folder(), [address])).status).toBe(4);
      } finally {
        await closed(server);
      }
    }
  });
  test("is not asked with --offline", async () => {
    let connections = 0;
    const server = createServer(() => {
      connections++;
    });
    const address = await listening(server);
    try {
      const ran = await verifyEndpoint(folder(), [address], { args: ["--offline"] });
      expect([ran.status, connections]).toEqual([4, 0]);
      expect(owed(ran, "unavailable")).toContain("contrast.mesh.path -");
    } finally {
      await closed(server);
    }
  });
  test("does not pass with an expected name that it lacks", async () => {
    await serving({}, async (address) => {
      failsWith(
        await verifyEndpoint(folder(), [address], { args: ["--san", demo.san.toUpperCase()] }),
        "contrast.mesh.expected_san san-missing",
      );
    });
  });
});
