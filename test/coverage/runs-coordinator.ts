/** `pm coordinator attest` of recorded exchanges, and `pm manifest check`. */
import { createPublicKey } from "node:crypto";
import type { Draft } from "../../fixtures/generator/answer.ts";
import { meshCaPem, rootCaPem } from "../../fixtures/generator/contrast.ts";
import type { Tamper } from "../../fixtures/generator/deployment.ts";
import type { Manifest, SnpReferenceValue } from "../../fixtures/generator/manifest.ts";
import { guestPolicy, manifestBytes } from "../../fixtures/generator/manifest.ts";
import { initdata, sha256 } from "../../fixtures/generator/policies.ts";
import { policyBit } from "../../fixtures/generator/report.ts";
import { sharedNow, variantDeployment } from "../../fixtures/generator/shared.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import { basicConstraints } from "../../fixtures/generator/x509.ts";
import type { Ran } from "../command.ts";
import { attest, check, deployment } from "./world.ts";

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "utf8"));
const tampered = (name: keyof typeof tampers): Promise<Ran> => attest({ tamper: tampers[name].apply });

/** Attested and shown alike, so that nothing but the change itself is wrong. */
const state =
  (change: Partial<Pick<Draft["shown"], "manifests" | "rootCa" | "meshCa" | "policies">>): Tamper =>
  (draft) => {
    const { policies: _bodies, ...attested } = change;
    return { ...draft, attested: { ...draft.attested, ...attested }, shown: { ...draft.shown, ...change } };
  };

const firstEntry = (change: Partial<SnpReferenceValue>, m: Manifest = deployment.manifestValue): Manifest => ({
  ...m,
  ReferenceValues: { snp: m.ReferenceValues.snp.map((e) => ({ ...e, ...change })) },
});
/** The deployment under a manifest that the auditor pins. */
function under(manifest: Uint8Array): Promise<Ran> {
  return attest({ manifest, tamper: state({ manifests: [manifest] }) });
}
/** Beside the Coordinator's, one policy for each of these bodies. */
function withBodies(bodies: readonly Uint8Array[]): Promise<Ran> {
  const coordinator = deployment.manifestValue.Policies[deployment.coordinator.key];
  if (coordinator === undefined) throw new Error("the deployment has no Coordinator");
  const keyOf = (body: Uint8Array): string => Buffer.from(sha256(body)).toString("hex");
  const manifest = manifestBytes({
    ...deployment.manifestValue,
    Policies: {
      [deployment.coordinator.key]: coordinator,
      ...Object.fromEntries(bodies.map((b, i) => [keyOf(b), { SANs: [`w${i}`], WorkloadSecretID: "" }])),
    },
  });
  return attest({
    manifest,
    tamper: state({ manifests: [manifest], policies: [deployment.coordinator.body, ...bodies] }),
  });
}

const rules = "package agent_policy\n\ndefault AllowRequestsFailingPolicy := false\n";
const container = (image: string, others: object = {}): object => ({
  OCI: { Process: { Args: ["/run"] } },
  image,
  ...others,
});
const rego = (...containers: readonly object[]): string =>
  `${rules}\npolicy_data := ${JSON.stringify({ containers }, null, 2)}`;
const pulled = (digit: string): string => `registry.example/image@sha256:${digit.repeat(64)}`;
const policy = (body: string, more: Readonly<Record<string, string>> = {}): Uint8Array =>
  initdata({ "policy.rego": body, ...more });
const plain = rego(container(pulled("1")));

const badBodies: readonly Uint8Array[] = [
  text("neither TOML nor Rego\n"),
  policy(plain, { "stranger.toml": "x" }),
  initdata({ "aa.toml": "" }),
  policy(plain, { "contrast.insecure-debug": "true" }),
  policy(rego(container("registry.example/image:latest"))),
  policy(rego(container(pulled("1"), { storages: [{ driver: "image_guest_pull", source: pulled("2") }] }))),
  policy(rules),
  policy(`${rules}\npolicy_data := { "containers": [ }`),
  text(Buffer.from(policy(plain)).toString("utf8").replace("'sha256'", "'sha384'")),
  text(plain),
];

const rsaKeyHex = (): string =>
  createPublicKey(deployment.authority.ark.key).export({ type: "pkcs1", format: "der" }).toString("hex");

/** What a manifest permits, all of it at once. */
const lax = (): Manifest => ({
  ...firstEntry({
    Platform: "Elsewhere",
    ProductName: "Milan",
    GuestPolicy: { ...guestPolicy, CXLAllowed: true },
    MinimumTCB: { BootloaderVersion: 0, TEEVersion: 0, SNPVersion: 0, MicrocodeVersion: 0 },
    MinimumMitigationVector: 0,
    AllowedChipIDs: [],
    CPUs: 0,
  }),
  WorkloadOwnerPubKeys: variantDeployment({ updates: 1 }).manifestValue.WorkloadOwnerPubKeys,
  SeedshareOwnerPubKeys: [rsaKeyHex()],
});
const twoCoordinators = (): Manifest => {
  const { ReferenceValues, ...m } = deployment.manifestValue;
  return {
    ...m,
    Policies: Object.fromEntries(Object.entries(m.Policies).map(([key, p]) => [key, { ...p, Role: "coordinator" }])),
    ReferenceValues,
  };
};
const noCa = { oid: "2.5.29.19", critical: true, value: basicConstraints(false).value };
const member = (name: string): ((body: Uint8Array) => Uint8Array) => {
  return (body) => text(JSON.stringify({ ...JSON.parse(Buffer.from(body).toString("utf8")), [name]: 1 }));
};

export const coordinatorRuns = {
  "Coordinator as demanded": () => attest(),
  "Coordinator after an update": () => attest({ from: variantDeployment({ updates: 1 }) }),
  "answer that is no JSON": () => attest({ body: () => text("<html>") }),
  "answer with a member more, of another version": () =>
    attest({ body: member("more"), args: ["--contrast-version", "v1.19"] }),
  "no manifest": () => tampered("historyEmpty"),
  "insecure document": () => tampered("insecureDocument"),
  "another manifest than the pinned one": () => attest({ manifest: text("{}") }),
  "hidden history": () => tampered("historyHidden"),
  "host data of a workload": () => tampered("hostDataOfWorkload"),
  "earlier manifest invalid": () => attest({ tamper: state({ manifests: [text("{}"), deployment.manifest] }) }),
  "body missing": () => tampered("policyMissing"),
  "body too many": () => tampered("policySurplus"),
  "CA certificates of no CA": () => {
    const change: Parameters<typeof rootCaPem>[2] = (spec) => ({
      ...spec,
      extensions: spec.extensions.map((e) => (e.oid === noCa.oid ? noCa : e)),
    });
    const { random, manifest } = deployment;
    const rootCa = rootCaPem(random, sharedNow, change);
    return attest({ tamper: state({ rootCa, meshCa: meshCaPem(random, sharedNow, manifest, change) }) });
  },
  "policy weaker than the manifest's": () =>
    attest({
      tamper: (draft) => ({
        ...draft,
        fields: { ...draft.fields, policy: draft.fields.policy | policyBit.cxlAllow },
      }),
    }),
  "platform with SMT": () => tampered("smt"),
  "Genoa where Milan is demanded": () => under(manifestBytes(firstEntry({ ProductName: "Milan" }))),
  "policies with one defect each": () => withBodies(badBodies),
  "nonce that was not sent": () => attest({ args: ["--nonce", "00".repeat(32)] }),

  "manifest as it should be": () => check(deployment.manifest),
  "manifest that is no JSON": () => check("{"),
  "manifest with a field in other case": () =>
    check(Buffer.from(deployment.manifest).toString("utf8").replace('"Policies"', '"policies"')),
  "manifest that allows debugging": () =>
    check(manifestBytes(firstEntry({ GuestPolicy: { ...guestPolicy, Debug: true } }))),
  "manifest that permits much": () => check(manifestBytes(lax())),
  "manifest with several Coordinators": () => check(manifestBytes(twoCoordinators()), "--contrast-version", "v1.21"),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
