/** The negative cases for policies (policy notes, section 7), each through a command. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { initdata, sha256 } from "../../fixtures/generator/policies.ts";
import { makePolicyWorld } from "../../fixtures/generator/policy-world.ts";
import { sharedDeployment } from "../../fixtures/generator/shared.ts";
import { type Ran, runPm } from "../command.ts";
import { attest, check, deployment } from "../coverage/world.ts";
import { checkPolicies, type PolicyQuestion } from "../policies.ts";
import { elsewhere, type Shown, table } from "./table.ts";

const granite = "workload-granite";
const cases = "test/policy-cases.ts";
const workload = `workload apps/v1/Deployment/demo/${granite}`;
const world = makePolicyWorld(sharedDeployment().manifestValue);
const body = world.policies.get(`${granite}.toml`);
if (body === undefined) throw new Error("the deployment has no such workload");
const keyOf = (bytes: Uint8Array): string => Buffer.from(sha256(bytes)).toString("hex");
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const bytes = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, "utf8"));

/** The workload's body edited, and the manifest naming the edited body, or still the one before. */
function withBody(edit: (toml: string) => string | Uint8Array, named: "edited" | "before" = "edited"): Promise<Ran> {
  const edited = edit(text(body ?? new Uint8Array()));
  const other = typeof edited === "string" ? bytes(edited) : edited;
  const folder = mkdtempSync(join(tmpdir(), "pm-negative-"));
  for (const [name, one] of world.policies) writeFileSync(join(folder, name), name === `${granite}.toml` ? other : one);
  const manifest = text(world.manifest).replace(
    keyOf(body ?? new Uint8Array()),
    named === "edited" ? keyOf(other) : keyOf(body ?? new Uint8Array()),
  );
  return checkPolicies({ bodies: folder, manifest: bytes(manifest) });
}
function replaced(from: string, to: string): (toml: string) => string {
  return (toml) => {
    if (!toml.includes(from)) throw new Error(`not in the body: ${from}`);
    return toml.replace(from, to);
  };
}
const annotated = (annotation: string): Promise<Ran> =>
  checkPolicies({
    yaml: (yaml) =>
      yaml.replace(
        "annotations: {}",
        `annotations: { io.katacontainers.config.hypervisor.cc_init_data: ${JSON.stringify(annotation)} }`,
      ),
  });
const annotation = (what: string, value: string): Shown => ({
  what,
  run: () => annotated(value),
  says: [`${workload} kata.annotation.equal fail annotation-malformed`],
  exit: 1,
});
const base64 = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString("base64");
const member = gzipSync(body);

/** A text before the data, in the rules; the rules are then none that are known. */
const rival = (what: string, statement: string): Shown => ({
  what,
  run: () => checkPolicies({ rules: (name, rules) => (name === granite ? `${rules}${statement}\n` : rules) }),
  says: [`${workload} kata.policy_data.single fail policy-data-rival`],
  exit: 1,
});
const policy = (what: string, edit: (policyText: string) => string, says: string, exit: number): Shown => ({
  what,
  run: () => checkPolicies({ policy: (name, policyText) => (name === granite ? edit(policyText) : policyText) }),
  says: [`${workload} ${says}`],
  exit,
});
type Entries = NonNullable<PolicyQuestion["entries"]>;
const entries = (edit: Entries): Promise<Ran> => checkPolicies({ entries: edit });
const idOf = (name: string, kind = "StatefulSet"): string => `apps/v1/${kind}/demo/${name}`;

/** A sha384 body, listed under the first 32 bytes that its SHA-256 gives, in a Coordinator's answer. */
function attestedWith(other: Uint8Array): Promise<Ran> {
  const manifest = { ...deployment.manifestValue };
  const listed = Object.entries(manifest.Policies).filter(([key]) => key === deployment.coordinator.key);
  const value = {
    ...manifest,
    Policies: { ...Object.fromEntries(listed), [keyOf(other)]: { SANs: ["w"], WorkloadSecretID: "w" } },
  };
  const manifestBytes = bytes(`${JSON.stringify(value, null, 2)}\n`);
  return attest({
    manifest: manifestBytes,
    tamper: (draft) => ({
      ...draft,
      attested: { ...draft.attested, manifests: [manifestBytes] },
      shown: { ...draft.shown, manifests: [manifestBytes], policies: [deployment.coordinator.body, other] },
    }),
  });
}
/** The shared deployment's manifest with a policy key of 48 bytes. */
const longKey = (): Promise<Ran> => {
  const other = Object.keys(deployment.manifestValue.Policies).find((key) => key !== deployment.coordinator.key) ?? "";
  return check(text(deployment.manifest).replace(other, other + other.slice(0, 32)));
};

describe("negative cases of policies", () => {
  table(
    {
      1: {
        what: "annotation that is not base64",
        here: [
          annotation("not a character of base64", "!!!!"),
          annotation(
            "the alphabet of URLs",
            base64(member).replaceAll("+", "-").replaceAll("/", "_").replace(/^/, "_"),
          ),
          annotation("a line break inside", base64(member).replace(/^(.{76})/, "$1\n")),
          annotation("without its padding", "AAA"),
          annotation("empty", ""),
        ],
      },
      2: {
        what: "annotation that is no gzip",
        here: [annotation("the document itself", base64(body))],
        elsewhere: elsewhere(cases, "annotation that is no gzip"),
      },
      3: {
        what: "gzip with something behind it",
        here: [
          annotation("a byte", base64(member, Uint8Array.of(0))),
          annotation("a second member", base64(member, member)),
          annotation("a second member that is empty", base64(member, gzipSync(""))),
        ],
      },
      4: { what: "gzip bomb", here: [annotation("96 MiB of zeros", base64(gzipSync(Buffer.alloc(96 * 1024 * 1024))))] },
      5: {
        what: "TOML version 0.2.0",
        here: [
          {
            what: "is unsupported and no forgery",
            run: () => withBody(replaced("'0.1.0'", "'0.2.0'")),
            says: [`${workload} kata.initdata.format error initdata-malformed`],
            exit: 3,
          },
        ],
      },
      6: {
        what: "algorithm md5",
        here: [
          {
            what: "is malformed",
            run: () => withBody(replaced("'sha256'", "'md5'")),
            says: [`${workload} kata.initdata.format fail initdata-malformed`],
            exit: 1,
          },
        ],
      },
      7: {
        what: 'algorithm "sha-256"',
        here: [
          {
            what: "is read as sha256: the body is found under its digest",
            run: () => withBody(replaced("'sha256'", "'sha-256'")),
            says: [`${workload} kata.initdata.digest pass -`],
            exit: 0,
          },
        ],
      },
      8: {
        what: "algorithm sha384",
        here: [
          {
            what: "no 32-byte key names such a body",
            run: () => withBody(replaced("'sha256'", "'sha384'")),
            says: [`${workload} kata.workload.policy_found error body-not-at-hand`],
            exit: 3,
          },
          {
            what: "in a Coordinator's answer, under the SHA-256 of the document",
            run: () => attestedWith(bytes(text(body).replace("'sha256'", "'sha384'"))),
            says: ["kata.initdata.digest fail policy-digest"],
            exit: 1,
          },
          { what: "a key of 48 bytes", run: longKey, says: ["contrast.manifest.valid fail manifest-invalid"], exit: 1 },
        ],
      },
      9: {
        what: "re-encoded TOML",
        here: [
          {
            what: "other quotation marks are another document",
            run: () => withBody((toml) => toml.replace("'0.1.0'", '"0.1.0"'), "before"),
            says: [`${workload} kata.workload.policy_found error body-not-at-hand`],
            exit: 3,
          },
        ],
      },
      10: {
        what: "CRLF line ends",
        here: [
          {
            what: "are another document",
            run: () => withBody((toml) => toml.replaceAll("\n", "\r\n"), "before"),
            says: [`${workload} kata.workload.policy_found error body-not-at-hand`],
            exit: 3,
          },
          {
            what: "are other rules, too",
            run: () => withBody((toml) => toml.replaceAll("\n", "\r\n")),
            says: [`${workload} kata.rules.known error rules-unknown`],
            exit: 3,
          },
        ],
      },
      11: {
        what: "no policy.rego",
        here: [
          {
            what: "the guest falls back on its image",
            run: () => withBody(() => initdata({ "imagepuller.toml": "" })),
            says: [`${workload} kata.initdata.keys fail initdata-policy-missing`],
            exit: 1,
          },
        ],
      },
      12: {
        what: "a further data key",
        here: [
          {
            what: "that nobody knows",
            run: () => withBody((toml) => `${toml}'cdh.json' = 'x'\n`),
            says: [`${workload} kata.initdata.keys fail initdata-unknown-key`],
            exit: 1,
          },
          {
            what: "in other letters than a known one",
            run: () => withBody((toml) => `${toml}'Policy.rego' = 'x'\n`),
            says: [`${workload} kata.initdata.keys fail initdata-unknown-key`],
            exit: 1,
          },
          {
            what: "the debug shell, switched off by its value",
            run: () => withBody((toml) => `${toml}'contrast.insecure-debug' = 'false'\n`),
            says: [`${workload} kata.initdata.debug fail initdata-debug`],
            exit: 1,
          },
        ],
      },
      13: {
        what: "policy_data twice",
        here: [
          rival("in other brackets", 'policy_data["containers"] := []'),
          rival("a default", 'default policy_data := {"containers": []}'),
          rival("a member", "policy_data.containers := []"),
          rival("a rule for one member", "policy_data.containers[_] { true }"),
          rival("a rule for each name", "policy_data[name] = value { name := input.name; value := input.value }"),
          rival("a set", "policy_data contains item if { item := input.item }"),
          rival("an import under its name", "import data.elsewhere as policy_data"),
          rival("inside a block", "x {\n  policy_data := input\n}"),
          rival("by with, as a whole", "x { CreateContainerRequest with data as input }"),
          rival(
            "by with, in parentheses",
            "x { CreateContainerRequest with data.agent_policy.policy_data as (input) }",
          ),
          rival("behind another rule on its line", "x { true } policy_data.containers[c] { c := input }"),
          rival("as an argument of a function", "f(policy_data) := 1 { true }"),
          rival("as the name in some", "x { some policy_data in input.list }"),
          rival("by an else", "policy_data = 1 { false } else = input"),
          policy(
            "the first of two, in the form of the second",
            (t) => t.replace("\npolicy_data := ", '\npolicy_data := {"containers": []}\npolicy_data := '),
            "kata.policy_data.single fail policy-data-rival",
            1,
          ),
          policy(
            "in a comment: harmless, and other rules",
            (t) => t.replace("\npolicy_data := ", '\n# policy_data := {"containers": []}\npolicy_data := '),
            "kata.rules.known error rules-unknown",
            3,
          ),
          policy(
            "in a comment alone",
            (t) => t.replace("\npolicy_data := ", "\n# policy_data := "),
            "kata.policy_data.format fail policy-data-malformed",
            1,
          ),
          policy(
            "with rules behind it",
            (t) => `${t}\ndefault ExecProcessRequest := true\n`,
            "kata.policy_data.format fail policy-data-malformed",
            1,
          ),
          policy(
            "the second one empty",
            (t) => `${t}\npolicy_data := {}\n`,
            "kata.policy_data.single fail policy-data-rival",
            1,
          ),
        ].map((shown) => ({ ...shown, alone: false as const })),
        elsewhere: elsewhere(
          cases,
          "policy_data defined twice",
          "policy_data in a string",
          "policy_data replaced with with",
          "policy_data overridden by a rule",
          "policy_data overridden behind another rule on its line",
          "policy_data with a member twice",
        ),
      },
      14: {
        what: "rules changed by one rule",
        here: [
          rulesOf(
            "a default that was not there",
            (rules) => `${rules}default SomeRequest := true\n`,
            "error rules-unknown",
            3,
          ),
          rulesOf("one blank more", (rules) => rules.replace("\n\n", "\n \n"), "error rules-unknown", 3),
          rulesOf(
            "a request allowed without a default",
            (rules) => `${rules}ExecProcessRequest = true\n`,
            "fail rules-lax",
            1,
          ),
          rulesOf(
            "a line separator in place of a line end",
            (rules) => `${rules}x := 1\u2028\n`,
            "error rules-unknown",
            3,
          ),
        ],
        elsewhere: elsewhere(cases, "rules that allow exec by default", "rules that are not known"),
      },
      15: { what: "image by tag only", elsewhere: elsewhere(cases, "image by tag only") },
      16: {
        what: "the digest in another repository: a finding",
        elsewhere: elsewhere(cases, "same digest in another repository"),
      },
      17: {
        what: "disk-mounter with another root hash",
        elsewhere: elsewhere(
          cases,
          "disk root that differs by one digit",
          "disk root that differs, of an image whose configuration was not given",
        ),
      },
      18: { what: "arguments split differently", elsewhere: elsewhere(cases, "arguments split differently") },
      19: {
        what: "container too many",
        elsewhere: elsewhere(cases, "container too many", "sidecar that nobody named"),
      },
      20: { what: "container removed", elsewhere: elsewhere(cases, "container removed") },
      21: {
        what: "environment let in by a pattern",
        elsewhere: elsewhere(cases, "variable of any name let in by a pattern", "one variable let in by a pattern"),
      },
      22: {
        what: "privileged capability added",
        elsewhere: elsewhere(cases, "capability added", "privileged where it is not asked for"),
      },
      23: {
        what: "hostPath or a mount too many",
        elsewhere: elsewhere(cases, "hostPath in the deployment file", "mount too many", "storage too many"),
      },
      24: {
        what: "emptyDir moved to the shared file system",
        elsewhere: elsewhere(
          cases,
          "emptyDir moved to the shared file system",
          "emptyDir whose storage is the host's file system",
        ),
      },
      25: {
        what: "another namespace",
        here: [
          {
            what: "in the deployment file: another WorkloadSecretID",
            run: () => checkPolicies({ yaml: (yaml) => yaml.replaceAll(/namespace: demo\b/g, "namespace: other") }),
            says: [
              "kata.workload.policy_found fail policy-missing",
              "manifest kata.manifest.explained fail key-unexplained",
            ],
            exit: 1,
          },
        ],
        elsewhere: elsewhere(cases, "another namespace", "sandbox of another namespace"),
      },
      26: {
        what: "WorkloadSecretID of another workload",
        here: [
          {
            what: "two workloads' policies exchanged",
            run: () =>
              entries((all) => {
                const names = {
                  [idOf(granite, "Deployment")]: idOf("secret-service"),
                  [idOf("secret-service")]: idOf(granite, "Deployment"),
                };
                return Object.fromEntries(
                  Object.entries(all).map(([key, e]) => [
                    key,
                    { ...e, WorkloadSecretID: names[e.WorkloadSecretID] ?? e.WorkloadSecretID },
                  ]),
                );
              }),
            says: [
              `${workload} kata.containers.complete fail container-extra`,
              `${idOf("secret-service")} kata.containers.complete fail container-extra`,
            ],
            exit: 1,
            alone: false,
          },
        ],
        elsewhere: elsewhere(cases, "WorkloadSecretID of another workload"),
      },
      27: {
        what: "two workloads with the same hash",
        here: [
          {
            what: "collapsed into one entry of the manifest",
            run: () =>
              entries((all) =>
                Object.fromEntries(
                  Object.entries(all).filter(([, e]) => e.WorkloadSecretID !== idOf("secret-service")),
                ),
              ),
            says: [`${idOf("secret-service")} kata.workload.policy_found fail policy-missing`],
            exit: 1,
          },
          {
            what: "as one key that stands twice",
            run: () => {
              const key = keyOf(body);
              const twice = text(world.manifest).replace(`"${key}"`, `"${key}": { "SANs": ["x"] }, "${key}"`);
              return checkPolicies({ manifest: bytes(twice) });
            },
            says: ["manifest contrast.manifest.unambiguous fail manifest-ambiguous"],
            exit: 1,
            alone: false,
          },
        ],
        elsewhere: elsewhere(cases, "two workloads with one WorkloadSecretID"),
      },
      28: {
        what: "a policy with the role coordinator",
        here: [
          {
            what: "in the Coordinator's place",
            run: () =>
              entries((all) =>
                Object.fromEntries(
                  Object.entries(all).map(([key, { Role: _role, ...e }]) => [
                    key,
                    e.WorkloadSecretID.endsWith(granite) ? { ...e, Role: "coordinator" } : e,
                  ]),
                ),
              ),
            says: [
              `${workload} kata.workload.role fail role-differs`,
              `${idOf("coordinator")} kata.workload.role fail role-differs`,
            ],
            exit: 1,
          },
        ],
        elsewhere: elsewhere(cases, "policy listed with the role coordinator"),
      },
      29: {
        what: "an initializer that is not the release's",
        elsewhere: elsewhere(cases, "initializer that is not the release's"),
      },
      30: { what: "a poisoned layer cache", elsewhere: elsewhere(cases, "arguments out of a poisoned layer cache") },
    },
    30,
  );
});

function rulesOf(what: string, edit: (rules: string) => string, says: string, exit: number): Shown {
  return {
    what,
    run: () => checkPolicies({ rules: (name, rules) => (name === granite ? edit(rules) : rules) }),
    says: [`${workload} kata.rules.known ${says}`],
    exit,
  };
}

describe("pm policy hash tells what a body is", () => {
  const hash = async (
    value: string | Uint8Array,
  ): Promise<{ status: number | null; json: Record<string, unknown> }> => {
    const ran = await runPm(["policy", "hash", "-", "--json"], { stdin: value });
    return { status: ran.status, json: JSON.parse(ran.stdout) };
  };
  test("the dashed name of an algorithm gives the same algorithm, and a document of its own", async () => {
    const dashed = text(body).replace("'sha256'", "'sha-256'");
    const [plain, other] = [await hash(body), await hash(dashed)];
    expect([plain.status, other.status]).toEqual([0, 0]);
    expect(JSON.stringify(other.json)).toContain(keyOf(bytes(dashed)));
    expect(JSON.stringify(plain.json)).toContain(keyOf(body));
  });
  test.each([
    ["re-encoded", text(body).replace("'0.1.0'", '"0.1.0"')],
    ["with CRLF", text(body).replaceAll("\n", "\r\n")],
  ])("%s it has another digest", async (_, other) => {
    const said = JSON.stringify((await hash(other)).json);
    expect(said).toContain(keyOf(bytes(other)));
    expect(said).not.toContain(keyOf(body));
  });
  test.each([
    ["gzip with a byte behind it", base64(member, Uint8Array.of(0)), 1],
    ["two members", base64(member, member), 1],
    ["a gzip bomb", base64(gzipSync(Buffer.alloc(96 * 1024 * 1024))), 1],
    ["algorithm md5", text(body).replace("'sha256'", "'md5'"), 1],
    ["version 0.2.0", text(body).replace("'0.1.0'", "'0.2.0'"), 3],
  ])("%s has none", async (_, value, status) => {
    const said = await hash(value);
    expect([said.status, JSON.stringify(said.json)]).toEqual([status, expect.stringContaining("PM_EVIDENCE_")]);
  });
});
