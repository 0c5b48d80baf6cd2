/** `pm verify PROFILE --scope release`: what would run, before it runs. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { annotationOf } from "../../fixtures/generator/genpolicy.ts";
import type { HistoryOptions } from "../../fixtures/generator/history.ts";
import type { ProfileOptions, ProfileValue } from "../../fixtures/generator/profile.ts";
import { variants } from "../../fixtures/generator/variants.ts";
import { writeBundle } from "../../src/sources/bundle.ts";
import { type Ran, reportOf, runPm } from "../command.ts";
import {
  but,
  bytes,
  changed,
  good,
  knownTdx,
  owed,
  ownerKey,
  profileFile,
  type ReleaseQuestion,
  references,
  release,
  removeReleaseWorld,
  runAll,
  savedBundle,
  snp,
  tdx,
  without,
} from "./release-world.ts";

afterAll(removeReleaseWorld);

const inference = (name: string): boolean => name.startsWith("workload-");
const extraEnv = changed({ ...variants.extraEnv.options });
const explained = (name: string, code?: string): string =>
  `contrast.explained.${name}${code === undefined ? "" : ` ${code}`}`;

/** The deployment file as Contrast's generate command leaves it: the policy of each workload stands in its annotation. */
const annotated = (of: (name: string) => string): HistoryOptions => ({
  change: {
    workloads: (workloads) =>
      workloads.map((w) => ({
        ...w,
        annotations: { ...w.annotations, "io.katacontainers.config.hypervisor.cc_init_data": of(w.name) },
      })),
  },
});
const bodyIn = (d: ReturnType<typeof good>, name: string): Uint8Array =>
  d.policies.find((p) => p.workload.name === name)?.body ?? new Uint8Array();
const right = annotated((name) => annotationOf(bodyIn(good(), name)));
/** The annotation of the inference workload is another document's. */
const stale = annotated((name) => annotationOf(bodyIn(inference(name) ? extraEnv : good(), name)));
const broken = annotated((name) => (inference(name) ? "AAAA" : annotationOf(bodyIn(good(), name))));

/** All digests that the profile vouches for, but for the inference server's. */
const oneLess = (profile: ProfileValue): ProfileValue => {
  const said = profile["assurance"] as { readonly minimum: string; readonly pinned: readonly string[] };
  return { ...profile, assurance: { ...said, pinned: said.pinned.filter((image) => !image.includes("/inference:")) } };
};
const ofServer =
  (minimum: string) =>
  (profile: ProfileValue): ProfileValue =>
    but("assurance", { images: [{ repository: "registry.example/demo/inference", minimum }] })(oneLess(profile));
const assured = (
  assurance: "hash-only" | "pinned" | "rebuilt",
  change = oneLess,
): { readonly profile: ProfileOptions } => ({
  profile: { assurance, change },
});
const below = "chain.assurance.images assurance-below-profile";
const notBuilt = "chain.assurance.images assurance-not-built";
const tagOnly: HistoryOptions = {
  change: {
    data: (name, data) => {
      const last = data.containers.at(-1);
      if (!inference(name) || last === undefined) return;
      const tag = last.image?.replace(/@.*/, "") ?? "";
      last.image = tag;
      last.OCI.Annotations["io.kubernetes.cri.image-name"] = tag;
      for (const storage of last.storages) if (storage["driver"] === "image_guest_pull") storage["source"] = tag;
    },
  },
};

interface Case extends ReleaseQuestion {
  /** What the candidate is made with, where it is not the auditor's deployment. */
  readonly candidate?: HistoryOptions;
  readonly failed?: readonly string[];
  /** Not asked or could not be; null: many. */
  readonly open?: readonly string[] | null;
}
/** Takes away what is said of SNP. */
const snpValues: readonly ((profile: ProfileValue) => ProfileValue)[] = [
  without("measurements", "minimumTcb", "products"),
  but("manifestValues", { guestPolicy: null, platformInfo: null, minimumMitigationVector: null, chipIds: null }),
];
const anyMachine = but("relaxations", { anyMachine: true });
const manifestValues = (more: Readonly<Record<string, unknown>>) => ({
  profile: { change: but("manifestValues", more) },
});

/** What the auditor knows beside the deployment file. */
const held = (more: Readonly<Record<string, unknown>>) => ({ profile: { change: but("deployment", more) } });

const cases: Readonly<Record<string, Case>> = {
  "the deployment that the auditor's files describe": {},
  "the same of Privatemode's shape": { shape: "privatemode" },
  "a manifest with one byte more": { candidate: { manifestText: (text) => `${text}\n` } },
  "policies out of the deployment file's annotations": { auditor: changed(right), policies: null },
  "a policy that says more than the file": {
    from: extraEnv,
    failed: ["kata.container.env env-surplus"],
  },
  "an annotation with another policy than the candidate's": {
    auditor: changed(stale),
    failed: ["kata.annotation.equal annotation-differs"],
  },
  "an annotation that is none": {
    auditor: changed(broken),
    failed: ["kata.annotation.equal annotation-malformed"],
  },
  "an annotation that is none, and no other body": {
    auditor: changed(broken),
    policies: null,
    open: null,
  },
  "a deployment file without annotations, and no other body": { policies: null, open: null },
  "a body that no entry names": {
    policies: [...good().policies, ...extraEnv.policies].map((p) => p.body),
  },

  "no rules in the profile": { ...held({ rules: null }), open: ["kata.rules.known rules-unknown"] },
  "an empty list of rules in the profile": { ...held({ rules: [] }), open: ["kata.rules.known rules-unknown"] },
  "no image configurations in the profile": {
    ...held({ imageConfigs: null }),
    open: ["args args-unknown", "cwd cwd-unknown", "env env-unknown", "user user-unknown"].map(
      (code) => `kata.container.${code}`,
    ),
  },
  "no sidecars in the profile": {
    ...held({ sidecars: null }),
    failed: ["kata.container.mounts mount-unexpected", "kata.containers.complete container-extra"],
  },
  "no additions to the names in the profile": {
    ...held({ sanEdits: null }),
    failed: ["kata.workload.sans sans-differ"],
  },
  "no sources in the profile": {
    shape: "privatemode",
    ...held({ sources: null }),
    open: ["kata.source.known source-hash-only"],
  },

  "another launch measurement": {
    candidate: snp((v) => ({ ...v, TrustedMeasurement: bytes(48, "a") })),
    failed: [explained("measurements", "measurement-unexplained")],
  },
  "no measurement in the profile": {
    profile: { change: without("measurements") },
    open: [explained("measurements", "measurement-unexplained")],
  },
  "a measurement by flag": {
    profile: { change: without("measurements") },
    args: ["--measurement", good().measurement],
  },
  "a TDX entry that nobody knows": {
    candidate: references((r) => ({ ...r, tdx: [tdx] })),
    open: [explained("machines"), explained("tcb_evaluation"), explained("tdx", "tdx-unexplained")],
  },
  "a TDX entry that the profile knows": {
    candidate: references((r) => ({ ...r, tdx: [tdx] })),
    profile: { change: (p) => knownTdx(p) },
  },
  "TDX entries alone, known": {
    candidate: references(() => ({ snp: [], tdx: [tdx] })),
    profile: { change: (p) => knownTdx(p) },
  },
  "TDX entries alone, and no value for SNP in the profile": {
    candidate: references(() => ({ snp: [], tdx: [tdx] })),
    profile: { change: (p) => snpValues.reduce((left, change) => change(left), knownTdx(p)) },
  },
  "a TDX entry, and no evaluation data number in the profile": {
    candidate: references((r) => ({ ...r, tdx: [tdx] })),
    profile: { change: (p) => but("manifestValues", { minTcbEvaluationDataNumber: null })(knownTdx(p)) },
    open: [explained("tcb_evaluation")],
  },
  "a TDX entry, and no platforms in the profile": {
    candidate: references((r) => ({ ...r, tdx: [tdx] })),
    profile: { change: (p) => but("manifestValues", { piids: null })(knownTdx(p)) },
    open: [explained("machines")],
  },
  ...Object.fromEntries(
    (
      [
        ["guestPolicy", "guest_bits"],
        ["platformInfo", "platform_info"],
        ["minimumMitigationVector", "mitigation_vector"],
        ["chipIds", "machines"],
      ] as const
    ).map(([member, id]): [string, Case] => [
      `no ${member} in the profile`,
      { ...manifestValues({ [member]: null }), open: [explained(id)] },
    ]),
  ),
  "no product lines in the profile": { profile: { change: without("products") }, open: [explained("products")] },
  "no machines in Privatemode's profile, though each entry lists some": {
    shape: "privatemode",
    ...manifestValues({ chipIds: null }),
    open: [explained("machines")],
  },
  "any machine by a relaxation, where entries list some": {
    profile: { change: (p) => anyMachine(but("manifestValues", { chipIds: null })(p)) },
  },
  "any machine by a relaxation, where entries list none": {
    candidate: snp((v) => ({ ...v, AllowedChipIDs: null })),
    profile: { change: (p) => anyMachine(but("manifestValues", { chipIds: null })(p)) },
  },
  "any machine by a relaxation, beside a list of the profile's": {
    candidate: snp((v) => ({ ...v, AllowedChipIDs: [bytes(64, "d")] })),
    profile: { change: anyMachine },
    failed: [explained("machines", "machine-unexplained")],
  },
  "any machine by a relaxation, where the service demands lists": {
    shape: "privatemode",
    candidate: { shape: "privatemode", ...snp((v) => ({ ...v, AllowedChipIDs: null })) },
    profile: { change: (p) => anyMachine(but("manifestValues", { chipIds: null })(p)) },
    failed: [explained("machines", "machines-open")],
  },
  "a TDX entry with another XFAM": {
    candidate: references((r) => ({ ...r, tdx: [{ ...tdx, Xfam: "ff02060000000000" }] })),
    profile: { change: (p) => knownTdx(p) },
    failed: [explained("tdx", "tdx-unexplained")],
  },
  "a TDX entry judged by old TCB information": {
    candidate: references((r) => ({ ...r, tdx: [tdx] })),
    profile: { change: (p) => but("manifestValues", { minTcbEvaluationDataNumber: 20 })(knownTdx(p)) },
    failed: [explained("tcb_evaluation", "evaluation-below-profile")],
  },
  "a lower minimum TCB": {
    candidate: { ...variants.lowerTcb.options },
    failed: [explained("minimum_tcb", "minimum-below-profile")],
  },
  "no floor in the profile": {
    profile: { change: without("minimumTcb") },
    open: [explained("minimum_tcb", "minimum-unreferenced")],
  },
  "fewer mitigations than demanded": {
    ...manifestValues({ minimumMitigationVector: 31 }),
    failed: [explained("mitigation_vector", "mitigation-below-profile")],
  },
  "as many mitigations as demanded": manifestValues({ minimumMitigationVector: 15 }),
  "CXL memory": {
    candidate: snp((v) => ({ ...v, GuestPolicy: { ...v.GuestPolicy, CXLAllowed: true } })),
    failed: [explained("guest_bits", "guest-bits-unexplained"), explained("guest_policy", "guest-policy-unexplained")],
  },
  "another GuestPolicy": {
    candidate: snp((v) => ({ ...v, GuestPolicy: { ...v.GuestPolicy, PageSwapDisable: false } })),
    failed: [explained("guest_bits", "guest-bits-unexplained")],
  },
  "another PlatformInfo": {
    candidate: snp((v) => ({ ...v, PlatformInfo: { ...v.PlatformInfo, ECCEnabled: false } })),
    failed: [explained("platform_info", "platform-info-unexplained")],
  },
  "another platform": {
    candidate: snp((v) => ({ ...v, Platform: "" })),
    failed: [explained("platform", "platform-unexplained")],
  },
  "another product line": {
    candidate: snp((v) => ({ ...v, ProductName: "Milan" })),
    failed: [explained("products", "product-unexplained")],
  },
  "a list of machines that is empty": {
    candidate: snp((v) => ({ ...v, AllowedChipIDs: null })),
    failed: [explained("machines", "machines-open")],
  },
  "a machine that nobody knows": {
    candidate: snp((v) => ({ ...v, AllowedChipIDs: [bytes(64, "d")] })),
    failed: [explained("machines", "machine-unexplained")],
  },
  "an owner's key": {
    candidate: { manifest: (m) => ({ ...m, WorkloadOwnerPubKeys: [ownerKey] }) },
    failed: [explained("owners", "owner-unexplained")],
  },
  "a seed share owner's key": {
    shape: "privatemode",
    ...manifestValues({ seedshareOwners: [bytes(32, "e")] }),
    failed: [explained("seedshare_owners", "seedshare-unexplained")],
  },

  "no demand of images": { profile: { assurance: "none" } },
  "every image pinned, as demanded": { profile: { assurance: "pinned" } },
  "an image that nobody vouches for, where a digest is enough": assured("hash-only"),
  "an image that nobody vouches for, where pins are demanded": { ...assured("pinned"), failed: [below] },
  "an image that nobody vouches for, of which less is demanded": assured("pinned", ofServer("hash-only")),
  "an image that nobody vouches for, of which more is demanded": {
    ...assured("hash-only", ofServer("pinned")),
    failed: [below],
  },
  "images that must be rebuilt": { profile: { assurance: "rebuilt" }, open: [notBuilt] },
  "one image that several must have rebuilt": { ...assured("pinned", ofServer("k-of-n")), open: [notBuilt] },
  "an image by tag only": {
    candidate: tagOnly,
    failed: [below, "kata.container.image image-unpinned"],
  },
};

describe("a gate before deployment", () => {
  let shown: ReadonlyMap<string, Ran> = new Map();
  const names = Object.keys(cases);
  beforeAll(async () => {
    const run = ({ candidate, ...question }: Case) => {
      const from = candidate === undefined ? {} : { from: changed(candidate) };
      return release({ ...question, ...from });
    };
    shown = await runAll(Object.fromEntries(Object.entries(cases).map(([name, c]) => [name, () => run(c)])));
  }, 120_000);

  test.each(names)("%s", (name) => {
    const { failed = [], open = [] } = cases[name] as Case;
    const ran = shown.get(name);
    expect(ran?.stdout, ran?.stderr).not.toBe("");
    const report = reportOf(ran as Ran);
    expect(owed(report, "fail")).toEqual(failed);
    const left = owed(report, "error", "skip", "consistent", "unavailable");
    if (open !== null) expect(left).toEqual(open);
    else expect(left).toContain("kata.workload.policy_found body-not-at-hand");
    expect(ran?.status).toBe(failed.length > 0 ? 1 : left.length > 0 ? 3 : 0);
    expect([report.scope, report.verdictLine.startsWith("verified")]).toEqual(["release", ran?.status === 0]);
    expect(report.verdictLine).toContain("(release)");
  });
  test("says that nothing is enforced yet, and shows no anchor and no relaxation", () => {
    const report = reportOf(shown.get(names[0] ?? "") as Ran);
    expect([report.anchors, report.relaxations, report.capturedAt, report.bundleSha256]).toEqual([[], [], null, null]);
    expect(report.notProven.filter((line) => line.startsWith("Enforcement: "))).toHaveLength(1);
    expect(report.freshness).toBe("not asked: files");
  });
  test("shows that any machine is accepted, and by whom the rules are named", () => {
    const report = reportOf(shown.get("any machine by a relaxation, where entries list none") as Ran);
    expect(report.relaxations.map((r) => r.name)).toEqual(["any-machine"]);
    const rules = report.claims.filter((c) => c.id === "kata.rules.known").map((c) => c.expected);
    expect(new Set(rules.map((r) => `${r?.origin.kind} ${r?.at}`)).size).toBe(1);
    for (const rule of rules) {
      expect(rule?.origin.kind).toBe("profile");
      expect(rule?.at).toMatch(/\.yaml: deployment\.rules$/);
    }
  });
  test("lists who can read a prompt: each entry with its names, its images and what is known of them", () => {
    const of = (name: string) => reportOf(shown.get(name) as Ran).readers ?? [];
    const d = good();
    const readers = of("the deployment that the auditor's files describe");
    const wanted = Object.entries(d.manifestValue.Policies).map(([policy, e]) => ({
      policy,
      workload: e.WorkloadSecretID,
      role: e.Role ?? "",
      sans: e.SANs,
    }));
    expect(readers.map(({ images: _images, ...reader }) => reader)).toEqual(wanted);
    const images = readers.flatMap((r) => r.images ?? []);
    expect(new Set(images.map((i) => i.image))).toEqual(new Set(d.imageConfigs.keys()));
    expect(new Set(images.map((i) => i.assurance))).toEqual(new Set(["pinned"]));
    const less = of("an image that nobody vouches for, where a digest is enough").flatMap((r) => r.images ?? []);
    expect(less.filter((i) => i.assurance === "hash-only").map((i) => i.container)).toEqual(["inference"]);
    const blind = of("an annotation that is none, and no other body");
    expect(blind.filter((r) => r.images === null).map((r) => r.workload.split("/").at(-1))).toEqual([
      good().policies.find((p) => inference(p.workload.name))?.workload.name,
    ]);
  });
});

describe("what makes no gate", () => {
  const refused = async (...args: readonly string[]): Promise<string> => {
    const ran = await runPm(["verify", ...args, "--scope", "release"]);
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
    return ran.stderr;
  };
  const candidate = `${savedBundle()}.json`;
  beforeAll(() => writeFileSync(candidate, good().manifest));

  test("no candidate manifest", async () => {
    expect(await refused(profileFile(good()))).toContain("needs the candidate manifest");
    expect(await refused(profileFile(good()), "--manifest-sha256", bytes(32, "a"))).toContain("--manifest-sha256");
  });
  test("no deployment file in the profile", async () => {
    const profile = profileFile(good(), { change: without("deployment", "manifest") });
    expect(await refused(profile, "--manifest", candidate)).toContain("needs a deployment file");
  });
  test("a bundle", async () => {
    const bundle = savedBundle();
    await writeBundle(bundle, { capturedAt: "2025-06-01T00:00:00Z", exchanges: [] });
    expect(await refused(bundle, "--profile", profileFile(good()), "--manifest", candidate)).toContain("not a bundle");
  });
  test.each(["contrast", "privatemode"])("the built-in profile %s, which knows no deployment", async (name) => {
    expect(await refused(name, "--manifest", candidate)).toContain("needs a deployment file");
  });
  test.each([
    [["--nonce", bytes(32, "1")]],
    [["--beacon", "x"]],
    [["--save", "x.tar"]],
    [["--journal", "x.jsonl"]],
    [["--collateral", "."]],
    [["--coordinator", "http://localhost:1"]],
    [["--require-fresh"]],
    [["--exchange-public-key", candidate]],
    [["--insecure-trust-root", candidate]],
    [["--kds-url", "http://localhost:1"]],
    [["--pcs-url", "http://localhost:1"]],
  ])("%j, which is for a service that runs", async (args) => {
    const ran = await release({ args });
    expect([ran.status, JSON.parse(ran.stdout).error?.code]).toEqual([2, "PM_USAGE"]);
    expect(ran.stderr).toContain(args[0]);
  });

  test("an API key", async () => {
    const key = `${savedBundle()}.txt`;
    writeFileSync(key, "sk-test\n");
    const args = [profileFile(good()), "--manifest", candidate, "--api-key-file", key];
    expect(await refused(...args)).toContain("--api-key-file");
  });
  test("a candidate out of stdin is read once", async () => {
    const args = ["verify", profileFile(good()), "--scope", "release", "--manifest", "-", "--json"];
    const ran = await runPm(args, { stdin: readFileSync(candidate) });
    expect([ran.status, owed(reportOf(ran), "fail")]).toEqual([0, []]);
  });
});
