/** The auditor's own file: what it says must count, what it cannot say must not, and nothing may be lost on the way. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { tampers } from "../../fixtures/generator/tamper.ts";
import { entries } from "../../src/catalogues.ts";
import { lastLine, openIds, startWorld } from "./world.ts";

const world = await startWorld();
const { deployment, server, root } = world;
const base = (more: string): string =>
  [
    "version: 1",
    "service: contrast",
    `coordinator: {url: "${server.url}"}`,
    "manifest: {reference: pinned, file: manifest.json}",
    `measurements: ["${deployment.measurement}"]`,
    more,
  ].join("\n");
let files = 0;
const verify = (more: string, ...args: string[]) => [
  "verify",
  world.write(`profile-${files++}.yaml`, base(more)),
  ...root,
  "--kds-url",
  server.kdsUrl,
  ...args,
];
const waiver = (claim: string, subject: string, expires: string): string =>
  `waivers:\n  - {claim: ${claim}, subject: ${subject}, reason: known, owner: somebody, expires: "${expires}"}`;
const later = "2099-01-01T00:00:00Z";
afterEach(() => world.reset());

describe("waivers", () => {
  test("one that holds covers its failed claim, and every output says so", async () => {
    server.hooks.tamper = tampers.vmpl.apply;
    const args = verify(waiver("snp.report.vmpl", "coordinator report", later));
    const ran = await world.judged(args);
    expect([ran.status, ran.report.verdictLine]).toEqual([0, "TEST ROOT verified (live) with 1 waiver"]);
    expect(ran.report.waivers).toMatchObject([{ state: "applied", owner: "somebody" }]);
    expect((await world.pm(args)).stdout).toContain("somebody");
  });
  test("an expired one does not, whatever --at says", async () => {
    server.hooks.tamper = tampers.vmpl.apply;
    const yesterday = new Date(Date.now() - 86_400_000).toISOString();
    const past = new Date(Date.now() - 10 * 86_400_000).toISOString();
    for (const at of [[], ["--at", past]]) {
      const args = verify(waiver("snp.report.vmpl", "coordinator report", yesterday), ...at);
      const ran = await world.judged(args);
      expect([ran.status, openIds(ran).includes("snp.report.vmpl")]).toEqual([1, true]);
      expect(ran.report.waivers).toMatchObject([{ state: "expired" }]);
      expect((await world.pm(args)).stdout).toContain("expired");
    }
  });
  test.each([
    ["debug", "snp.policy.debug", "coordinator report"],
    ["otherNonce", "contrast.nonce.bound", "coordinator"],
    ["signatureBit", "snp.report.signature", "coordinator report"],
    ["otherRoot", "snp.vek.chain", "coordinator report"],
    ["crlRevokesAsk", "snp.chain.revocation", "coordinator report"],
    ["insecureDocument", "contrast.document.type", "coordinator"],
    ["hostDataOfWorkload", "contrast.host_data.coordinator", "coordinator"],
    ["historyEmpty", "contrast.history.present", "coordinator"],
    ["otherNonce", "snp.report.report_data", "coordinator report"],
  ] as const)("%s: %s cannot be waived", async (name, claim, subject) => {
    server.hooks.tamper = tampers[name].apply;
    const ran = await world.judged(verify(waiver(claim, subject, later)));
    expect(ran.status).toBe(1);
    expect(ran.claim(claim, subject).status).toBe("fail");
    expect(ran.report.waivers).toMatchObject([{ state: "not-waivable" }]);
  });
  test("the manifest's reference cannot be waived", async () => {
    const args = verify(
      waiver("contrast.manifest.expected", "coordinator", later),
      "--manifest-sha256",
      "00".repeat(32),
    );
    const ran = await world.judged(args);
    expect(ran.status).toBe(1);
    expect(ran.report.waivers).toMatchObject([{ state: "not-waivable" }]);
  });
  test("one that covers a failure opens nothing behind a gate", async () => {
    server.hooks.tamper = tampers.signatureBit.apply;
    const ran = await world.judged(verify(waiver("snp.report.signature", "coordinator report", later)));
    expect(ran.claim("chain.reference.measurement_known").status).toBe("skip");
  });
  test("one covers a no, not a question that was never asked", async () => {
    const args = verify(waiver("chain.reference.measurement_known", "chain", later));
    const [verb = "", path = "", ...rest] = args;
    writeFileSync(path, readFileSync(path, "utf8").replace(/^measurements.*$/m, ""));
    const ran = await world.judged([verb, path, ...rest]);
    expect([ran.status, openIds(ran)]).toEqual([3, ["chain.reference.measurement_known"]]);
    expect(ran.report.waivers).toMatchObject([{ state: "unused" }]);
  });
  test("one for another subject covers nothing", async () => {
    server.hooks.tamper = tampers.vmpl.apply;
    expect((await world.judged(verify(waiver("snp.report.vmpl", "coordinator", later)))).status).toBe(1);
  });
  test.each([
    "snp.report.format",
    "snp.report.signing_key",
    "snp.product.line",
    "snp.vek.chain",
    "snp.vek.format",
    "snp.report.signature",
    "snp.report.report_data",
    "snp.chain.revocation",
    "snp.policy.debug",
    "kata.initdata.debug",
    "kata.initdata.digest",
    "contrast.response.format",
    "contrast.document.type",
    "contrast.history.present",
    "contrast.manifest.format",
    "contrast.manifest.unambiguous",
    "contrast.manifest.expected",
    "contrast.nonce.bound",
    "contrast.nonce.fresh",
    "contrast.host_data.coordinator",
    "chain.capture.time",
    "chain.nonce.beacon",
    "chain.collateral.not_rolled_back",
  ])("%s is marked as not waivable", (id) => {
    expect(entries.find((e) => e.id === id)?.question.waivable).toBe(false);
  });
});

describe("findings that the auditor demands", () => {
  test("a promoted finding is owed", async () => {
    const ran = await world.judged(verify("promote: [contrast.manifest.owner_keys]"));
    expect(ran.claim("contrast.manifest.owner_keys")).toMatchObject({ owed: true, status: "pass" });
    const other = await world.judged(verify("promote: [contrast.api.version]"));
    server.hooks.tamper = (draft) => ({ ...draft, shown: { ...draft.shown, version: "v9.0.0" } });
    expect(other.claim("contrast.api.version").owed).toBe(true);
    const ran2 = await world.judged(verify("promote: [contrast.api.version]"));
    expect([ran2.status, openIds(ran2)]).toEqual([1, ["contrast.api.version"]]);
  });
  test.each([
    ["misspelt", "promote: [contrast.manifest.owner_key]", "contrast.manifest.owner_keys"],
    ["of nobody", "promote: [nothing.of.this]", "pm explain --list"],
    ["owed once there is a reference", "promote: [snp.report.measurement]", "leave it out"],
    ["owed anyway", "promote: [snp.vek.chain]", "leave it out"],
    ["misspelt in a waiver", waiver("snp.report.vmp", "coordinator report", later), "snp.report.vmpl"],
    ["a prototype's member", "promote: [constructor]", "pm explain --list"],
    ["a prototype's member in a waiver", waiver("__proto__", "chain", later), "pm explain --list"],
  ])("an id that is %s is a usage error", async (_what, text, said) => {
    const before = server.requests.length;
    const ran = await world.pm(verify(text, "--json"));
    expect([ran.status, ran.stdout]).toEqual([2, expect.stringContaining(said)]);
    expect(server.requests.length).toBe(before);
  });
});

describe("a profile that does not say one thing", () => {
  test.each([
    ["a member that pm does not know", "minimumTbc: {bootloader: 1, tee: 0, snp: 1, microcode: 1}"],
    ["an unknown member further in", "products: [Genoa]\nmanifests: {}"],
    ["a member twice", "history: any\nhistory: exactly-one"],
    ["the manifest twice", "manifest: {reference: published}"],
    ["an alias", 'x: &a "y"\nhistory: *a'],
    ["a merge key", "<<: {history: any}"],
    ["a tag", "history: !!str any\nproducts: !other [Genoa]"],
    ["a second document", "---\nversion: 1\nservice: contrast"],
    ["a number for a text", "contrastVersion: 1.20"],
    ["an empty list of products", "products: []"],
    ["a level that is too high", "minimumTcb: {bootloader: 256, tee: 0, snp: 0, microcode: 0}"],
    ["a level that is missing", "minimumTcb: {bootloader: 1, tee: 0, snp: 0}"],
    ["__proto__", "__proto__: {history: any}"],
    ["a waiver without an owner", `waivers: [{claim: snp.report.vmpl, subject: x, reason: y, expires: "${later}"}]`],
    [
      "a waiver with an empty owner",
      `waivers: [{claim: snp.report.vmpl, subject: x, reason: y, owner: "", expires: "${later}"}]`,
    ],
    [
      "a waiver that never expires",
      "waivers: [{claim: snp.report.vmpl, subject: x, reason: y, owner: z, expires: never}]",
    ],
    ["a scope", "scope: full"],
  ])("%s is a usage error with line and column", async (_what, text) => {
    const ran = await world.pm(verify(text));
    expect([ran.status, ran.stderr]).toEqual([2, expect.stringMatching(/profile-\d+\.yaml(:\d+:\d+)?: /)]);
  });
  test("nesting beyond all measure is a usage error too", async () => {
    const ran = await world.pm(["verify", world.write("deep.yaml", `a: ${"[".repeat(100_000)}`)]);
    expect(ran.status).toBe(2);
  });
  test("a pin beside another file's digest", async () => {
    const ran = await world.pm([
      "verify",
      world.write(
        "two.yaml",
        base("").replace("file: manifest.json", `file: manifest.json, sha256: "${"00".repeat(32)}"`),
      ),
      ...root,
    ]);
    expect(ran.status).toBe(2);
  });
  test("a pin that is another file altogether", async () => {
    const wrong = await world.judged([...verify("", "--manifest", world.file("ark.pem"))]);
    expect([wrong.status, wrong.claim("contrast.manifest.expected").code]).toEqual([1, "manifest-differs"]);
    const none = await world.pm([...verify("", "--manifest", `${world.folder}/nothing.json`)]);
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining("no such file")]);
  });
  test("floors and product lines of the profile count beside the manifest's", async () => {
    const ran = await world.judged(
      verify("minimumTcb: {bootloader: 255, tee: 255, snp: 255, microcode: 255}\nproducts: [Turin]"),
    );
    expect([ran.status, openIds(ran)]).toEqual([1, ["chain.reference.tcb_floor", "chain.reference.product"]]);
    expect(lastLine(await world.pm(verify("products: [Turin]")))).toContain("chain.reference.product");
  });
});
