/** Launch digests of the evidence folder, each made by programs that are not ours. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { fromHex, hex } from "../../../../src/bytes/hex.ts";
import { PmError } from "../../../../src/errors.ts";
import { signatureOfModel } from "../../../../src/verifiers/snp/measure/cpu.ts";
import { digestOfImage, type Launch, launchDigests } from "../../../../src/verifiers/snp/measure/digest.ts";
import type { Boot } from "../../../../src/verifiers/snp/measure/hashes.ts";
import { decodeOvmf } from "../../../../src/verifiers/snp/measure/ovmf.ts";
import { sha384 } from "../../../../src/verifiers/snp/measure/page.ts";
import { extendByAp, vmms, vmsaPage } from "../../../../src/verifiers/snp/measure/vmsa.ts";
import { describeEvidence, evidence, evidenceJson } from "../../../evidence.ts";

interface Vector {
  readonly id: string;
  readonly ovmf: string;
  readonly vmm?: string;
  readonly vcpus: number;
  readonly vcpuType: string;
  readonly guestFeatures: string;
  /** null: none; "": the empty file. */
  readonly kernel: string | null;
  readonly initrd: string | null;
  readonly append: string | null;
  readonly digest: string;
}
const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
const fileDigest = (name: string): Uint8Array =>
  sha256(name === "" ? new Uint8Array() : evidence(`snp/measure/${name}`));

function launchOf(v: Omit<Vector, "digest">): Launch {
  const vmm = vmms.find((m) => m === (v.vmm ?? "qemu").toLowerCase());
  const cpuSignature = signatureOfModel(v.vcpuType);
  if (vmm === undefined || cpuSignature === undefined) throw new Error(`${v.id}: unknown VMM or CPU`);
  const boot: Boot | undefined =
    v.kernel === null
      ? undefined
      : {
          kernel: fileDigest(v.kernel),
          initrd: v.initrd === null ? undefined : fileDigest(v.initrd),
          append: v.append === null ? undefined : new TextEncoder().encode(v.append),
        };
  const ovmf = decodeOvmf(evidence(`snp/measure/${v.ovmf}`));
  return { ovmf, boot, vmm, cpuSignature, features: BigInt(v.guestFeatures) };
}

describeEvidence("vectors of launch digests", () => {
  const vectors = evidenceJson("snp/measure/vectors.json") as {
    readonly launchDigest: readonly Vector[];
    readonly mustFail: readonly Vector[];
    readonly extend: readonly {
      readonly seed: string;
      readonly seedVcpus: number;
      readonly vcpus: number;
      readonly apEip: string;
      readonly vcpuType: string;
      readonly guestFeatures: string;
      readonly digest: string;
    }[];
    readonly afterOvmf: readonly { readonly ovmf: string; readonly digestAfterOvmfPages: string }[];
    readonly vmsaPageSha384: readonly {
      readonly vcpuType: string;
      readonly eip: string;
      readonly guestFeatures: string;
      readonly sha384: string;
    }[];
  };
  it.each(vectors.launchDigest.map((v) => [v.id, v] as const))("gives the digest of %s", (_, v) => {
    expect(hex(launchDigests(launchOf(v), v.vcpus).at(-1) ?? new Uint8Array())).toBe(v.digest);
  });
  it.each(vectors.mustFail.map((v) => [v.id, v] as const))("gives no digest for %s", (_, v) => {
    const error: unknown = (() => {
      try {
        return launchDigests(launchOf(v), v.vcpus);
      } catch (e) {
        return e;
      }
    })();
    expect(error).toBeInstanceOf(PmError);
    expect(error).toMatchObject({ code: "PM_EVIDENCE_UNSUPPORTED", reasonCode: "ovmf-hashes-absent" });
  });
  it("extends a digest by further vCPUs", () => {
    for (const v of vectors.extend) {
      let ld = fromHex(v.seed, 48, "seed");
      for (let n = v.seedVcpus; n < v.vcpus; n++)
        ld = extendByAp(ld, Number(v.apEip), signatureOfModel(v.vcpuType) ?? 0, BigInt(v.guestFeatures));
      expect(hex(ld)).toBe(v.digest);
    }
  });
  it("measures the image's own pages", () => {
    for (const v of vectors.afterOvmf)
      expect(hex(digestOfImage(decodeOvmf(evidence(`snp/measure/${v.ovmf}`))))).toBe(v.digestAfterOvmfPages);
  });
  it("makes the VMSA pages", () => {
    for (const v of vectors.vmsaPageSha384) {
      const cpuSignature = signatureOfModel(v.vcpuType) ?? 0;
      const page = vmsaPage(Number(v.eip), { vmm: "qemu", cpuSignature, features: BigInt(v.guestFeatures) });
      expect(hex(sha384(page))).toBe(v.sha384);
    }
  });
});

describeEvidence("digests of further vCPUs, as Contrast makes them", () => {
  const file = evidenceJson("contrast/vcpu-launch-digests.json") as {
    readonly seed_1vcpu: string;
    readonly ap_eip: string;
    readonly sev_features: number;
    readonly milan_sig: string;
    readonly genoa_sig: string;
    readonly ap_vmsa_sha384_milan: string;
    readonly milan: Readonly<Record<string, string>>;
    readonly genoa: Readonly<Record<string, string>>;
  };
  const apEip = Number.parseInt(file.ap_eip, 16);
  it.each([
    ["Milan", Number(file.milan_sig), file.milan],
    ["Genoa", Number(file.genoa_sig), file.genoa],
  ] as const)("reach each listed count on %s", (_, signature, digests) => {
    let ld = fromHex(file.seed_1vcpu, 48, "seed");
    const seen = new Map([[1, hex(ld)]]);
    for (let n = 2; n <= 220; n++) {
      ld = extendByAp(ld, apEip, signature, BigInt(file.sev_features));
      seen.set(n, hex(ld));
    }
    expect(Object.keys(digests).length).toBeGreaterThan(1);
    for (const [n, digest] of Object.entries(digests)) expect(seen.get(Number(n)), `${n} vCPUs`).toBe(digest);
  });
  it("rest on the same VMSA page", () => {
    const vcpu = { vmm: "qemu", cpuSignature: Number(file.milan_sig), features: BigInt(file.sev_features) } as const;
    expect(hex(sha384(vmsaPage(apEip, vcpu)))).toBe(file.ap_vmsa_sha384_milan);
  });
});
