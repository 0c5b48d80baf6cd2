/** The negative cases for Coordinator and manifest (Contrast notes, section 10), each through a command. */
import { afterAll, describe } from "vitest";
import type { Draft } from "../../fixtures/generator/answer.ts";
import { latestTransition } from "../../fixtures/generator/contrast.ts";
import { contrastIdKeyDigest } from "../../fixtures/generator/idkey.ts";
import {
  guestPolicy,
  type Manifest,
  manifestBytes,
  type SnpReferenceValue,
} from "../../fixtures/generator/manifest.ts";
import { sha256 } from "../../fixtures/generator/policies.ts";
import { policyBit } from "../../fixtures/generator/report.ts";
import { variantDeployment } from "../../fixtures/generator/shared.ts";
import { type TamperName, tampers } from "../../fixtures/generator/tamper.ts";
import { admitted, evidenceOf, removeAdmitWorld, workload } from "../commands/admit-world.ts";
import { exchange, removeEndpoints } from "../commands/endpoint-world.ts";
import { chainRuns } from "../coverage/runs-chain.ts";
import { type AttestQuestion, attest, check, deployment, removeWorld, replay } from "../coverage/world.ts";
import { elsewhere, type Shown, table } from "./table.ts";

afterAll(() => {
  removeAdmitWorld();
  removeEndpoints();
  removeWorld();
});

const endpoint = "test/commands/endpoint.test.ts";
const tdxChain = "test/commands/tdx-chain.test.ts";
const admitTdx = "test/chain/admit-tdx.test.ts";
const hostile = "test/hostile/hostile.test.ts";
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const bytes = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "utf8"));
const bound = "contrast.nonce.bound fail history-hidden";

const asked = (what: string, question: AttestQuestion, says: readonly string[], exit = 1): Shown => ({
  what,
  run: () => attest(question),
  says,
  exit,
  // A changed statement is told by each claim that reads it.
  alone: false,
});
const tampered = (name: TamperName, ...says: readonly string[]): Shown =>
  asked(tampers[name].what, { tamper: tampers[name].apply }, says);
const draft = (what: string, change: (d: Draft) => Draft, ...says: readonly string[]): Shown =>
  asked(what, { tamper: change }, says);
/** The manifest is shown, attested and pinned alike. */
const under = (what: string, manifest: Uint8Array, ...says: readonly string[]): Shown =>
  asked(
    what,
    {
      manifest,
      tamper: (d) => ({
        ...d,
        attested: { ...d.attested, manifests: [manifest] },
        shown: { ...d.shown, manifests: [manifest] },
      }),
    },
    says,
  );
const answer = (what: string, edit: (json: Record<string, unknown>) => unknown, says: string): Shown =>
  asked(what, { body: (b) => bytes(JSON.stringify(edit(JSON.parse(text(b))))) }, [says]);

const manifest = text(deployment.manifest);
const file = (what: string, edit: (json: string) => string, says: string, exit = 1): Shown => ({
  what,
  run: () => {
    const edited = edit(manifest);
    if (edited === manifest) throw new Error(`${what}: nothing was edited`);
    return check(edited);
  },
  says: [says],
  exit,
  alone: false,
});
const invalid = (what: string, edit: (json: string) => string): Shown =>
  file(what, edit, "contrast.manifest.valid fail manifest-invalid");
const ambiguous = (what: string, edit: (json: string) => string): Shown =>
  file(what, edit, "contrast.manifest.unambiguous fail manifest-ambiguous");
const malformed = (what: string, edit: (json: string) => string): Shown =>
  file(what, edit, "contrast.manifest.format fail manifest-malformed");

type Editable = { [name: string]: unknown };
/** The manifest as an object, edited; its layout changes too, which no claim of it looks at. */
const edited = (edit: (m: Editable & { ReferenceValues: { snp: Editable[]; tdx?: Editable[] } }) => void) => {
  return (json: string): string => {
    const value = JSON.parse(json);
    edit(value);
    return `${JSON.stringify(value, null, 2)}\n`;
  };
};
const first = (m: { ReferenceValues: { snp: Editable[] } }): Editable => m.ReferenceValues.snp[0] ?? {};
const level = (value: string): ((json: string) => string) => {
  return (json) => json.replace(/"SNPVersion": \d+/, `"SNPVersion": ${value}`);
};
const entry = (change: Partial<SnpReferenceValue>): Manifest => ({
  ...deployment.manifestValue,
  ReferenceValues: { snp: deployment.manifestValue.ReferenceValues.snp.map((e) => ({ ...e, ...change })) },
});
const workloadKey =
  Object.keys(deployment.manifestValue.Policies).find((key) => key !== deployment.coordinator.key) ?? "";

const h48 = (byte: string): string => byte.repeat(48);
const tdx = (change: Editable = {}): Editable => ({
  Platform: "Metal-QEMU-TDX",
  MinTCBEvaluationDataNumber: 21,
  MrTd: h48("2b"),
  MrSeam: h48("3c"),
  Rtmrs: ["4d", "5e", "6f", "70"].map(h48),
  Xfam: "e702060000000000",
  AllowedPIIDs: ["a".repeat(32)],
  MemoryIntegrity: false,
  SMTDisabled: false,
  StaticPlatform: false,
  ...change,
});
const withTdx = (change: Editable): ((json: string) => string) =>
  edited((m) => {
    m.ReferenceValues.tdx = [tdx(change)];
  });

const after = variantDeployment({ updates: 1 });
const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const digests = (d: Draft): Uint8Array[] => [d.attested.rootCa, d.attested.meshCa].map(sha256);
const zeros = new Uint8Array(32);
const reportData = (what: string, make: (d: Draft) => Uint8Array): Shown =>
  draft(what, (d) => ({ ...d, reportData: make(d) }), "coordinator contrast.nonce.bound fail history-hidden");
const right = (d: Draft): Uint8Array =>
  sha256(join(d.attested.nonce, latestTransition(d.attested.manifests), ...digests(d)));
const policyOf = (change: Partial<typeof guestPolicy>) => ({ ...guestPolicy, ...change });

const debugManifest = manifestBytes(entry({ GuestPolicy: policyOf({ Debug: true }) }));
/** Manifest and guest agree on it: the ID block is that of the policy. */
const agreed = (d: Draft, policy: bigint): Draft => ({
  ...d,
  fields: { ...d.fields, policy, idKeyDigest: contrastIdKeyDigest(d.fields.measurement, policy) },
});

describe("negative cases of Coordinator and manifest", () => {
  table(
    {
      1: { what: "wrong nonce", here: [tampered("otherNonce", bound)] },
      2: {
        what: "manifest with one newline more",
        here: [tampered("manifestNewline", bound, "contrast.manifest.expected fail manifest-differs")],
      },
      3: { what: "mesh CA swapped", here: [tampered("meshCaSwapped", bound)] },
      4: { what: "root CA swapped", here: [tampered("rootCaSwapped", bound)] },
      5: { what: "no manifests", here: [tampered("historyEmpty", "contrast.history.present fail history-empty")] },
      6: { what: "hidden history", here: [tampered("historyHidden", bound)] },
      7: {
        what: "history in another order",
        here: [
          asked(
            "the older manifest is shown as the present one",
            {
              from: after,
              manifest: after.manifest,
              tamper: (d) => ({ ...d, shown: { ...d.shown, manifests: [...d.shown.manifests].reverse() } }),
            },
            [bound, "contrast.manifest.expected fail manifest-differs"],
          ),
        ],
      },
      8: {
        what: "host data of a workload",
        here: [tampered("hostDataOfWorkload", "contrast.host_data.coordinator fail host-data-role")],
      },
      9: {
        what: "policy body missing",
        here: [tampered("policyMissing", "contrast.policies.complete fail policy-body-missing")],
      },
      10: {
        what: "policy body too many",
        here: [tampered("policySurplus", "contrast.policies.known fail policy-body-surplus")],
      },
      11: {
        what: "two manifests where one is demanded",
        here: [
          {
            what: "under the rule of a profile",
            run: () => replay({ tamper: tampers.historyOneMore.apply, profile: "history: exactly-one\n" }),
            says: ["contrast.history.length fail history-length"],
            exit: 1,
          },
        ],
      },
      12: {
        what: "a key in two cases",
        here: [
          ambiguous("Policies beside policies", (json) => json.replace('"Policies"', '"policies": {}, "Policies"')),
          ambiguous("a field in other letters", (json) => json.replace('"ProductName"', '"productname"')),
          invalid("one policy hash in two cases", (json) =>
            json.replace(`"${workloadKey}"`, `"${workloadKey.toUpperCase()}": { "SANs": ["x"] }, "${workloadKey}"`),
          ),
        ],
      },
      13: {
        what: "unknown role",
        here: [
          invalid("in other letters", (json) => json.replace('"coordinator"\n', '"Coordinator"\n')),
          invalid("of a pod that is no workload", (json) =>
            json.replace('"Role": "coordinator"', '"Role": "contrast-node-installer"'),
          ),
        ],
      },
      14: {
        what: "JSON with something behind it",
        here: [
          malformed("a second value", (json) => `${json}{}`),
          malformed("a word", (json) => `${json}x`),
          malformed("a zero byte", (json) => `${json}\0`),
          asked("an answer with a second value", { body: (b) => bytes(`${text(b)}{}`) }, [
            "contrast.response.format fail response-malformed",
          ]),
        ],
      },
      15: {
        what: "report data that does not end in zeros",
        here: [
          reportData("the hash twice", (d) => join(right(d), right(d))),
          reportData("the last bit", (d) => join(right(d), zeros.with(31, 1))),
        ],
      },
      16: {
        what: "report data of another construction",
        here: [
          reportData("the manifest's hash in place of the transition's", (d) =>
            join(sha256(join(d.attested.nonce, sha256(d.attested.manifests[0] ?? zeros), ...digests(d))), zeros),
          ),
          reportData("the certificates without their hashes", (d) =>
            join(
              sha256(
                join(d.attested.nonce, latestTransition(d.attested.manifests), d.attested.rootCa, d.attested.meshCa),
              ),
              zeros,
            ),
          ),
          reportData("the CAs exchanged", (d) =>
            join(
              sha256(join(d.attested.nonce, latestTransition(d.attested.manifests), ...digests(d).reverse())),
              zeros,
            ),
          ),
          reportData("zeros in front", (d) => join(zeros, right(d))),
        ],
      },
      17: {
        what: "a TCB level out of bounds",
        here: [
          malformed("256", level("256")),
          malformed("-1", level("-1")),
          ambiguous("28.9, which Contrast reads as 28", level("28.9")),
          ambiguous("2.8e1", level("2.8e1")),
          malformed("a text", level('"28"')),
          malformed("a number of 400 digits", level("9".repeat(400))),
          invalid("none", level("null")),
        ],
      },
      18: {
        what: "measurement of 47 bytes",
        here: [
          invalid(
            "a byte less",
            edited((m) => {
              first(m)["TrustedMeasurement"] = "ab".repeat(47);
            }),
          ),
          invalid(
            "a byte more",
            edited((m) => {
              first(m)["TrustedMeasurement"] = "ab".repeat(49);
            }),
          ),
          invalid(
            "a digit that is none",
            edited((m) => {
              first(m)["TrustedMeasurement"] = "zz".repeat(48);
            }),
          ),
          invalid(
            "none",
            edited((m) => {
              delete first(m)["TrustedMeasurement"];
            }),
          ),
        ],
      },
      19: {
        what: "wrong types, with a version",
        here: [
          answer(
            "manifests are a number",
            (j) => ({ ...j, manifests: 5 }),
            "contrast.response.format fail response-malformed",
          ),
          answer(
            "a manifest is an object",
            (j) => ({ ...j, manifests: [{}] }),
            "contrast.response.format fail response-malformed",
          ),
          answer(
            "the document is a list",
            (j) => ({ ...j, raw_attestation_doc: [] }),
            "contrast.response.format fail response-malformed",
          ),
          answer("a list", (j) => [j], "contrast.response.format fail response-malformed"),
        ],
      },
      20: {
        what: "the base64 alphabet of URLs",
        here: [
          asked(
            "in the document",
            {
              body: (b) =>
                bytes(
                  text(b).replace(
                    /("raw_attestation_doc":")([^"]*)/,
                    (_, name, value) => `${name}${value.replaceAll("+", "-").replaceAll("/", "_")}`,
                  ),
                ),
            },
            ["contrast.response.format fail response-malformed"],
          ),
        ],
      },
      21: {
        what: "insecure document",
        here: [tampered("insecureDocument", "contrast.document.type fail document-type")],
      },
      22: {
        what: "policy key in upper case",
        here: [invalid("names no workload", (json) => json.replace(workloadKey, workloadKey.toUpperCase()))],
      },
      23: {
        what: "policy key of 63 characters",
        here: [
          invalid("a digit less", (json) => json.replace(workloadKey, workloadKey.slice(1))),
          invalid("a character that is no digit", (json) => json.replace(workloadKey, `g${workloadKey.slice(1)}`)),
        ],
      },
      24: {
        what: "no Coordinator, or two",
        here: [
          invalid("none", (json) => json.replace(/,\n\s*"Role": "coordinator"/, "")),
          invalid("two", (json) =>
            json.replaceAll(/("WorkloadSecretID": "[^"]*")\n/g, '$1,\n      "Role": "coordinator"\n'),
          ),
        ],
      },
      25: {
        what: "three or five RTMRs",
        here: [
          invalid("three", withTdx({ Rtmrs: ["4d", "5e", "6f"].map(h48) })),
          ambiguous("five, of which Contrast drops one", withTdx({ Rtmrs: ["4d", "5e", "6f", "70", "81"].map(h48) })),
        ],
      },
      26: {
        what: "no reference values",
        here: [
          invalid(
            "an empty list",
            edited((m) => {
              m.ReferenceValues.snp = [];
            }),
          ),
          invalid(
            "an empty object",
            edited((m) => Object.assign(m, { ReferenceValues: {} })),
          ),
          invalid(
            "nothing",
            edited((m) => {
              delete (m as Editable)["ReferenceValues"];
            }),
          ),
        ],
      },
      27: {
        what: "a chip that is not listed",
        here: [
          tampered("chipNotListed", "snp.chip.allowed fail chip-id-mismatch"),
          tampered("chipMasked", "snp.chip.allowed fail chip-id-mismatch"),
          {
            what: "of a workload that wants to join",
            run: () => admitted({ evidence: evidenceOf((d) => tampers.chipNotListed.apply(d, deployment)) }),
            says: ["snp.chip.allowed fail chip-id-mismatch"],
            exit: 1,
            alone: false,
          },
        ],
        elsewhere: elsewhere(tdxChain, "piid"),
      },
      28: {
        what: "mitigation missing at launch",
        here: [tampered("mitigation", "snp.mitigation.vectors fail mitigation")],
      },
      29: {
        what: "GuestPolicy that differs by PageSwapDisable alone",
        here: [
          draft(
            "the guest demands less than the manifest, with the ID block of its own policy",
            (d) => agreed(d, d.fields.policy & ~policyBit.pageSwapDisable),
            "snp.report.id_key_digest fail id-key-digest",
          ),
          under(
            "the manifest demands less than the guest has: only the ID block tells",
            manifestBytes(entry({ GuestPolicy: policyOf({ PageSwapDisable: false }) })),
            "snp.report.id_key_digest fail id-key-digest",
          ),
          tampered("stricterPolicy", "snp.report.id_key_digest fail id-key-digest"),
        ],
      },
      30: {
        what: "Milan in the manifest and a Genoa chip",
        here: [
          under(
            "with the right measurement",
            manifestBytes(entry({ ProductName: "Milan" })),
            "snp.report.product fail product-mismatch",
          ),
        ],
      },
      31: {
        what: "PLATFORM_INFO",
        here: [
          tampered("smt", "snp.platform.info fail platform-info"),
          tampered("eccOff", "snp.platform.info fail platform-info"),
          draft(
            "reserved bit 6",
            (d) => ({ ...d, fields: { ...d.fields, platformInfo: d.fields.platformInfo | 0x40n } }),
            "snp.platform.info fail platform-info",
          ),
        ],
      },
      32: {
        what: "MRCONFIGID that goes on",
        elsewhere: [
          ...elsewhere(tdxChain, "mrConfigIdTail"),
          ...elsewhere(admitTdx, "what follows the key in MRCONFIGID: the mesh API does not look at it"),
        ],
      },
      33: { what: "RTMR3 that is not zero", elsewhere: elsewhere(tdxChain, "rtmr3") },
      34: { what: "TDATTRIBUTES with the debug bit", elsewhere: elsewhere(tdxChain, "debug") },
      35: { what: "attested TLS", notHere: "this version does not speak it" },
      36: {
        what: "workload certificates",
        here: [
          {
            what: "the entry of another workload, in evidence that wants to join",
            run: () => {
              const { [workload.key]: own, ...rest } = deployment.manifestValue.Policies;
              if (own === undefined) throw new Error("no entry");
              return admitted({ manifest: manifestBytes({ ...deployment.manifestValue, Policies: rest }) });
            },
            says: ["chain.admission.workload_known fail workload-unknown"],
            exit: 1,
            alone: false,
          },
        ],
        elsewhere: elsewhere(
          endpoint,
          "of another mesh CA of the same root",
          "of the root CA itself",
          "with host data that the manifest has not",
          "with host data of one entry and the names of another fails: two entries never add up",
          "with another name than the expected one fails, a wildcard notwithstanding",
        ),
      },
      37: {
        what: "secret exchange",
        here: [
          {
            what: "signature in P1363 form",
            run: () =>
              exchange({
                edit: (e) => ({ ...e, signature: new Uint8Array(Buffer.from(e.signature).subarray(0, 64)) }),
              }),
            says: ["contrast.exchange.signature fail exchange-signature-form"],
            exit: 1,
            alone: false,
          },
        ],
        elsewhere: elsewhere(
          endpoint,
          "under a rogue mesh CA fails, and its signature counts for nothing",
          "with a changed encapsulated key fails",
          "with r and s side by side (P1363) fails",
          "by another mesh workload fails on its name, though everything it says is true",
        ),
      },
      38: { what: "answers that are none", elsewhere: elsewhere(hostile, "412", "html", "empty", "gibibyte") },
      39: {
        what: "the vendor's manifest is attested, and not the one that the auditor built",
        here: [
          asked("by one blank", { manifest: bytes(manifest.replace("{\n", "{ \n")) }, [
            "contrast.manifest.expected fail manifest-differs",
          ]),
          asked("by one policy", { manifest: bytes(manifest.replace(workloadKey, "ab".repeat(32))) }, [
            "contrast.manifest.expected fail manifest-differs",
          ]),
        ],
      },
      40: {
        what: "capabilities downgraded",
        here: [
          {
            what: "a later form is offered",
            run: chainRuns["v1 where only a later form is offered"],
            says: ["contrast.api.capabilities fail capabilities-downgrade"],
            exit: 1,
            alone: false,
          },
        ],
      },
      41: {
        what: "a manifest that allows debugging",
        here: [
          {
            what: "as a file",
            run: () => check(debugManifest),
            says: ["contrast.manifest.valid fail manifest-invalid"],
            exit: 1,
          },
          asked(
            "attested, and the guest may be debugged",
            {
              manifest: debugManifest,
              tamper: (d) => {
                const shown = {
                  ...d,
                  attested: { ...d.attested, manifests: [debugManifest] },
                  shown: { ...d.shown, manifests: [debugManifest] },
                };
                return agreed(shown, d.fields.policy | policyBit.debug);
              },
            },
            ["snp.policy.debug fail policy-debug", "contrast.manifest.valid fail manifest-invalid"],
          ),
        ],
      },
      42: {
        what: "revocation lists",
        here: [
          tampered("crlRevokesVcek", "snp.chain.revocation fail revoked"),
          tampered("crlRevokesAsk", "snp.chain.revocation fail revoked"),
          tampered("crlExpired", "snp.chain.revocation fail crl-expired"),
        ],
      },
      43: {
        what: "TDX platform OutOfDate under an UpToDate module",
        elsewhere: elsewhere(tdxChain, "platformOutOfDate"),
      },
    },
    43,
  );
});
