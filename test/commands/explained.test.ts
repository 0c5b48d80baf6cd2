/** Reference `explained`: the auditor's deployment file and values vouch for the manifest, and nothing less does. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tamper } from "../../fixtures/generator/deployment.ts";
import type { HistoryOptions, Shape } from "../../fixtures/generator/history.ts";
import { type Manifest, manifestBytes, type PolicyEntry } from "../../fixtures/generator/manifest.ts";
import { sha256 } from "../../fixtures/generator/policies.ts";
import type { ProfileOptions, ProfileValue } from "../../fixtures/generator/profile.ts";
import { tampers } from "../../fixtures/generator/tamper.ts";
import { type Variant, type VariantName, variants } from "../../fixtures/generator/variants.ts";
import type { Report } from "../../src/report/report.ts";
import { type Ran, reportOf } from "../command.ts";
import {
  but,
  bytes,
  changed,
  changedToday,
  good,
  knownTdx,
  live,
  owed,
  ownerKey,
  policies,
  type RecordQuestion,
  record,
  references,
  removeReleaseWorld,
  replay,
  runAll,
  savedBundle,
  snp,
  tdx,
  today,
  without,
} from "./release-world.ts";

afterAll(removeReleaseWorld);

const expected = "contrast.manifest.expected";
const unexplained = `${expected} manifest-unexplained`;
const shapes: readonly Shape[] = ["small", "privatemode"];
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));
const statusOf = (report: Report, id: string): string[] =>
  report.claims.filter((c) => c.id === id).map((c) => c.status);
/** Shown runs of one table, each made once. */
function shown<Name extends string>(runs: Readonly<Record<Name, () => Promise<Ran>>>) {
  let all: ReadonlyMap<Name, Ran> = new Map();
  beforeAll(async () => {
    all = await runAll(runs);
  }, 120_000);
  return (name: Name): { readonly ran: Ran; readonly report: Report } => {
    const ran = all.get(name);
    if (ran === undefined || ran.stdout === "") throw new Error(`${name}: no report; ${ran?.stderr}`);
    return { ran, report: reportOf(ran) };
  };
}

const bundles: Readonly<Record<Shape, string>> = { small: savedBundle(), privatemode: savedBundle() };
const again = (shape: Shape, profile: ProfileOptions = {}): Promise<Ran> =>
  replay(bundles[shape], { auditor: today(shape), profile });

describe.each(shapes)("a deployment that the auditor's files explain, of the shape %s", (shape) => {
  let runs: readonly Ran[] = [];
  beforeAll(async () => {
    const saved = await live({ shape, args: ["--save", bundles[shape]] });
    runs = [saved, ...(await Promise.all([again(shape), again(shape)]))];
  }, 60_000);

  test("is verified (live), and each key and value has a claim that passed", () => {
    const [saved] = runs;
    const report = reportOf(saved as Ran);
    expect(owed(report, "fail", "error", "skip", "consistent", "unavailable")).toEqual([]);
    expect([saved?.status, report.verdictLine]).toEqual([0, "TEST ROOT verified (live)"]);
    const claim = report.claims.find((c) => c.id === expected);
    expect([claim?.status, claim?.expected?.origin.kind, claim?.expected?.at]).toEqual([
      "pass",
      "pinned",
      "each of its values explained",
    ]);
    expect(claim?.expected?.origin).toMatchObject({ sha256: report.profileSha256 });
    const keys = Object.keys(today(shape).manifestValue.Policies);
    expect(report.readers?.map((r) => r.policy).sort()).toEqual(keys.sort());
    expect(statusOf(report, "kata.workload.policy_found")).toEqual(keys.map(() => "pass"));
  });
  test("replays as recorded, offline, with the same bytes each time", () => {
    const [, first, second] = runs;
    const report = reportOf(first as Ran);
    expect(first?.status).toBe(0);
    expect(report.verdictLine).toMatch(/^TEST ROOT verified \(live\) as recorded at .* time asserted by NOBODY$/);
    expect(second?.stdout).toBe(first?.stdout);
  });
  test.each([
    ["measurements", "contrast.explained.measurements measurement-unexplained"],
    ["minimumTcb", "contrast.explained.minimum_tcb minimum-unreferenced"],
    ["products", "contrast.explained.products"],
  ])("is inconclusive under a profile without %s", async (member, open) => {
    const ran = await again(shape, { change: without(member) });
    const report = reportOf(ran);
    expect([ran.status, report.verdict]).toEqual([3, "inconclusive"]);
    expect(owed(report, "fail")).toEqual([]);
    expect(owed(report, "skip")).toEqual(expect.arrayContaining([open, unexplained]));
  });
});

/** Owed claims that say no to each variant. */
const said: Readonly<Record<VariantName, readonly string[]>> = {
  imageDigest: ["kata.container.image image-differs"],
  extraEnv: ["kata.container.env env-surplus"],
  envByRegex: ["kata.requests.env_regex env-regex-open"],
  strangeWorkload: ["kata.manifest.explained key-unexplained"],
  rulesChanged: ["kata.rules.known rules-lax"],
  diskRoot: ["kata.container.args args-differ"],
  adapterUnencrypted: ["kata.safety.adapter_type adapter-type-unknown"],
  lowerTcb: ["contrast.explained.minimum_tcb minimum-below-profile"],
  manifestByte: [],
  moreNames: ["kata.workload.sans sans-differ"],
  wrongRole: ["contrast.manifest.valid manifest-invalid", "kata.workload.role role-differs"],
  policyMissing: ["contrast.policies.complete policy-body-missing"],
  policySurplus: ["contrast.policies.known policy-body-surplus"],
};
/** Of those, the ones in which the manifest is explained all the same. */
const explained: readonly VariantName[] = ["manifestByte", "adapterUnencrypted", "policySurplus"];
const names = Object.keys(said) as VariantName[];

describe.each(shapes)("what is live in place of it, of the shape %s", (shape) => {
  const here = names.filter((name) => (variants[name] as Variant).shapes.includes(shape));
  const run = (name: VariantName) => (): Promise<Ran> => {
    const { options, tamper }: Variant = variants[name];
    const from = options === undefined ? today(shape) : changedToday({ shape, ...options });
    // A deployment file that says the same leaves only what is safe.
    const auditor = name === "adapterUnencrypted" ? from : today(shape);
    return live({ shape, auditor, from, ...(tamper === undefined ? {} : { hooks: { tamper } }) });
  };
  const of = shown(Object.fromEntries(here.map((name) => [name, run(name)])));
  test.each(here)("%s is told by the claims that name it, and by no others", (name) => {
    const { ran, report } = of(name);
    expect(owed(report, "fail")).toEqual(said[name]);
    expect(ran.status).toBe(said[name].length === 0 ? 0 : 1);
    expect(statusOf(report, expected)).toEqual([explained.includes(name) ? "pass" : "skip"]);
  });
});

/** The same deployment, whose Coordinator enforces and shows this. */
const enforcing =
  (edit: (manifest: Manifest) => Manifest, bodies: (body: Uint8Array) => Uint8Array = (b) => b): Tamper =>
  (draft, d) => {
    const manifests = [...draft.shown.manifests.slice(0, -1), manifestBytes(edit(d.manifestValue))];
    return {
      ...draft,
      attested: { ...draft.attested, manifests },
      shown: { ...draft.shown, manifests, policies: draft.shown.policies.map(bodies) },
    };
  };
const file = (yaml: (text: string) => string): Partial<RecordQuestion> => ({
  auditor: changed({ change: { yaml } }),
  from: good(),
});

interface Attack {
  readonly run: () => Promise<Ran>;
  readonly exit: 0 | 1 | 3 | 4;
  /** All owed claims that say no. */
  readonly failed?: readonly string[];
  /** All that could not be asked or were not, beside the manifest's reference; null: many, and not told here. */
  readonly open?: readonly string[] | null;
  /** What contrast.manifest.expected says; default skip, manifest-unexplained. */
  readonly manifest?: "pass" | "skip" | "consistent" | "unavailable";
}
/** A run of the small shape, or of what is given, with other options. */
const enforced = (options: HistoryOptions, more: RecordQuestion = {}) => ({
  run: () => record({ from: changed({ shape: more.shape ?? "small", ...options }), ...more }),
});
const under = (change: (profile: ProfileValue) => ProfileValue, more: RecordQuestion = {}) => ({
  run: () => record({ ...more, profile: { change } }),
});
const noMinimum = "contrast.explained.minimum_tcb minimum-unreferenced";
const machines = (code: string): string => `contrast.explained.machines ${code}`;
const noMachines = snp((v) => ({ ...v, AllowedChipIDs: [] }));

/** Key of an entry that is no Coordinator's. */
function workloadKey(manifest: string): string {
  const { Policies: entries } = JSON.parse(manifest) as {
    readonly Policies: Readonly<Record<string, { readonly Role?: string }>>;
  };
  const [key] = Object.entries(entries).find(([, entry]) => entry.Role !== "coordinator") ?? [];
  if (key === undefined) throw new Error("no workload in the manifest");
  return key;
}

const attacks = {
  "no reference values": {
    ...enforced(references(() => ({ snp: [] }))),
    exit: 1,
    failed: ["contrast.manifest.valid manifest-invalid"],
    open: ["snp.pins.what_runs"],
  },
  "no reference values where the service demands lists of machines": {
    ...enforced(
      references(() => ({ snp: [] })),
      { shape: "privatemode" },
    ),
    exit: 1,
    failed: ["contrast.manifest.valid manifest-invalid"],
    open: ["snp.pins.what_runs"],
  },
  "reference values of TDX alone, which nobody knows": {
    ...enforced(references(() => ({ snp: [], tdx: [tdx] }))),
    exit: 3,
    open: [
      "contrast.explained.machines",
      "contrast.explained.tcb_evaluation",
      "contrast.explained.tdx tdx-unexplained",
      "snp.pins.what_runs",
    ],
  },
  "reference values of TDX alone, which the profile knows": {
    ...enforced(
      references(() => ({ snp: [], tdx: [tdx] })),
      { profile: { change: (p) => knownTdx(p) } },
    ),
    exit: 3,
    open: ["snp.pins.what_runs"],
    manifest: "pass",
  },
  "a reference value of TDX that nobody knows beside a known one": {
    ...enforced(references((r) => ({ ...r, tdx: [tdx] }))),
    exit: 3,
    open: [
      "contrast.explained.machines",
      "contrast.explained.tcb_evaluation",
      "contrast.explained.tdx tdx-unexplained",
    ],
  },
  "a reference value of TDX with another RTMR": {
    ...enforced(
      references((r) => ({ ...r, tdx: [tdx, { ...tdx, Rtmrs: [...tdx.Rtmrs.slice(0, 3), bytes(48, "5")] }] })),
      { profile: { change: (p) => knownTdx(p) } },
    ),
    exit: 1,
    failed: ["contrast.explained.tdx tdx-unexplained"],
  },
  "a reference value of TDX that demands less of the platform": {
    ...enforced(
      references((r) => ({ ...r, tdx: [{ ...tdx, SMTDisabled: false }] })),
      { profile: { change: (p) => knownTdx(p, { smtDisabled: true }) } },
    ),
    exit: 1,
    failed: ["contrast.explained.tdx tdx-unexplained"],
  },
  "a known reference value of TDX beside the other": {
    ...enforced(
      references((r) => ({ ...r, tdx: [tdx] })),
      { profile: { change: (p) => knownTdx(p) } },
    ),
    exit: 0,
    manifest: "pass",
  },
  "no list of platforms where the profile names them": {
    ...enforced(
      references((r) => ({ ...r, tdx: [{ ...tdx, AllowedPIIDs: null }] })),
      { profile: { change: (p) => knownTdx(p) } },
    ),
    exit: 1,
    failed: [machines("machines-open")],
  },
  "values in upper case, which mean the same": {
    ...enforced(
      snp((v) => ({
        ...v,
        TrustedMeasurement: v.TrustedMeasurement.toUpperCase(),
        AllowedChipIDs: (v.AllowedChipIDs ?? []).map((id) => id.toUpperCase()),
      })),
    ),
    exit: 0,
    manifest: "pass",
  },
  "a second entry with another measurement": {
    ...enforced(
      references(({ snp: list }) => ({
        snp: list.flatMap((v) => [v, { ...v, TrustedMeasurement: bytes(48, "a") }]),
      })),
    ),
    exit: 1,
    failed: ["contrast.explained.measurements measurement-unexplained"],
  },
  "a second entry with a lower minimum": {
    ...enforced(
      references(({ snp: list }) => ({
        snp: list.flatMap((v) => [v, { ...v, MinimumTCB: { ...v.MinimumTCB, BootloaderVersion: 0 } }]),
      })),
    ),
    exit: 1,
    failed: ["contrast.explained.minimum_tcb minimum-below-profile"],
  },
  "an empty list of measurements in the profile": {
    ...under((p) => ({ ...p, measurements: [] })),
    exit: 3,
    open: [
      "chain.reference.measurement_known measurement-unreferenced",
      "contrast.explained.measurements measurement-unexplained",
    ],
  },
  "no values in the profile at all": {
    ...under(without("measurements", "minimumTcb", "manifestValues", "products")),
    exit: 3,
    open: [
      "chain.reference.measurement_known measurement-unreferenced",
      "contrast.explained.guest_bits",
      "contrast.explained.machines",
      "contrast.explained.measurements measurement-unexplained",
      noMinimum,
      "contrast.explained.mitigation_vector",
      "contrast.explained.platform_info",
      "contrast.explained.products",
    ],
  },
  "no list of machines where the profile names them": {
    ...enforced(noMachines),
    exit: 1,
    failed: [machines("machines-open")],
  },
  "no list of machines where the service demands one": {
    ...enforced(noMachines, { shape: "privatemode", profile: { change: but("manifestValues", { chipIds: null }) } }),
    exit: 1,
    failed: [machines("machines-open")],
  },
  // Nobody demands one: a finding.
  "no list of machines where nobody demands one": {
    ...enforced(noMachines, { profile: { change: but("manifestValues", { chipIds: null }) } }),
    exit: 3,
    open: ["contrast.explained.machines"],
  },
  "no list of machines where the profile accepts any": {
    ...enforced(noMachines, {
      profile: { change: (p) => but("relaxations", { anyMachine: true })(but("manifestValues", { chipIds: null })(p)) },
    }),
    exit: 0,
    manifest: "pass",
  },
  "an empty list of machines in the profile": {
    ...under(but("manifestValues", { chipIds: [] })),
    exit: 1,
    failed: [machines("machine-unexplained")],
  },
  "a further machine": {
    ...enforced(snp((v) => ({ ...v, AllowedChipIDs: [...(v.AllowedChipIDs ?? []), bytes(64, "0")] }))),
    exit: 1,
    failed: [machines("machine-unexplained")],
  },
  "a guest policy that allows debugging": {
    ...enforced(snp((v) => ({ ...v, GuestPolicy: { ...v.GuestPolicy, Debug: true } }))),
    exit: 1,
    failed: [
      "contrast.explained.guest_bits guest-bits-unexplained",
      "contrast.explained.guest_policy guest-policy-unexplained",
      "contrast.manifest.valid manifest-invalid",
      "snp.policy.debug policy-debug",
    ],
  },
  "a guest policy that lets memory be swapped": {
    ...enforced(snp((v) => ({ ...v, GuestPolicy: { ...v.GuestPolicy, PageSwapDisable: false } }))),
    exit: 1,
    failed: ["contrast.explained.guest_bits guest-bits-unexplained"],
  },
  "machines with sibling threads": {
    ...enforced(snp((v) => ({ ...v, PlatformInfo: { ...v.PlatformInfo, SMTEnabled: true } }))),
    exit: 1,
    failed: ["contrast.explained.platform_info platform-info-unexplained"],
  },
  "another product line": {
    ...enforced(references(({ snp: list }) => ({ snp: list.flatMap((v) => [v, { ...v, ProductName: "Milan" }]) }))),
    exit: 1,
    failed: ["contrast.explained.products product-unexplained"],
  },
  "a platform that Contrast does not know": {
    ...enforced(snp((v) => ({ ...v, Platform: "Metal-QEMU" }))),
    exit: 1,
    failed: ["contrast.explained.platform platform-unexplained"],
  },
  "an owner's key": {
    ...enforced({ manifest: (m) => ({ ...m, WorkloadOwnerPubKeys: [ownerKey] }) }),
    exit: 1,
    failed: ["contrast.explained.owners owner-unexplained"],
  },
  "a seed share owner's key that the profile does not name": {
    ...under(but("manifestValues", { seedshareOwners: [] }), { shape: "privatemode" }),
    exit: 1,
    failed: ["contrast.explained.seedshare_owners seedshare-unexplained"],
  },
  "a manifest after an update, by an owner whom the profile names": {
    run: () => record({ auditor: changed({ updates: 1 }) }),
    exit: 0,
    manifest: "pass",
  },
  "the policy of an earlier manifest": {
    run: () => {
      const from = changed({ updates: 1 });
      const [older] = from.manifests;
      const before = JSON.parse(Buffer.from(older ?? []).toString()) as Manifest;
      const inference = ([, e]: readonly [string, PolicyEntry]): boolean => e.WorkloadSecretID.includes("/workload-");
      const back = changed({
        updates: 1,
        ...policies((now) => [
          ...now.filter((e) => !inference(e)),
          ...Object.entries(before.Policies).filter(inference),
        ]),
      });
      return record({ auditor: from, from: back });
    },
    exit: 1,
    failed: [
      "contrast.policies.known policy-body-surplus",
      "kata.container.image image-differs",
      "kata.container.sidecar sidecar-image-differs",
    ],
  },
  "two keys with one WorkloadSecretID": {
    ...enforced(
      policies((all) => {
        const id = all.find(([, e]) => e.WorkloadSecretID.includes("/workload-"))?.[1].WorkloadSecretID ?? "";
        return all.map(([key, e]) => [
          key,
          e.WorkloadSecretID.endsWith("/secret-service") ? { ...e, WorkloadSecretID: id } : e,
        ]);
      }),
    ),
    exit: 1,
    failed: [
      "kata.manifest.explained key-unexplained",
      "kata.workload.policy_found policy-missing",
      "kata.workload.policy_found policy-several",
    ],
    open: null,
  },
  "no policies": {
    run: () => record({ tamper: enforcing((m) => ({ ...m, Policies: {} })) }),
    exit: 1,
    failed: [
      "contrast.manifest.valid manifest-invalid",
      "contrast.policies.known policy-body-surplus",
      "kata.workload.policy_found policy-missing",
    ],
    open: null,
  },
  "workloads under an ordinary runtime class alone": {
    run: () => record(file((text) => text.replaceAll(/runtimeClassName: .*/g, "runtimeClassName: runc"))),
    exit: 1,
    failed: ["kata.deployment.workloads no-workload", "kata.manifest.explained key-unexplained"],
  },
  "a deployment file without workloads": {
    run: () => record(file(() => "apiVersion: v1\nkind: Service\nmetadata: { name: a, namespace: b }\n")),
    exit: 1,
    failed: ["kata.deployment.workloads no-workload", "kata.manifest.explained key-unexplained"],
  },
  "an empty deployment file": {
    run: () => record(file(() => "")),
    exit: 1,
    failed: [
      "kata.deployment.format deployment-malformed",
      "kata.deployment.workloads no-workload",
      "kata.manifest.explained key-unexplained",
    ],
  },
  "a deployment file of kinds that pm does not know": {
    run: () => record(file((text) => text.replaceAll(/kind: (Deployment|StatefulSet)/g, "kind: Rollout"))),
    exit: 3,
    open: ["kata.deployment.format deployment-malformed", "kata.deployment.workloads", "kata.manifest.explained"],
  },
  "one workload of an ordinary runtime class, whose policy is in the manifest": {
    run: () =>
      record(
        file((text) => text.replace("runtimeClassName: contrast-cc-metal-qemu-snp-gpu", "runtimeClassName: runc")),
      ),
    exit: 1,
    failed: ["kata.manifest.explained key-unexplained"],
  },
  // A finding: kata.policy.form.
  "a policy in the form before initdata, which says what the file says": {
    run: () => record(asRego((text) => text)),
    exit: 0,
    manifest: "pass",
  },
  "a policy in the form before initdata, with another program": {
    run: () => record(asRego((text) => text.replace("/bin/serve", "/bin/other"))),
    exit: 1,
    failed: ["kata.container.args args-differ"],
  },
  "a document whose digest is no SHA-256": {
    run: () => record(asBody((body) => utf8(Buffer.from(body).toString().replace("'sha256'", "'sha384'")))),
    exit: 1,
    failed: ["kata.initdata.digest policy-digest"],
    open: null,
  },
  "rules that stand in the document twice": {
    run: () => record(asRego((text) => `${text}\n${text.slice(text.indexOf("policy_data :="))}`)),
    exit: 1,
    failed: ["kata.policy_data.single policy-data-rival"],
    open: null,
  },
  "a key in upper case": {
    // Not the Coordinator's own: its report names that one.
    ...enforced({ manifestText: (t) => t.replace(workloadKey(t), (key) => key.toUpperCase()) }),
    exit: 1,
    failed: ["contrast.manifest.valid manifest-invalid"],
    open: null,
  },
  "a member in another case, which Contrast reads": {
    ...enforced({ manifestText: (t) => t.replace('"SANs"', '"sans"') }),
    exit: 1,
    failed: ["contrast.manifest.unambiguous manifest-ambiguous"],
    open: null,
  },
  "a member twice": {
    ...enforced({
      manifestText: (t) =>
        t.replace('"WorkloadOwnerPubKeys": null', '"WorkloadOwnerPubKeys": [], "WorkloadOwnerPubKeys": null'),
    }),
    exit: 1,
    failed: ["contrast.manifest.unambiguous manifest-ambiguous"],
    open: null,
  },
  "a manifest that is no JSON": {
    ...enforced({ manifestText: (t) => t.replace("{", "[") }),
    exit: 1,
    failed: ["contrast.manifest.format manifest-malformed"],
    open: null,
  },
  "no bodies": {
    run: () => record({ tamper: (d) => ({ ...d, shown: { ...d.shown, policies: [] } }) }),
    exit: 1,
    failed: ["contrast.policies.complete policy-body-missing"],
    open: null,
  },
  "a Coordinator that could not be reached": {
    run: () => record({ away: true }),
    exit: 4,
    manifest: "unavailable",
  },
  // What is shown is explained, and is not what was attested.
  "another manifest than the attested one": {
    run: () => record({ tamper: tampers.manifestNewline.apply }),
    exit: 1,
    failed: ["contrast.nonce.bound history-hidden", "snp.report.report_data report-data"],
    manifest: "pass",
  },
  "a hidden history": {
    run: () => record({ tamper: tampers.historyHidden.apply }),
    exit: 1,
    failed: ["contrast.nonce.bound history-hidden", "snp.report.report_data report-data"],
    manifest: "pass",
  },
  "another root": {
    run: () => record({ tamper: tampers.otherRoot.apply }),
    exit: 1,
    failed: ["snp.vek.chain chain-root"],
    open: null,
    manifest: "pass",
  },
} as const satisfies Readonly<Record<string, Attack>>;

/** The body of the inference workload is another, and the manifest names it. */
function asBody(edit: (body: Uint8Array) => Uint8Array): RecordQuestion {
  const policy = good().policies.find((p) => p.workload.name.startsWith("workload-"));
  if (policy === undefined) throw new Error("no inference workload");
  const body = edit(policy.body);
  const rename = (key: string): string => (key === policy.key ? hexOf(sha256(body)) : key);
  return {
    tamper: enforcing(
      (m) => ({
        ...m,
        Policies: Object.fromEntries(Object.entries(m.Policies).map(([key, e]) => [rename(key), e])),
      }),
      (b) => (b === policy.body ? body : b),
    ),
  };
}
/** Bare Rego text in place of the document. */
const asRego = (edit: (text: string) => string): RecordQuestion =>
  asBody((body) => {
    const [, text = ""] = /'policy\.rego' = '''\n([\s\S]*)'''\n$/.exec(Buffer.from(body).toString()) ?? [];
    return utf8(edit(text));
  });

describe("an explanation that was not made", () => {
  const attempts: Readonly<Record<string, Attack>> = attacks;
  const of = shown(Object.fromEntries(Object.entries(attempts).map(([name, { run }]) => [name, run])));
  test.each(Object.keys(attempts))("%s", (name) => {
    const { exit, failed = [], open = [], manifest = "skip" } = attempts[name] as Attack;
    const { ran, report } = of(name);
    expect(owed(report, "fail")).toEqual(failed);
    if (open !== null) expect(owed(report, "error", "skip").filter((c) => !c.startsWith(`${expected} `))).toEqual(open);
    expect(statusOf(report, expected)).toEqual([manifest]);
    expect(ran.status).toBe(exit);
    expect(ran.status === 0).toBe(/^TEST ROOT verified \(live\)/.test(report.verdictLine));
  });
});

/** A waiver for the one claim that says no. */
const waiving =
  (claim: string, subject: string) =>
  (profile: ProfileValue): ProfileValue => ({
    ...profile,
    waivers: [{ claim, subject, reason: "accepted", owner: "alice@example.org", expires: "2099-01-01T00:00:00Z" }],
  });
const extraEnv = changed({ shape: "small", ...variants.extraEnv.options });
const inference = (): string => {
  const found = good().policies.find((p) => p.workload.name.startsWith("workload-"));
  return found?.workloadSecretId ?? "";
};

describe("what vouches beside the explanation", () => {
  test.each([
    ["a container's claim", extraEnv, "kata.container.env", `container ${inference()}/inference`],
    [
      "a value's claim",
      changed({ manifest: (m) => ({ ...m, WorkloadOwnerPubKeys: [ownerKey] }) }),
      "contrast.explained.owners",
      "manifest values",
    ],
  ])("a waiver of %s does not explain the manifest", async (_, from, claim, subject) => {
    const ran = await record({ from, profile: { change: waiving(claim, subject) } });
    const report = reportOf(ran);
    expect(report.waivers.map((w) => w.state)).toEqual(["applied"]);
    expect([ran.status, report.verdict]).toEqual([3, "inconclusive"]);
    expect(owed(report, "error", "skip", "unavailable")).toEqual([unexplained]);
  });
  test("a waiver of the reference is none", async () => {
    const ran = await record({ from: extraEnv, profile: { change: waiving(expected, "coordinator") } });
    expect([ran.status, reportOf(ran).waivers.map((w) => w.state)]).toEqual([1, ["unused"]]);
  });
  test("a pinned manifest is held against the deployment file, too", async () => {
    const pinned = (sha: string) => ({
      change: (p: ProfileValue): ProfileValue => ({ ...p, manifest: { reference: "pinned", sha256: sha } }),
    });
    const right = await record({ profile: pinned(hexOf(sha256(good().manifest))) });
    expect([right.status, owed(reportOf(right), "fail", "skip", "consistent")]).toEqual([0, []]);
    const wrong = await record({ from: extraEnv, profile: pinned(hexOf(sha256(extraEnv.manifest))) });
    const report = reportOf(wrong);
    expect([wrong.status, owed(report, "fail")]).toEqual([1, ["kata.container.env env-surplus"]]);
    expect([statusOf(report, expected), owed(report, "consistent")]).toEqual([["pass"], []]);
  });
  test("a published manifest stays the audited party's word, whatever the deployment file says", async () => {
    const ran = await live({
      shape: "privatemode",
      profile: {
        change: (p) => {
          const { url } = p["coordinator"] as { readonly url: string };
          return { ...p, manifest: { reference: "published", url: `${url}/privatemode/v2/manifest.json` } };
        },
      },
    });
    const report = reportOf(ran);
    expect([ran.status, report.verdict]).toEqual([3, "inconclusive"]);
    expect(owed(report, "fail", "error", "unavailable")).toEqual([]);
    expect(statusOf(report, expected)).toEqual(["consistent"]);
    for (const id of ["kata.manifest.explained", "kata.initdata.digest"])
      expect(new Set(statusOf(report, id)), id).toEqual(new Set(["consistent"]));
  });
  test("a Coordinator that answers 503 leaves all open, and nothing failed", async () => {
    const ran = await live({
      hooks: { answer: ({ service }, answer) => (service === "coordinator" ? { ...answer, status: 503 } : undefined) },
    });
    const report = reportOf(ran);
    expect([ran.status, report.verdict, owed(report, "fail", "error")]).toEqual([4, "unavailable", []]);
    expect(statusOf(report, "kata.container.image").every((status) => status === "unavailable")).toBe(true);
    expect(report.readers).toEqual([]);
  });
  test("values that the profile does not name leave the manifest unexplained: its own word is no reference", async () => {
    const names = ["guestPolicy", "platformInfo", "chipIds", "minimumMitigationVector"];
    const change = (p: ProfileValue): ProfileValue =>
      without("products")(but("manifestValues", Object.fromEntries(names.map((name) => [name, null])))(p));
    const ran = await record({ profile: { change } });
    const report = reportOf(ran);
    const ids = ["guest_bits", "machines", "mitigation_vector", "platform_info", "products"];
    const open = ids.map((id) => `contrast.explained.${id}`);
    expect([ran.status, report.verdict, owed(report, "fail")]).toEqual([3, "inconclusive", []]);
    expect(owed(report, "skip")).toEqual(expect.arrayContaining([...open, unexplained]));
    expect(statusOf(report, "kata.manifest.explained")).toEqual(["consistent"]);
  });
  test("a bundle with a deployment file or a profile in it is none", async () => {
    const held = good().files.get("deployment.yaml") ?? utf8("");
    for (const [name, content] of [
      ["deployment.yaml", held],
      ["pm.yaml", utf8("version: 1\nservice: contrast\n")],
    ] as const) {
      const ran = await record({ beside: { [name]: content } });
      expect([ran.status, ran.stderr]).toEqual([1, `pm: bundle: "${name}": does not belong there\n`]);
    }
  });
  test("nothing is asked of a bundle that the auditor's profile does not hold", async () => {
    const ran = await replay(bundles.small, { auditor: today(), profile: "contrast" });
    const report = reportOf(ran);
    expect([ran.status, statusOf(report, expected), report.readers]).toEqual([3, ["skip"], undefined]);
    expect(report.claims.filter((c) => /^kata\.(deployment|manifest|workload|container)\./.test(c.id))).toEqual([]);
  });
});
