import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadCollateral } from "../../src/sources/collateral.ts";
import { liveSource, replaySource } from "../../src/sources/source.ts";
import {
  bytesOf,
  chain,
  chainPath,
  chipId,
  crlPath,
  hexOf,
  makeCrl,
  otherVcek,
  request,
  scratch,
  serve,
  vcek,
  vcekPath,
} from "./world.ts";

const crl = makeCrl("2026-06-01T00:00:00Z", 5);
const vlekCrlPath = "/vlek/v1/Genoa/crl";
function folder(files: Record<string, Uint8Array | string>): string {
  const dir = scratch();
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), bytes);
  }
  return dir;
}
async function answers(path: string, ...paths: string[]): Promise<(string | undefined)[]> {
  const collateral = await loadCollateral(path);
  const got = await Promise.all(paths.map((p) => collateral.answer(request("amd-kds", p))));
  return got.map((response) => (response === undefined ? undefined : bytesOf(response)));
}

describe("--collateral", () => {
  test("a folder of three files answers each kind", async () => {
    const dir = folder({ "vcek.der": vcek, "cert_chain.pem": chain, "crl.der": crl, "README.txt": "ours" });
    expect(await answers(dir, vcekPath, chainPath, crlPath, vlekCrlPath, "/vcek/v1/x")).toEqual([
      hexOf(vcek),
      hexOf(chain),
      hexOf(crl),
      hexOf(crl),
      undefined,
    ]);
  });
  test("the cache's own layout answers exactly what was asked for", async () => {
    const dir = folder({
      [`vcek/Genoa/${chipId}/bl10-tee0-snp28-ucode88.der`]: vcek,
      [`vcek/Genoa/${chipId}/bl9-tee0-snp28-ucode88.der`]: otherVcek,
      "vcek/Genoa/crl.der": crl,
    });
    expect(
      await answers(
        dir,
        vcekPath,
        vcekPath.replace("blSPL=10", "blSPL=9"),
        vcekPath.replace("blSPL=10", "blSPL=8"),
        crlPath,
        chainPath,
        vlekCrlPath,
      ),
    ).toEqual([hexOf(vcek), hexOf(otherVcek), undefined, hexOf(crl), undefined, undefined]);
  });
  test("so does the layout that operators keep VCEKs in, by chip id alone", async () => {
    const dir = folder({
      [`vcek/${chipId}/bl10_tee00_snp28_ucode88_vcek.der`]: vcek,
      [`vcek/${chipId}/bl09_tee00_snp28_ucode88_vcek.der`]: otherVcek,
    });
    const wanted = [
      vcekPath,
      vcekPath.replace("blSPL=10", "blSPL=9"),
      vcekPath.replace("blSPL=10", "blSPL=8"),
      chainPath,
    ];
    expect(await answers(dir, ...wanted)).toEqual([hexOf(vcek), hexOf(otherVcek), undefined, undefined]);
  });
  test("in a folder of both kinds the exact file goes first", async () => {
    const dir = folder({ "vcek.der": otherVcek, [`vcek/Genoa/${chipId}/bl10-tee0-snp28-ucode88.der`]: vcek });
    expect(await answers(dir, vcekPath, vcekPath.replace("blSPL=10", "blSPL=8"))).toEqual([
      hexOf(vcek),
      hexOf(otherVcek),
    ]);
  });
  test.each([
    ["a VCEK", vcek, [hexOf(vcek), undefined, undefined]],
    ["a chain", chain, [undefined, hexOf(chain), undefined]],
    ["a CRL", crl, [undefined, undefined, hexOf(crl)]],
  ])("one file is recognised by its content: %s", async (_, bytes, expected) => {
    expect(await answers(join(folder({ "some.file": bytes }), "some.file"), vcekPath, chainPath, crlPath)).toEqual(
      expected,
    );
  });
  test.each([
    ["an empty folder", folder, {}, ""],
    ["a folder of other things", folder, { "notes.txt": "x", "vcek/readme.txt": "y" }, ""],
    ["a file of something else", folder, { "report.bin": new Uint8Array(1184) }, "report.bin"],
    ["no file at all", folder, {}, "absent"],
  ])("%s is a usage error that names the path", async (_, make, files, name) => {
    const path = join(make(files), name);
    await expect(loadCollateral(path)).rejects.toMatchObject({
      code: "PM_USAGE",
      message: expect.stringContaining(path),
    });
  });
  test("what is larger than the request allows is refused, not cut", async () => {
    const collateral = await loadCollateral(folder({ "crl.der": crl }));
    const got = await collateral.answer({ service: "amd-kds", path: crlPath, maxBytes: 10 });
    expect(got).toMatchObject({ status: "refused" });
  });

  test("it answers before the service, and the service is asked for the rest only", async () => {
    const kds = await serve({ [chainPath]: chain, [crlPath]: makeCrl("2026-06-09T00:00:00Z", 6) });
    const collateral = await loadCollateral(folder({ "crl.der": crl }));
    const source = liveSource({ kdsUrl: kds.url, collateral });
    expect(bytesOf(await source.fetch(request("amd-kds", crlPath)))).toBe(hexOf(crl));
    expect(bytesOf(await source.fetch(request("amd-kds", chainPath)))).toBe(hexOf(chain));
    expect(kds.asked.map((a) => a.path)).toEqual([chainPath]);
  });
  test("it answers offline and before a bundle", async () => {
    const collateral = await loadCollateral(folder({ "crl.der": crl }));
    const replay = replaySource({ exchanges: [] }, collateral);
    for (const source of [liveSource({ collateral, offline: true }), replay])
      expect(bytesOf(await source.fetch(request("amd-kds", crlPath)))).toBe(hexOf(crl));
    expect(await replay.fetch(request("amd-kds", vcekPath))).toEqual({
      status: "unavailable",
      reason: "not in this bundle",
    });
  });
});
