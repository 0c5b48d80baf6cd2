/** Every field of a manifest, changed alone and in both directions. */
import { createPublicKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePolicy, seededWorkloads } from "../../../fixtures/generator/policies.ts";
import { prng } from "../../../fixtures/generator/prng.ts";
import { sharedDeployment, variantDeployment } from "../../../fixtures/generator/shared.ts";
import type { Grade } from "../../../src/claims/answer.ts";
import { PmError } from "../../../src/errors.ts";
import { diffManifests } from "../../../src/verifiers/contrast/diff.ts";
import { snpFields, tdxFields } from "../../../src/verifiers/contrast/diff-fields.ts";
import { decodeManifest } from "../../../src/verifiers/contrast/manifest.ts";
import { manifestRules, namesOf } from "../../../src/verifiers/contrast/rules.ts";
import { describeEvidence, evidence } from "../../evidence.ts";

const deployment = sharedDeployment();
const owner = variantDeployment({ updates: 1 }).manifestValue.WorkloadOwnerPubKeys?.[0] ?? "";
const seedshare = createPublicKey(deployment.authority.ark.key)
  .export({ type: "pkcs1", format: "der" })
  .toString("hex");
const chip = (digit: string): string => digit.repeat(128);
const piid = (digit: string): string => digit.repeat(32);
const [workload] = seededWorkloads(prng("diff")).slice(1);
if (workload === undefined) throw new Error("no workload");
const keyA = makePolicy(workload, "a").key;
const keyB = makePolicy(workload, "b").key;
const coordinatorKey = deployment.coordinator.key;
const sevenBits = {
  ABIMinor: 31,
  ABIMajor: 0,
  SMT: false,
  MigrateMA: false,
  Debug: false,
  SingleSocket: false,
  CXLAllowed: false,
  MemAES256XTS: false,
  RAPLDis: false,
  CipherTextHidingDRAM: false,
  PageSwapDisable: false,
};
const info = {
  SMTEnabled: false,
  TSMEEnabled: false,
  ECCEnabled: false,
  RAPLDisabled: false,
  CiphertextHidingDRAMEnabled: false,
  AliasCheckComplete: false,
  TIOEnabled: false,
};

// A plain object that tests edit: whatever a manifest of v1.20 can hold.
const base = () => ({
  Policies: {
    [coordinatorKey]: {
      SANs: ["coordinator"],
      WorkloadSecretID: "apps/v1/StatefulSet/a/coordinator",
      Role: "coordinator",
    },
    [keyA]: { SANs: ["web", "*"], WorkloadSecretID: "apps/v1/Deployment/a/web" },
  } as Record<string, { SANs: string[]; WorkloadSecretID: string; Role?: string }>,
  ReferenceValues: {
    snp: [
      {
        Platform: "Metal-QEMU-SNP",
        ProductName: "Milan",
        TrustedMeasurement: "1a".repeat(48),
        MinimumTCB: { BootloaderVersion: 5, TEEVersion: 5, SNPVersion: 5, MicrocodeVersion: 5 } as Record<
          string,
          number
        >,
        GuestPolicy: { ...sevenBits } as Record<string, number | boolean>,
        PlatformInfo: { ...info } as Record<string, boolean>,
        MinimumMitigationVector: 5,
        AllowedChipIDs: [chip("a"), chip("b")] as string[] | null,
        CPUs: 1,
      },
    ],
    tdx: [
      {
        Platform: "Metal-QEMU-TDX",
        MinTCBEvaluationDataNumber: 20,
        MrTd: "2b".repeat(48),
        MrSeam: "3c".repeat(48),
        Rtmrs: ["4d", "5e", "6f", "70"].map((b) => b.repeat(48)),
        Xfam: "e702060000000000",
        AllowedPIIDs: [piid("a"), piid("b")] as string[] | null,
        MemoryIntegrity: false,
        SMTDisabled: false,
        StaticPlatform: false,
      },
    ],
  },
  WorkloadOwnerPubKeys: null as string[] | null,
  SeedshareOwnerPubKeys: null as string[] | null,
});
type Base = ReturnType<typeof base>;
const bytes = (value: object): Uint8Array => new Uint8Array(Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
const edited = (edit: (m: Base) => void): Base => {
  const m = base();
  edit(m);
  return m;
};
const read = (value: object | Uint8Array, version?: string) =>
  decodeManifest(value instanceof Uint8Array ? value : bytes(value), manifestRules(version));
const diff = (a: object | Uint8Array, b: object | Uint8Array, version?: string) =>
  diffManifests(read(a, version), read(b, version));
const said = (a: object | Uint8Array, b: object | Uint8Array, version?: string) =>
  diff(a, b, version).changes.map((c) => [c.at, c.grade] as const);

const snpAt = "/ReferenceValues/snp/0";
const tdxAt = "/ReferenceValues/tdx/0";
const entry = (m: Base) => {
  const [first] = m.ReferenceValues.snp;
  if (first === undefined) throw new Error("no entry");
  return first;
};
const tdx = (m: Base) => {
  const [first] = m.ReferenceValues.tdx;
  if (first === undefined) throw new Error("no entry");
  return first;
};
type Row = readonly [at: string, there: Grade, back: Grade, edit: (m: Base) => void];
const flipPolicy = (name: string, there: Grade, back: Grade): Row => [
  `${snpAt}/GuestPolicy/${name}`,
  there,
  back,
  (m) => {
    entry(m).GuestPolicy[name] = true;
  },
];
const flipInfo = (name: string, there: Grade, back: Grade): Row => [
  `${snpAt}/PlatformInfo/${name}`,
  there,
  back,
  (m) => {
    entry(m).PlatformInfo[name] = true;
  },
];
const higherTcb = (name: string): Row => [
  `${snpAt}/MinimumTCB/${name}`,
  "stronger",
  "weaker",
  (m) => {
    entry(m).MinimumTCB[name] = 6;
  },
];
const rows: readonly Row[] = [
  [
    `${snpAt}/Platform`,
    "unknown",
    "unknown",
    (m) => {
      entry(m).Platform = "Metal-QEMU-SNP-GPU";
    },
  ],
  [
    `${snpAt}/ProductName`,
    "stronger",
    "weaker",
    (m) => {
      entry(m).ProductName = "Genoa";
    },
  ],
  [
    `${snpAt}/TrustedMeasurement`,
    "unknown",
    "unknown",
    (m) => {
      entry(m).TrustedMeasurement = "1b".repeat(48);
    },
  ],
  ...["BootloaderVersion", "TEEVersion", "SNPVersion", "MicrocodeVersion"].map(higherTcb),
  [
    `${snpAt}/GuestPolicy/ABIMinor`,
    "stronger",
    "weaker",
    (m) => {
      entry(m).GuestPolicy["ABIMinor"] = 32;
    },
  ],
  [
    `${snpAt}/GuestPolicy/ABIMajor`,
    "stronger",
    "weaker",
    (m) => {
      entry(m).GuestPolicy["ABIMajor"] = 1;
    },
  ],
  flipPolicy("SMT", "weaker", "stronger"),
  flipPolicy("MigrateMA", "weaker", "stronger"),
  flipPolicy("Debug", "weaker", "stronger"),
  flipPolicy("CXLAllowed", "weaker", "stronger"),
  flipPolicy("SingleSocket", "stronger", "weaker"),
  flipPolicy("MemAES256XTS", "stronger", "weaker"),
  flipPolicy("RAPLDis", "stronger", "weaker"),
  flipPolicy("CipherTextHidingDRAM", "stronger", "weaker"),
  flipPolicy("PageSwapDisable", "stronger", "weaker"),
  flipInfo("SMTEnabled", "weaker", "stronger"),
  flipInfo("TSMEEnabled", "weaker", "stronger"),
  flipInfo("TIOEnabled", "weaker", "stronger"),
  flipInfo("ECCEnabled", "stronger", "weaker"),
  flipInfo("RAPLDisabled", "stronger", "weaker"),
  flipInfo("CiphertextHidingDRAMEnabled", "stronger", "weaker"),
  flipInfo("AliasCheckComplete", "stronger", "weaker"),
  [
    `${snpAt}/MinimumMitigationVector`,
    "stronger",
    "weaker",
    (m) => {
      entry(m).MinimumMitigationVector = 7;
    },
  ],
  [
    `${snpAt}/AllowedChipIDs/2`,
    "weaker",
    "stronger",
    (m) => {
      entry(m).AllowedChipIDs?.push(chip("c"));
    },
  ],
  [
    `${snpAt}/AllowedChipIDs`,
    "weaker",
    "stronger",
    (m) => {
      entry(m).AllowedChipIDs = null;
    },
  ],
  [
    `${snpAt}/CPUs`,
    "neutral",
    "neutral",
    (m) => {
      entry(m).CPUs = 2;
    },
  ],
  [
    `${tdxAt}/Platform`,
    "unknown",
    "unknown",
    (m) => {
      tdx(m).Platform = "Metal-QEMU-TDX-GPU";
    },
  ],
  [
    `${tdxAt}/MinTCBEvaluationDataNumber`,
    "stronger",
    "weaker",
    (m) => {
      tdx(m).MinTCBEvaluationDataNumber = 21;
    },
  ],
  [
    `${tdxAt}/MinTCBEvaluationDataNumber`,
    "weaker",
    "stronger",
    (m) => {
      tdx(m).MinTCBEvaluationDataNumber = 0;
    },
  ],
  [
    `${tdxAt}/MrTd`,
    "unknown",
    "unknown",
    (m) => {
      tdx(m).MrTd = "2c".repeat(48);
    },
  ],
  [
    `${tdxAt}/MrSeam`,
    "unknown",
    "unknown",
    (m) => {
      tdx(m).MrSeam = "3d".repeat(48);
    },
  ],
  ...[0, 1, 2, 3].map(
    (i): Row => [
      `${tdxAt}/Rtmrs/${i}`,
      "unknown",
      "unknown",
      (m) => {
        tdx(m).Rtmrs[i] = "99".repeat(48);
      },
    ],
  ),
  [
    `${tdxAt}/Xfam`,
    "unknown",
    "unknown",
    (m) => {
      tdx(m).Xfam = "e71a060000000000";
    },
  ],
  [
    `${tdxAt}/AllowedPIIDs/2`,
    "weaker",
    "stronger",
    (m) => {
      tdx(m).AllowedPIIDs?.push(piid("c"));
    },
  ],
  [
    `${tdxAt}/AllowedPIIDs`,
    "weaker",
    "stronger",
    (m) => {
      tdx(m).AllowedPIIDs = [];
    },
  ],
  [
    `${tdxAt}/MemoryIntegrity`,
    "stronger",
    "weaker",
    (m) => {
      tdx(m).MemoryIntegrity = true;
    },
  ],
  [
    `${tdxAt}/SMTDisabled`,
    "stronger",
    "weaker",
    (m) => {
      tdx(m).SMTDisabled = true;
    },
  ],
  [
    `${tdxAt}/StaticPlatform`,
    "stronger",
    "weaker",
    (m) => {
      tdx(m).StaticPlatform = true;
    },
  ],
  [
    "/ReferenceValues/snp/1",
    "weaker",
    "stronger",
    (m) => {
      m.ReferenceValues.snp.push({ ...entry(m), ProductName: "Genoa", TrustedMeasurement: "77".repeat(48) });
    },
  ],
  [
    "/ReferenceValues/snp/1",
    "neutral",
    "neutral",
    (m) => {
      m.ReferenceValues.snp.push(entry(m));
    },
  ],
  [
    "/ReferenceValues/tdx/1",
    "weaker",
    "stronger",
    (m) => {
      m.ReferenceValues.tdx.push({ ...tdx(m), Platform: "Elsewhere", MrTd: "77".repeat(48) });
    },
  ],
  [
    `/Policies/${keyB}`,
    "unknown",
    "unknown",
    (m) => {
      m.Policies[keyB] = { SANs: ["more"], WorkloadSecretID: "apps/v1/Deployment/a/more" };
    },
  ],
  [
    `/Policies/${keyA}/SANs/2`,
    "weaker",
    "stronger",
    (m) => {
      m.Policies[keyA]?.SANs.push("secret.example");
    },
  ],
  [
    `/Policies/${keyA}/SANs`,
    "unknown",
    "unknown",
    (m) => {
      m.Policies[keyA]?.SANs.reverse();
    },
  ],
  [
    `/Policies/${keyA}/WorkloadSecretID`,
    "unknown",
    "unknown",
    (m) => {
      const p = m.Policies[keyA];
      if (p) p.WorkloadSecretID = "apps/v1/Deployment/a/other";
    },
  ],
  [
    `/Policies/${keyA}/Role`,
    "weaker",
    "stronger",
    (m) => {
      const p = m.Policies[keyA];
      if (p) p.Role = "coordinator";
    },
  ],
  [
    "/WorkloadOwnerPubKeys/0",
    "weaker",
    "stronger",
    (m) => {
      m.WorkloadOwnerPubKeys = [owner];
    },
  ],
  [
    "/SeedshareOwnerPubKeys/0",
    "weaker",
    "stronger",
    (m) => {
      m.SeedshareOwnerPubKeys = [seedshare];
    },
  ],
];

describe("every field of a manifest, changed alone", () => {
  it.each(rows.map((r, i) => [i, ...r] as const))("%i: %s is %s, and back it is %s", (_, at, there, back, edit) => {
    const changed = edited(edit);
    const last = (changes: readonly (readonly [string, Grade])[]): unknown => changes;
    expect(last(said(base(), changed))).toEqual([[at, there]]);
    expect(last(said(changed, base()))).toEqual([[at, back]]);
  });
  it("the table and the comparison know every field that a release has", () => {
    const covered = new Set([...snpFields, ...tdxFields].map((f) => f.path.split("/").at(-1)));
    const lists = ["Rtmrs", "Rtrms", "AllowedChipIDs", "AllowedPIIDs", "MinimumTCB", "GuestPolicy", "PlatformInfo"];
    const retired = ["TdAttributes", "MinimumQeSvn", "MinimumPceSvn", "MinimumTeeTcbSvn"];
    const names = (["snp", "minimumTcb", "guestPolicy", "platformInfo", "tdx"] as const).flatMap(namesOf);
    expect(names.filter((n) => !covered.has(n) && !lists.includes(n) && !retired.includes(n))).toEqual([]);
    expect(namesOf("manifest")).toEqual([
      "Policies",
      "ReferenceValues",
      "WorkloadOwnerKeyDigests",
      "WorkloadOwnerPubKeys",
      "SeedshareOwnerPubKeys",
      "MinimumAPIVersion",
    ]);
    expect(namesOf("policy")).toEqual(["SANs", "WorkloadSecretID", "Role"]);
  });
});

describe("what belongs together", () => {
  it("equal bytes are equal", () => expect(diff(base(), base())).toEqual({ equal: true, changes: [] }));
  it.each<readonly [string, (text: string) => string]>([
    ["white space", (t) => JSON.stringify(JSON.parse(t))],
    ["one newline more", (t) => `${t}\n`],
    ["the case of a measurement", (t) => t.replace("1a".repeat(48), "1A".repeat(48))],
    [
      "the order of chips",
      (t) =>
        t
          .replace(chip("a"), "x")
          .replace(chip("b"), chip("a"))
          .replace('"x"', JSON.stringify(chip("b"))),
    ],
    ["an empty list for null", (t) => t.replace('"WorkloadOwnerPubKeys": null', '"WorkloadOwnerPubKeys": []')],
    ["a false that is left out", (t) => t.replace('"SMTEnabled": false,', "")],
  ])("%s is another manifest of the same meaning", (_, edit) => {
    const text = Buffer.from(bytes(base())).toString("utf8");
    const other = new Uint8Array(Buffer.from(edit(text)));
    const { equal, changes } = diff(bytes(base()), other);
    expect(equal).toBe(false);
    expect(changes).toMatchObject([
      { at: "", grade: "neutral", before: read(base()).sha256, after: read(other).sha256 },
    ]);
  });
  it("a reference value is found wherever it stands", () => {
    const two = edited((m) =>
      m.ReferenceValues.snp.push({ ...entry(m), ProductName: "Genoa", TrustedMeasurement: "77".repeat(48) }),
    );
    const turned = { ...two, ReferenceValues: { ...two.ReferenceValues, snp: [...two.ReferenceValues.snp].reverse() } };
    expect(said(two, turned)).toEqual([["", "neutral"]]);
    const first = turned.ReferenceValues.snp[0];
    const lower = {
      ...turned,
      ReferenceValues: {
        ...turned.ReferenceValues,
        snp: [{ ...first, MinimumTCB: { ...first?.MinimumTCB, SNPVersion: 4 } }, entry(two)],
      },
    };
    expect(said(two, lower)).toEqual([["/ReferenceValues/snp/0/MinimumTCB/SNPVersion", "weaker"]]);
  });
  it("a mitigation that goes is weaker although the number is higher", () => {
    expect(
      said(
        base(),
        edited((m) => {
          entry(m).MinimumMitigationVector = 8;
        }),
      ),
    ).toEqual([[`${snpAt}/MinimumMitigationVector`, "weaker"]]);
  });
  it("a major ABI version counts before the minor one", () => {
    const higher = edited((m) => Object.assign(entry(m).GuestPolicy, { ABIMajor: 1, ABIMinor: 0 }));
    expect(said(base(), higher).map(([, grade]) => grade)).toEqual(["stronger", "stronger"]);
  });
  it("a chip that is replaced is one more and one less", () => {
    const changed = edited((m) => {
      entry(m).AllowedChipIDs = [chip("a"), chip("d")];
    });
    expect(said(base(), changed)).toEqual([
      [`${snpAt}/AllowedChipIDs/1`, "stronger"],
      [`${snpAt}/AllowedChipIDs/1`, "weaker"],
    ]);
  });
  it("the new policy of a workload is told with its old one, and its entry compared", () => {
    const changed = edited((m) => {
      const old = m.Policies[keyA];
      delete m.Policies[keyA];
      if (old) m.Policies[keyB] = { ...old, SANs: [...old.SANs, "secret.example"] };
    });
    const { changes } = diff(base(), changed);
    expect(changes.map((c) => [c.at, c.grade])).toEqual([
      [`/Policies/${keyA}`, "unknown"],
      [`/Policies/${keyB}`, "unknown"],
      [`/Policies/${keyB}/SANs/2`, "weaker"],
    ]);
    expect(changes[0]?.meaning).toContain(keyB);
    expect(changes[1]?.meaning).toContain(keyA);
  });
  it("a new policy with the role coordinator is weaker besides", () => {
    const changed = edited((m) => {
      m.Policies[keyB] = { SANs: [], WorkloadSecretID: "", Role: "coordinator" };
    });
    expect(said(base(), changed)).toEqual([
      [`/Policies/${keyB}`, "unknown"],
      [`/Policies/${keyB}/Role`, "weaker"],
    ]);
  });
  it("an owner's key and its digest in an older release are one owner", async () => {
    const { createHash } = await import("node:crypto");
    const digest = createHash("sha256").update(Buffer.from(owner, "hex")).digest("hex");
    const text = JSON.stringify(
      edited((m) => {
        m.WorkloadOwnerPubKeys = [owner];
      }),
    );
    const older = new Uint8Array(
      Buffer.from(text.replace("WorkloadOwnerPubKeys", "WorkloadOwnerKeyDigests").replace(owner, digest)),
    );
    const { changes } = diffManifests(read(older, "v1.19"), read(new Uint8Array(Buffer.from(text))));
    expect(changes.map((c) => [c.at, c.grade])).toEqual([["", "neutral"]]);
  });
  it("a field of an old release that pm does not read into a value is not passed over", () => {
    const old = (value: number): Uint8Array => {
      const {
        Platform: _p,
        MinTCBEvaluationDataNumber: _n,
        MemoryIntegrity: _m,
        SMTDisabled: _s,
        StaticPlatform: _t,
        AllowedPIIDs: _a,
        Rtmrs,
        ...rest
      } = tdx(base());
      const { Policies, SeedshareOwnerPubKeys } = base();
      return bytes({
        Policies,
        SeedshareOwnerPubKeys,
        ReferenceValues: { tdx: [{ ...rest, Rtrms: Rtmrs, MinimumQeSvn: value }] },
      });
    };
    expect(said(old(5), old(4), "v1.14")).toEqual([[`${tdxAt}/MinimumQeSvn`, "unknown"]]);
  });
  it("without GuestPolicy in one of two releases nothing about it is said but that", () => {
    const {
      GuestPolicy: _g,
      PlatformInfo: _i,
      MinimumMitigationVector: _m,
      AllowedChipIDs: _a,
      Platform: _p,
      CPUs: _c,
      ...rest
    } = entry(base());
    const old = bytes({
      ...base(),
      WorkloadOwnerPubKeys: undefined,
      WorkloadOwnerKeyDigests: [],
      ReferenceValues: { snp: [rest] },
    });
    const grades = diffManifests(
      read(old, "v1.7"),
      read(
        edited((m) => {
          m.ReferenceValues.tdx = [];
        }),
      ),
    ).changes.filter((c) => /GuestPolicy|PlatformInfo/.test(c.at));
    expect(grades.map((c) => [c.at, c.grade])).toEqual([
      [`${snpAt}/GuestPolicy`, "unknown"],
      [`${snpAt}/PlatformInfo`, "unknown"],
    ]);
  });
  it.each([["main", "unknown"]] as const)("MinimumAPIVersion and APEIP in %s are %s", (version, grade) => {
    const { CPUs: _c, ...rest } = entry(base());
    const newer = (more: object, top: object): Uint8Array =>
      bytes({ ...base(), ...top, ReferenceValues: { snp: [{ ...rest, ...more }] } });
    expect(said(newer({}, {}), newer({ APEIP: "0080b004" }, { MinimumAPIVersion: "v1" }), version)).toEqual([
      [`${snpAt}/APEIP`, grade],
      ["/MinimumAPIVersion", grade],
    ]);
  });
});

describe("what is refused", () => {
  const refusal = (other: string): PmError => {
    try {
      diff(base(), new Uint8Array(Buffer.from(other)));
    } catch (error) {
      if (error instanceof PmError) return error;
    }
    throw new Error("not refused");
  };
  it.each([
    ["no JSON", "{", "manifest-malformed"],
    ["a list", "[]", "manifest-malformed"],
    [
      "a field twice",
      JSON.stringify(base()).replace('"Policies"', '"WorkloadOwnerPubKeys":null,"Policies"'),
      "manifest-ambiguous",
    ],
    ["a field in other case", JSON.stringify(base()).replace('"Policies"', '"policies"'), "manifest-ambiguous"],
    ["an unknown field", JSON.stringify({ ...base(), More: 1 }), "manifest-ambiguous"],
  ])("%s", (_, text, reasonCode) => {
    expect(refusal(text)).toMatchObject({ code: "PM_EVIDENCE_MALFORMED", reasonCode });
  });
  it("any two texts give a comparison or a PmError", () => {
    const text = Buffer.from(bytes(base())).toString("utf8");
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 4 }), (at, length, put) => {
        const other = new Uint8Array(Buffer.from(text.slice(0, at) + put + text.slice(at + length)));
        try {
          const { equal, changes } = diff(bytes(base()), other);
          expect(equal || changes.length > 0).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(PmError);
        }
      }),
      { numRuns: 300 },
    );
  });
  it("thirty thousand entries on each side are compared within seconds", () => {
    const many = (from: number): Uint8Array =>
      bytes({
        ...base(),
        ReferenceValues: {
          snp: [
            {
              ...entry(base()),
              AllowedChipIDs: Array.from({ length: 20_000 }, (_, i) => `${from + i}`.padStart(128, "0")),
            },
          ],
        },
      });
    const { changes } = diff(many(0), many(10_000));
    expect(changes).toHaveLength(20_000);
  }, 10_000);
});

describeEvidence("recorded manifests", () => {
  it("Go's own layout means the same as the edited one", () => {
    const [a, b] = ["manifest-privatemode-v1.40-shape.json", "manifest-go-layout.json"].map((n) =>
      evidence(`contrast/${n}`),
    );
    if (a === undefined || b === undefined) throw new Error("no evidence");
    const { equal, changes } = diff(a, b);
    expect(equal).toBe(false);
    expect(changes.map((c) => [c.at, c.grade])).toEqual([["", "neutral"]]);
  });
});
