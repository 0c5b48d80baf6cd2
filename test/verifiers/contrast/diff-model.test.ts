/** Every field of a manifest as Contrast's releases have it, changed alone and in both directions, through `pm manifest diff`. */
import { createHash, createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { sharedDeployment, variantDeployment } from "../../../fixtures/generator/shared.ts";
import { manifestDiff } from "../../../src/audit/diff.ts";
import type { Grade } from "../../../src/claims/answer.ts";
import { namesOf, type Scope } from "../../../src/verifiers/contrast/rules.ts";
import { runPm } from "../../command.ts";

const folder = mkdtempSync(join(tmpdir(), "pm-diff-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const deployment = sharedDeployment();
const owner = variantDeployment({ updates: 1 }).manifestValue.WorkloadOwnerPubKeys?.[0] ?? "";
const ownerDigest = createHash("sha256").update(Buffer.from(owner, "hex")).digest("hex");
const seedshare = createPublicKey(deployment.authority.ark.key)
  .export({ type: "pkcs1", format: "der" })
  .toString("hex");
const [coordinator, web, more] = ["c0", "c1", "c2"].map((byte) => byte.repeat(32));
const h48 = (byte: string): string => byte.repeat(48);
const [chipA, chipB, chipC] = ["a", "b", "c"].map((digit) => digit.repeat(128));
const [piidA, piidB] = ["a", "b"].map((digit) => digit.repeat(32));

type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value };
const policy = `/Policies/${web}`;
const snp = "/ReferenceValues/snp/0";
const tdx = "/ReferenceValues/tdx/0";
const bits = (names: readonly string[]): { [name: string]: Value } =>
  Object.fromEntries(names.map((name) => [name, false]));
const base = (): Value => ({
  Policies: {
    [coordinator ?? ""]: { SANs: ["coordinator"], WorkloadSecretID: "a/coordinator", Role: "coordinator" },
    [web ?? ""]: { SANs: ["web", "*"], WorkloadSecretID: "a/web" },
  },
  ReferenceValues: {
    snp: [
      {
        Platform: "Metal-QEMU-SNP",
        ProductName: "Milan",
        TrustedMeasurement: h48("1a"),
        MinimumTCB: { BootloaderVersion: 5, TEEVersion: 5, SNPVersion: 5, MicrocodeVersion: 5 },
        GuestPolicy: { ...bits(namesOf("guestPolicy")), ABIMinor: 31, ABIMajor: 0 },
        PlatformInfo: bits(namesOf("platformInfo")),
        MinimumMitigationVector: 5,
        AllowedChipIDs: [chipA ?? "", chipB ?? ""],
        CPUs: 1,
      },
    ],
    tdx: [
      {
        Platform: "Metal-QEMU-TDX",
        MinTCBEvaluationDataNumber: 21,
        MrTd: h48("2b"),
        MrSeam: h48("3c"),
        Rtmrs: ["4d", "5e", "6f", "70"].map(h48),
        Xfam: "e702060000000000",
        AllowedPIIDs: [piidA ?? ""],
        MemoryIntegrity: false,
        SMTDisabled: false,
        StaticPlatform: false,
      },
    ],
  },
  WorkloadOwnerPubKeys: null,
  SeedshareOwnerPubKeys: null,
});

/** `value` at the pointer; undefined takes the member out. */
function set(root: Value, pointer: string, value: Value | undefined): Value {
  const [, name = "", ...rest] = pointer.split("/");
  if (pointer === "") return value ?? null;
  const inner = (was: Value | undefined): Value | undefined =>
    rest.length === 0 ? value : set(was ?? {}, `/${rest.join("/")}`, value);
  if (Array.isArray(root)) return root.map((item, i) => (String(i) === name ? (inner(item) ?? null) : item));
  const members = { ...(root as { readonly [name: string]: Value }) };
  const next = inner(members[name]);
  if (next === undefined) delete members[name];
  else members[name] = next;
  return members;
}

interface Row {
  /** Where the field is set; default the place that the change names. */
  readonly set?: string;
  readonly at: string;
  readonly from?: Value;
  readonly to: Value | undefined;
  readonly there: Grade;
  readonly back: Grade;
  readonly version?: string;
  /** Members that this release has and the base has not, and the other way round. */
  readonly prepare?: (root: Value) => Value;
}
const row = (at: string, to: Value | undefined, there: Grade, back: Grade, rest: Partial<Row> = {}): Row => ({
  at,
  to,
  there,
  back,
  ...rest,
});
/** True lets more in, or less. */
const allows = (at: string): Row => row(at, true, "weaker", "stronger");
const demands = (at: string): Row => row(at, true, "stronger", "weaker");
const minimum = (at: string, ...to: readonly number[]): Row[] => [
  ...to.map((n) => row(at, n, "stronger", "weaker")),
  row(at, 0, "weaker", "stronger"),
];
const unknown = (at: string, ...values: readonly Value[]): Row[] =>
  values.map((to) => row(at, to, "unknown", "unknown"));
/** A list whose members are let in, by itself an empty list lets in everybody. */
const allowed = (at: string, members: readonly string[], further: string): Row[] => [
  row(`${at}/${members.length}`, [...members, further], "weaker", "stronger", { set: at }),
  ...members.slice(1).map((_, i) =>
    row(
      `${at}/${i + 1}`,
      members.filter((__, k) => k !== i + 1),
      "stronger",
      "weaker",
      { set: at },
    ),
  ),
  row(at, [], "weaker", "stronger"),
  row(at, null, "weaker", "stronger"),
];
const before = (version: string, ...absent: readonly string[]): Partial<Row> => ({
  version,
  prepare: (root) => absent.reduce((value, at) => set(value, at, undefined), root),
});
const old = before(
  "v1.15",
  `${tdx}/Platform`,
  `${tdx}/MinTCBEvaluationDataNumber`,
  `${tdx}/MemoryIntegrity`,
  `${tdx}/SMTDisabled`,
  `${tdx}/StaticPlatform`,
  `${snp}/Platform`,
  `${snp}/CPUs`,
  `${snp}/MinimumMitigationVector`,
  "/WorkloadOwnerPubKeys",
);
const main = before("main", `${snp}/CPUs`);

/** By scope and name: the fields of the Contrast notes, 1.3 to 1.5, and of the releases before and after. */
const rows: Readonly<Record<Scope, Readonly<Record<string, readonly Row[]>>>> = {
  manifest: {
    Policies: [row(`/Policies/${more}`, { SANs: ["more"], WorkloadSecretID: "a/more" }, "unknown", "unknown")],
    ReferenceValues: [],
    WorkloadOwnerPubKeys: [
      row("/WorkloadOwnerPubKeys/0", [owner], "weaker", "stronger", { set: "/WorkloadOwnerPubKeys" }),
    ],
    WorkloadOwnerKeyDigests: [
      row("/WorkloadOwnerKeyDigests/0", [ownerDigest], "weaker", "stronger", {
        set: "/WorkloadOwnerKeyDigests",
        ...before("v1.19", "/WorkloadOwnerPubKeys"),
      }),
    ],
    SeedshareOwnerPubKeys: [
      row("/SeedshareOwnerPubKeys/0", [seedshare], "weaker", "stronger", { set: "/SeedshareOwnerPubKeys" }),
    ],
    MinimumAPIVersion: [row("/MinimumAPIVersion", "v1", "unknown", "unknown", main)],
  },
  policy: {
    SANs: [
      row(`${policy}/SANs/2`, ["web", "*", "secret.example"], "weaker", "stronger", { set: `${policy}/SANs` }),
      row(`${policy}/SANs/1`, ["web"], "stronger", "weaker", { set: `${policy}/SANs` }),
      row(`${policy}/SANs`, ["*", "web"], "unknown", "unknown"),
    ],
    WorkloadSecretID: [
      row(`${policy}/WorkloadSecretID`, "a/coordinator", "unknown", "unknown"),
      row(`${policy}/WorkloadSecretID`, undefined, "unknown", "unknown"),
    ],
    Role: [row(`${policy}/Role`, "coordinator", "weaker", "stronger")],
  },
  referenceValues: { snp: [], tdx: [] },
  snp: {
    Platform: [
      ...unknown(`${snp}/Platform`, "Metal-QEMU-SNP-GPU"),
      row(`${snp}/Platform`, "Insecure", "weaker", "stronger", main),
    ],
    ProductName: [row(`${snp}/ProductName`, "Genoa", "stronger", "weaker"), ...unknown(`${snp}/ProductName`, "Turin")],
    CPUs: [row(`${snp}/CPUs`, 8, "neutral", "neutral")],
    TrustedMeasurement: unknown(`${snp}/TrustedMeasurement`, h48("1b")),
    APEIP: [row(`${snp}/APEIP`, "00112233", "unknown", "unknown", main)],
    MinimumTCB: [],
    GuestPolicy: [],
    PlatformInfo: [],
    MinimumMitigationVector: [
      row(`${snp}/MinimumMitigationVector`, 7, "stronger", "weaker"),
      row(`${snp}/MinimumMitigationVector`, 0, "weaker", "stronger"),
      // A higher number, and one bit less.
      row(`${snp}/MinimumMitigationVector`, 8, "weaker", "weaker"),
    ],
    AllowedChipIDs: allowed(`${snp}/AllowedChipIDs`, [chipA ?? "", chipB ?? ""], chipC ?? ""),
  },
  minimumTcb: Object.fromEntries(
    namesOf("minimumTcb").map((name) => [name, minimum(`${snp}/MinimumTCB/${name}`, 6, 255)]),
  ),
  guestPolicy: {
    ABIMinor: [
      row(`${snp}/GuestPolicy/ABIMinor`, 32, "stronger", "weaker"),
      row(`${snp}/GuestPolicy/ABIMinor`, 0, "weaker", "stronger"),
    ],
    ABIMajor: [row(`${snp}/GuestPolicy/ABIMajor`, 1, "stronger", "weaker")],
    SMT: [allows(`${snp}/GuestPolicy/SMT`)],
    MigrateMA: [allows(`${snp}/GuestPolicy/MigrateMA`)],
    Debug: [allows(`${snp}/GuestPolicy/Debug`)],
    SingleSocket: [demands(`${snp}/GuestPolicy/SingleSocket`)],
    CXLAllowed: [allows(`${snp}/GuestPolicy/CXLAllowed`)],
    MemAES256XTS: [demands(`${snp}/GuestPolicy/MemAES256XTS`)],
    RAPLDis: [demands(`${snp}/GuestPolicy/RAPLDis`)],
    CipherTextHidingDRAM: [demands(`${snp}/GuestPolicy/CipherTextHidingDRAM`)],
    PageSwapDisable: [demands(`${snp}/GuestPolicy/PageSwapDisable`)],
  },
  platformInfo: {
    SMTEnabled: [allows(`${snp}/PlatformInfo/SMTEnabled`)],
    TSMEEnabled: [allows(`${snp}/PlatformInfo/TSMEEnabled`)],
    ECCEnabled: [demands(`${snp}/PlatformInfo/ECCEnabled`)],
    RAPLDisabled: [demands(`${snp}/PlatformInfo/RAPLDisabled`)],
    CiphertextHidingDRAMEnabled: [demands(`${snp}/PlatformInfo/CiphertextHidingDRAMEnabled`)],
    AliasCheckComplete: [demands(`${snp}/PlatformInfo/AliasCheckComplete`)],
    TIOEnabled: [allows(`${snp}/PlatformInfo/TIOEnabled`)],
  },
  tdx: {
    Platform: unknown(`${tdx}/Platform`, "Metal-QEMU-TDX-GPU"),
    MinTCBEvaluationDataNumber: minimum(`${tdx}/MinTCBEvaluationDataNumber`, 22),
    MrTd: unknown(`${tdx}/MrTd`, h48("2c")),
    MrSeam: unknown(`${tdx}/MrSeam`, h48("3d")),
    Rtmrs: [0, 1, 2, 3].flatMap((i) => unknown(`${tdx}/Rtmrs/${i}`, h48("ff"))),
    Rtrms: [
      row(`${tdx}/Rtmrs/3`, ["4d", "5e", "6f", "71"].map(h48), "unknown", "unknown", {
        set: `${tdx}/Rtrms`,
        version: "v1.14",
        prepare: (root) =>
          set(
            ["Rtmrs", "AllowedPIIDs"].reduce(
              (v, name) => set(v, `${tdx}/${name}`, undefined),
              set(old.prepare?.(root) ?? root, `${snp}/AllowedChipIDs`, undefined),
            ),
            `${tdx}/Rtrms`,
            ["4d", "5e", "6f", "70"].map(h48),
          ),
      }),
    ],
    Xfam: unknown(`${tdx}/Xfam`, "e718060000000000"),
    AllowedPIIDs: allowed(`${tdx}/AllowedPIIDs`, [piidA ?? ""], piidB ?? ""),
    MemoryIntegrity: [demands(`${tdx}/MemoryIntegrity`)],
    SMTDisabled: [demands(`${tdx}/SMTDisabled`)],
    StaticPlatform: [demands(`${tdx}/StaticPlatform`)],
    TdAttributes: [row(`${tdx}/TdAttributes`, "0000001000000000", "unknown", "unknown", old)],
    MinimumQeSvn: [row(`${tdx}/MinimumQeSvn`, 1, "unknown", "unknown", old)],
    MinimumPceSvn: [row(`${tdx}/MinimumPceSvn`, 1, "unknown", "unknown", old)],
    MinimumTeeTcbSvn: [row(`${tdx}/MinimumTeeTcbSvn`, "00".repeat(16), "unknown", "unknown", old)],
  },
};
/** Objects and lists: their members have the rows, and each whole entry. */
const wholes: readonly Row[] = [
  row(
    "/ReferenceValues/snp/1",
    [entry("snp"), { ...entry("snp"), TrustedMeasurement: h48("99") }],
    "weaker",
    "stronger",
    { set: "/ReferenceValues/snp" },
  ),
  row("/ReferenceValues/snp/1", [entry("snp"), entry("snp")], "neutral", "neutral", { set: "/ReferenceValues/snp" }),
  row("/ReferenceValues/snp/0", [], "stronger", "weaker", { set: "/ReferenceValues/snp" }),
  row("/ReferenceValues/tdx/0", [], "stronger", "weaker", { set: "/ReferenceValues/tdx" }),
];
function entry(list: "snp" | "tdx"): { readonly [name: string]: Value } {
  const values = (base() as { ReferenceValues: Record<string, { [name: string]: Value }[]> }).ReferenceValues[list];
  return values?.[0] ?? {};
}

const bytes = (value: Value): Uint8Array => new Uint8Array(Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
const input = (name: string, value: Value) => ({ name, bytes: bytes(value), sha256: "" });
interface Said {
  readonly changes: readonly { readonly at: string; readonly grade: Grade; readonly meaning: string }[];
}
function diff(a: Value, b: Value, version?: string): unknown {
  const result = manifestDiff(input("a", a), input("b", b), version === undefined ? [] : [version]);
  expect(result.exitCode).toBe(1);
  const said = JSON.parse(result.json()) as Said;
  for (const { meaning } of said.changes) expect(meaning).not.toBe("");
  return said.changes.map((c) => [c.at, c.grade]);
}
function bothWays(r: Row): void {
  const start = r.prepare?.(base()) ?? base();
  const other = set(start, r.set ?? r.at, r.to);
  expect(diff(start, other, r.version)).toEqual([[r.at, r.there]]);
  expect(diff(other, start, r.version)).toEqual([[r.at, r.back]]);
}

describe.each(Object.entries(rows))("fields of %s", (scope, fields) => {
  test("each that a release of Contrast has stands in the table", () => {
    expect(Object.keys(fields).sort()).toEqual([...namesOf(scope as Scope)].sort());
  });
  describe.each(Object.entries(fields))("%s", (_, list) => {
    test.each(list.length === 0 ? wholes : list)("at $at: $there, and back: $back", bothWays);
  });
});

describe("what pm keeps of a manifest", () => {
  const text = readFileSync(new URL("../../../src/verifiers/contrast/model.ts", import.meta.url), "utf8");
  const members = (name: string): string[] => {
    const [, body = ""] = new RegExp(`interface ${name}[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(text) ?? [];
    return [...body.matchAll(/^ {2}readonly (\w+)/gm)].map(([, member]) => member ?? "");
  };
  /** Members of the model that are no field, or a field under another name. */
  const named: Readonly<Record<string, string>> = {
    abiMinor: "ABIMinor",
    abiMajor: "ABIMajor",
    snp: "SNPVersion",
    tee: "TEEVersion",
    bootloader: "BootloaderVersion",
    microcode: "MicrocodeVersion",
    smt: "SMT",
    migrateMa: "MigrateMA",
    cxlAllowed: "CXLAllowed",
    memAes256Xts: "MemAES256XTS",
    raplDis: "RAPLDis",
    cipherTextHidingDram: "CipherTextHidingDRAM",
    tsme: "TSMEEnabled",
    ecc: "ECCEnabled",
    raplDisabled: "RAPLDisabled",
    ciphertextHiding: "CiphertextHidingDRAMEnabled",
    tio: "TIOEnabled",
    minimumTcb: "MinimumTCB",
    cpus: "CPUs",
    apeip: "APEIP",
    allowedChipIds: "AllowedChipIDs",
    allowedPiids: "AllowedPIIDs",
    smtDisabled: "SMTDisabled",
    minTcbEvaluationDataNumber: "MinTCBEvaluationDataNumber",
    workloadSecretId: "WorkloadSecretID",
    sans: "SANs",
    workloadOwners: "WorkloadOwnerPubKeys",
    seedshareOwners: "SeedshareOwnerPubKeys",
    minimumApiVersion: "MinimumAPIVersion",
  };
  const places = new Set(["key", "at", "line", "index", "snpEntries"]);
  test.each<readonly [string, readonly Scope[]]>([
    ["PolicyEntry", ["policy"]],
    ["MinimumTcb", ["minimumTcb"]],
    ["GuestPolicy", ["guestPolicy"]],
    ["PlatformInfo", ["platformInfo", "guestPolicy"]],
    ["SnpEntry", ["snp"]],
    ["TdxReferenceValue", ["tdx"]],
    ["Manifest", ["manifest", "referenceValues", "minimumTcb"]],
  ])("each member of %s is a field of the table", (name, scopes) => {
    const fields = new Set(scopes.flatMap((scope) => Object.keys(rows[scope])));
    const own = members(name).filter((m) => !places.has(m));
    expect(own.length).toBeGreaterThan(2);
    const missing = own.filter(
      (m) => !fields.has(named[m] ?? m) && !fields.has(m.charAt(0).toUpperCase() + m.slice(1)) && !fields.has(m),
    );
    expect(missing).toEqual([]);
  });
});

describe("numbers that a double cannot tell apart", () => {
  test.each([
    [`${tdx}/MinTCBEvaluationDataNumber`, "9007199254740993", "9007199254740992"],
    [`${snp}/MinimumMitigationVector`, "9007199254740993", "9007199254740992"],
  ])("at %s the lower one is weaker", (at, high, low) => {
    const value = (digits: string) => {
      const text = Buffer.from(bytes(set(base(), at, "NUMBER")))
        .toString()
        .replace('"NUMBER"', digits);
      return { name: digits, bytes: new Uint8Array(Buffer.from(text)), sha256: "" };
    };
    const said = (a: string, b: string) =>
      (JSON.parse(manifestDiff(value(a), value(b)).json()) as Said).changes.map((c) => [c.at, c.grade]);
    expect(said(high, low)).toEqual([[at, "weaker"]]);
    expect(said(low, high)).toEqual([[at, "stronger"]]);
  });
});

describe("pm manifest diff, in a process of its own", () => {
  const write = (name: string, value: Value): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes(value));
    return path;
  };
  test("names each of many changes, and ends with 1; equal bytes end with 0", async () => {
    const list = [...Object.values(rows.guestPolicy), ...Object.values(rows.platformInfo)].map(([first]) => first);
    const changed = list.reduce<Value>((value, r) => (r === undefined ? value : set(value, r.at, r.to)), base());
    const [a, b] = [write("a.json", base()), write("b.json", changed)];
    const ran = await runPm(["manifest", "diff", a, b, "--json"]);
    expect(ran.status).toBe(1);
    const { changes } = JSON.parse(ran.stdout) as Said;
    expect(new Map(changes.map((c) => [c.at, c.grade]))).toEqual(
      new Map(list.flatMap((r) => (r === undefined ? [] : [[r.at, r.there]]))),
    );
    expect((await runPm(["manifest", "diff", a, write("c.json", base()), "--json"])).status).toBe(0);
  });
});
