import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmError } from "../../src/errors.ts";
import type { Exchange } from "../../src/run.ts";
import { type Bundle, type BundleContent, decodeBundle, readBundle, writeBundle } from "../../src/sources/bundle.ts";
import { sha256Hex } from "../../src/sources/bundle-index.ts";
import { recordedSource, refreshSource, replaySource } from "../../src/sources/source.ts";
import { bytesOf, chain, chainPath, crlPath, hexOf, makeCrl, request, scratch, vcek, vcekPath } from "./world.ts";

const at = "2026-06-10T12:00:00.000Z";
const crl = makeCrl("2026-06-09T00:00:00Z", 6);
const offered = makeCrl("2026-06-01T00:00:00Z", 5);
const exchanges: readonly Exchange[] = [
  {
    request: request("coordinator", "/attest", '{"nonce":"4ZjF"}'),
    response: { status: "ok", bytes: Buffer.from("{}"), at, contentType: "application/json" },
  },
  { request: request("amd-kds", vcekPath), response: { status: "ok", bytes: vcek, at } },
  { request: request("amd-kds", crlPath), response: { status: "ok", bytes: crl, at, offered } },
  {
    request: request("amd-kds", chainPath),
    response: { status: "unavailable", reason: "gave no answer — within 20 s" },
  },
  { request: request("memory", "/high-water/a%20b"), response: { status: "ok", bytes: new Uint8Array(), at } },
  { request: request("published", "/m.json"), response: { status: "refused", reason: "answered with status 404" } },
];
const content: BundleContent = {
  capturedAt: at,
  exchanges,
  measured: [{ what: "disk root hash", value: "00ff", tool: "pm 0.1.0", at }],
};
const written = async (name: string, what = content) => {
  const target = join(scratch(), name);
  await writeBundle(target, what);
  return target;
};
const indexOf = (folder: string): string => readFileSync(join(folder, "index.json"), "utf8");
const filesIn = (dir: string): string[] => readdirSync(dir, { recursive: true }).map(String).sort();

describe("a bundle", () => {
  test.each(["b", "b.tar"])("gives back what was written: %s", async (name) => {
    const target = join(scratch(), name);
    const sha256 = await writeBundle(target, content);
    const bundle = await readBundle(target);
    expect(bundle.sha256).toBe(sha256);
    expect(bundle.capturedAt).toBe(at);
    expect(bundle.measured).toEqual(content.measured);
    const sorted = exchanges.toSorted((a, b) =>
      `${a.request.service} ${a.request.path}` < `${b.request.service} ${b.request.path}` ? -1 : 1,
    );
    expect(bundle.exchanges.map((e) => ({ ...e.request, maxBytes: 65_536 }))).toEqual(sorted.map((e) => e.request));
    const plain = (e: Exchange) =>
      e.response.status === "ok" ? { ...e.response, bytes: hexOf(e.response.bytes) } : e.response;
    expect(bundle.exchanges.map(plain)).toEqual(sorted.map(plain));
  });

  test("the same evidence in another order gives the same bytes, in both forms and under any name", async () => {
    const [a, b] = [
      await written("a.tar"),
      await written("other.tar", { ...content, exchanges: exchanges.toReversed() }),
    ];
    expect(hexOf(readFileSync(a))).toBe(hexOf(readFileSync(b)));
    const [c, d] = [await written("c"), await written("d", { ...content, exchanges: exchanges.toReversed() })];
    expect(filesIn(c)).toEqual(filesIn(d));
    expect(indexOf(c)).toBe(indexOf(d));
    expect((await readBundle(a)).sha256).toBe(sha256Hex(readFileSync(join(c, "index.json"))));
    expect((await readBundle(new Uint8Array(readFileSync(a)))).sha256).toBe((await readBundle(c)).sha256);
  });

  test("other evidence, another time or another status gives another digest", async () => {
    const digests = new Set([(await readBundle(await written("a"))).sha256]);
    const [first, ...rest] = exchanges;
    if (first === undefined) throw new Error("no exchanges");
    const changes: BundleContent[] = [
      { ...content, capturedAt: "2026-06-10T12:00:00.001Z" },
      { ...content, exchanges: rest },
      { ...content, exchanges: [{ ...first, response: { status: "unavailable", reason: "x" } }, ...rest] },
      { ...content, exchanges: [{ ...first, request: { ...first.request, post: '{"nonce":"x"}' } }, ...rest] },
    ];
    for (const change of changes) digests.add((await readBundle(await written("b", change))).sha256);
    expect(digests.size).toBe(5);
  });

  test("holds of a request only service, path and body", async () => {
    const request_ = {
      ...request("coordinator", "/attest", "{}"),
      headers: { authorization: "canary" },
      url: "canary",
    };
    const folder = await written("b", {
      capturedAt: at,
      exchanges: [{ request: request_, response: { status: "refused", reason: "x" } }],
    });
    expect(indexOf(folder)).not.toContain("canary");
    expect(JSON.parse(indexOf(folder)).entries).toEqual([
      { path: "/attest", post: "{}", reason: "x", service: "coordinator", status: "refused" },
    ]);
  });

  test("one question with two answers is not written", async () => {
    const twice = { capturedAt: at, exchanges: [...exchanges, ...exchanges] };
    await expect(writeBundle(join(scratch(), "b"), twice)).rejects.toThrow(/there twice/);
  });
});

describe("where a bundle is written", () => {
  test("an older bundle is replaced, in its form", async () => {
    for (const name of ["b", "b.tar"]) {
      const target = await written(name);
      await writeBundle(target, { ...content, exchanges: [] });
      expect((await readBundle(target)).exchanges).toEqual([]);
      expect(readdirSync(dirname(target))).toEqual([basename(target)]);
    }
  });
  test("an empty folder is taken", async () => {
    const target = scratch();
    await writeBundle(target, content);
    expect((await readBundle(target)).exchanges).toHaveLength(6);
  });
  test("nothing else is overwritten, and no temporary file stays", async () => {
    const dir = scratch();
    writeFileSync(join(dir, "thesis.tar"), "mine");
    mkdirSync(join(dir, "photos"));
    writeFileSync(join(dir, "photos", "index.json"), "{}");
    cpSync(await written("x"), join(dir, "damaged"), { recursive: true });
    writeFileSync(join(dir, "damaged", "more"), "");
    cpSync(await written("y"), join(dir, "folder.tar"), { recursive: true });
    symlinkSync(await written("z"), join(dir, "link"));
    const before = filesIn(dir);
    for (const name of [
      "thesis.tar",
      "photos",
      "damaged",
      "folder.tar",
      "link",
      "absent/b",
      "b.tar.gz",
      "thesis.tar/b",
    ])
      await expect(writeBundle(join(dir, name), content), name).rejects.toMatchObject({ code: "PM_USAGE" });
    expect(filesIn(dir)).toEqual(before);
    expect(readFileSync(join(dir, "thesis.tar"), "utf8")).toBe("mine");
  });
});

describe("a tampered folder", () => {
  const blob = `blobs/sha256/${sha256Hex(crl)}`;
  const edit = (change: (index: string) => string) => (folder: string) =>
    writeFileSync(join(folder, "index.json"), change(indexOf(folder)));
  const editJson = (change: (index: { entries: Record<string, unknown>[]; [k: string]: unknown }) => void) =>
    edit((text) => {
      const index = JSON.parse(text);
      change(index);
      return `${JSON.stringify(index, null, 2)}\n`;
    });
  const cases: [string, (folder: string) => void, RegExp][] = [
    [
      "a flipped bit in a blob",
      (f) => writeFileSync(join(f, blob), crl.with(40, (crl[40] ?? 0) ^ 1)),
      /entry "amd-kds \/vcek\/v1\/Genoa\/crl".*another SHA-256/,
    ],
    ["a blob one byte short", (f) => writeFileSync(join(f, blob), crl.slice(1)), /bytes, the index says/],
    ["a missing blob", (f) => unlinkSync(join(f, blob)), /missing/],
    ["a missing offered blob", (f) => unlinkSync(join(f, `blobs/sha256/${sha256Hex(offered)}`)), /missing/],
    ["a file more", (f) => writeFileSync(join(f, "profile.yaml"), "root: mine"), /"profile.yaml": does not belong/],
    ["a blob more", (f) => writeFileSync(join(f, "blobs/sha256/00"), "x"), /does not belong/],
    ["a hidden file", (f) => writeFileSync(join(f, "blobs/.x"), "x"), /does not belong/],
    [
      "a link for a blob",
      (f) => {
        renameSync(join(f, blob), join(f, "..", "b2"));
        symlinkSync("../../../b2", join(f, blob));
      },
      /does not belong/,
    ],
    [
      "a link for the index",
      (f) => {
        renameSync(join(f, "index.json"), join(f, "..", "i"));
        symlinkSync("../i", join(f, "index.json"));
      },
      /does not belong/,
    ],
    ["no index", (f) => unlinkSync(join(f, "index.json")), /index.json: missing/],
    ["an index that is no JSON", edit(() => "{"), /not JSON/],
    ["an index with a byte order mark", edit((t) => `\ufeff${t}`), /not JSON/],
    ["an index with something after it", edit((t) => `${t} `), /not spelled/],
    [
      "an index with a doubled member",
      edit((t) => t.replace('"format"', '"capturedAt": "2020-01-01T00:00:00Z",\n  "format"')),
      /not spelled/,
    ],
    ["compact JSON", edit((t) => JSON.stringify(JSON.parse(t))), /not spelled/],
    ["entries in another order", editJson((i) => i.entries.reverse()), /not spelled/],
    ["an entry twice", editJson((i) => i.entries.splice(0, 0, i.entries[0] ?? {})), /"amd-kds .*there twice/],
    [
      "a question with a second answer",
      editJson((i) => i.entries.push({ ...i.entries[5], status: "unavailable" })),
      /there twice/,
    ],
    [
      "another version",
      editJson((i) => {
        i["version"] = 2;
      }),
      /version other than 1/,
    ],
    [
      "another format",
      editJson((i) => {
        i["format"] = "zip";
      }),
      /not the index/,
    ],
    [
      "a profile inside",
      editJson((i) => {
        i["profile"] = "x";
      }),
      /a member that pm does not know/,
    ],
    [
      "an issuer chain that is no text",
      editJson((i) => {
        i.entries = i.entries.map((e) => (e["status"] === "ok" ? { ...e, issuerChain: ["x"] } : e));
      }),
      /issuerChain: missing or not in its form/,
    ],
    [
      "an issuer chain beside no answer",
      editJson((i) => {
        i.entries = i.entries.map((e) => (e["status"] === "ok" ? e : { ...e, issuerChain: "x" }));
      }),
      /a member that pm does not know/,
    ],
    [
      "a member more in an entry",
      editJson((i) => {
        (i.entries[0] ?? {})["waiver"] = true;
      }),
      /entry 0: has a member/,
    ],
    [
      "a size that differs",
      editJson((i) => {
        (i.entries[2] ?? {})["size"] = 1;
      }),
      /the index says 1/,
    ],
    [
      "a negative size",
      editJson((i) => {
        (i.entries[2] ?? {})["size"] = -1;
      }),
      /not a number of bytes/,
    ],
    [
      "a digest that climbs",
      editJson((i) => {
        (i.entries[2] ?? {})["sha256"] = "../../../../etc/passwd";
      }),
      /sha256: missing or not in its form/,
    ],
    [
      "an unknown service",
      editJson((i) => {
        (i.entries[0] ?? {})["service"] = "verdict";
      }),
      /unknown service/,
    ],
    [
      "an unknown status",
      editJson((i) => {
        (i.entries[0] ?? {})["status"] = "pass";
      }),
      /unknown status/,
    ],
    [
      "a day that does not exist",
      editJson((i) => {
        i["capturedAt"] = "2026-02-30T00:00:00Z";
      }),
      /not an RFC 3339 time/,
    ],
    [
      "a time without zone",
      editJson((i) => {
        i["capturedAt"] = "2026-02-03T00:00:00";
      }),
      /not an RFC 3339 time/,
    ],
  ];
  test.each(cases)("%s is refused", async (_, tamper, message) => {
    const folder = await written("b");
    tamper(folder);
    await expect(readBundle(folder)).rejects.toMatchObject({
      code: "PM_EVIDENCE_MALFORMED",
      message: expect.stringMatching(message),
    });
  });
});

/** undefined: refused with a typed error. */
function decoded(bytes: Uint8Array): Bundle | undefined {
  try {
    return decodeBundle(bytes);
  } catch (error) {
    if (error instanceof PmError) return undefined;
    throw error;
  }
}

describe("a tampered tar", () => {
  /** A header with a good check sum. */
  const header = (name: string, size: number, type = "0"): Buffer => {
    const h = Buffer.alloc(512);
    h.write(name, 0);
    h.write("0000644\0", 100);
    h.write(size.toString(8).padStart(11, "0"), 124);
    h.write("        ", 148);
    h.write(type, 156);
    h.write("ustar\x0000", 257);
    h.write(
      `${h
        .reduce((sum, b) => sum + b, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    return h;
  };
  const member = (name: string, body: string, type?: string) =>
    Buffer.concat([
      header(name, body.length, type),
      Buffer.from(body),
      Buffer.alloc((512 - (body.length % 512)) % 512),
    ]);
  const end = Buffer.alloc(1024);
  const genuine = async () => readFileSync(await written("b.tar"));
  const cases: [string, (tar: Buffer) => Buffer, RegExp][] = [
    ["cut in the middle", (t) => t.subarray(0, t.length / 2), /tar:/],
    ["cut before its end mark", (t) => t.subarray(0, t.length - 1024), /end mark/],
    ["with one block of end mark", (t) => t.subarray(0, t.length - 512), /end mark/],
    ["with something after it", (t) => Buffer.concat([t, Buffer.from("x")]), /after the end mark/],
    ["compressed", (t) => gzipSync(t), /compressed/],
    ["empty", () => Buffer.alloc(0), /end mark/],
    ["of zeros", () => end, /index.json: missing/],
    ["with a file more", (t) => Buffer.concat([member("profile.yaml", "x"), t]), /"profile.yaml": not named/],
    ["with a blob more", (t) => Buffer.concat([member(`blobs/sha256/${"0".repeat(64)}`, "x"), t]), /not named/],
    ["with a climbing name", (t) => Buffer.concat([member("../index.json", "x"), t]), /leaves the bundle/],
    ["with a climbing name inside", (t) => Buffer.concat([member("blobs/../../x", "x"), t]), /leaves the bundle/],
    ["with an absolute name", (t) => Buffer.concat([member("/etc/passwd", "x"), t]), /leaves the bundle/],
    ["with a link", (t) => Buffer.concat([member("index.json", "", "2"), t]), /neither file nor folder/],
    [
      "with an extended header",
      (t) => Buffer.concat([member("x", "18 path=index.json\n", "x"), t]),
      /neither file nor folder/,
    ],
    ["with a second index", (t) => Buffer.concat([member("index.json", "{}"), t]), /there twice/],
    [
      "with a second index under another spelling",
      (t) => Buffer.concat([member("./index.json", "{}"), t]),
      /there twice/,
    ],
    [
      "with a wrong check sum",
      (t) => {
        const c = Buffer.from(t);
        c[101] = 0x31;
        return c;
      },
      /check sum/,
    ],
    ["with a length beyond the end", (t) => Buffer.concat([header("x", 8 ** 10), t]), /cut off/],
    [
      "with a binary length",
      (t) => {
        const h = header("x", 0);
        h[124] = 0x80;
        return Buffer.concat([h, t]);
      },
      /check sum|octal/,
    ],
  ];
  test.each(cases)("%s is refused", async (_, tamper, message) => {
    const tar = tamper(await genuine());
    await expect(readBundle(tar)).rejects.toMatchObject({
      code: "PM_EVIDENCE_MALFORMED",
      message: expect.stringMatching(message),
    });
    const file = join(scratch(), "t.tar");
    writeFileSync(file, tar);
    await expect(readBundle(file)).rejects.toMatchObject({ code: "PM_EVIDENCE_MALFORMED" });
  });
  test("folders, other owners and GNU's magic are read", async () => {
    const tar = await genuine();
    const folders = Buffer.concat([member("blobs/", "", "5"), member("blobs/sha256/", "", "5"), tar]);
    expect((await readBundle(folders)).exchanges).toHaveLength(6);
  });
  test("a flipped bit is refused, or shows in the digest of the index, or changes nothing", async () => {
    const tar = await genuine();
    const content = (bundle: Bundle) =>
      JSON.stringify([
        bundle.capturedAt,
        bundle.measured,
        bundle.exchanges.map((e) => [e.request, e.response.status, bytesOf(e.response)]),
      ]);
    const original = await readBundle(tar);
    let refused = 0;
    for (let i = 0; i < tar.length; i++) {
      const flipped = Buffer.from(tar);
      flipped[i] = (flipped[i] ?? 0) ^ (1 << (i % 8));
      const got = decoded(flipped);
      if (got === undefined) refused++;
      else if (got.sha256 === original.sha256) expect(content(got)).toBe(content(original));
    }
    expect(refused).toBeGreaterThan(tar.length / 2);
  });
  test("any bytes give a bundle or a typed error", async () => {
    const tar = await genuine();
    const total = (bytes: Uint8Array) => void decoded(bytes);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), total), { numRuns: 500 });
    const mutations = fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(mutations, fc.nat(tar.length), (edits, length) => {
        const bytes = new Uint8Array(tar);
        for (const [i, value] of edits) bytes[i] = value;
        total(length % 3 === 0 ? bytes.slice(0, length) : bytes);
      }),
      { numRuns: 1000 },
    );
  });
  test("something that is not there is a usage error", async () => {
    await expect(readBundle(join(scratch(), "absent.tar"))).rejects.toMatchObject({ code: "PM_USAGE" });
  });
});

describe("replay", () => {
  test("answers what was recorded, failures included, and nothing else", async () => {
    const source = replaySource(await readBundle(await written("b.tar")));
    for (const { request, response } of exchanges) expect(bytesOf(await source.fetch(request))).toBe(bytesOf(response));
    expect(await source.fetch(request("amd-kds", "/vlek/v1/Genoa/crl"))).toEqual({
      status: "unavailable",
      reason: "not in this bundle",
    });
    expect(await source.fetch(request("published", vcekPath))).toMatchObject({ status: "unavailable" });
  });
  test("an answer to another nonce is no answer", async () => {
    const source = replaySource({ exchanges });
    for (const post of ['{"nonce":"other"}', undefined, ""])
      expect(await source.fetch(request("coordinator", "/attest", post))).toMatchObject({ status: "unavailable" });
  });
  test("the limits of the question hold as they do live", async () => {
    const got = await replaySource({ exchanges }).fetch({ ...request("amd-kds", vcekPath), maxBytes: vcek.length - 1 });
    expect(got).toMatchObject({ status: "refused" });
  });
  test("recorded answers can stand in front of another source", async () => {
    const live = { fetch: async () => ({ status: "ok", bytes: chain, at }) as const };
    const source = recordedSource(exchanges.slice(0, 2), live);
    expect(bytesOf(await source.fetch(request("amd-kds", vcekPath)))).toBe(hexOf(vcek));
    expect(bytesOf(await source.fetch(request("amd-kds", crlPath)))).toBe(hexOf(chain));
  });
  test("--refresh-collateral asks vendor and memory live, and the audited party not at all", async () => {
    const asked: string[] = [];
    const live = {
      fetch: async (r: { service: string; path: string }) => {
        asked.push(r.service);
        return { status: "ok", bytes: chain, at } as const;
      },
    };
    const source = refreshSource({ exchanges }, live);
    for (const { request } of exchanges) await source.fetch(request);
    expect(await source.fetch(request("memory", "/nonce"))).toMatchObject({ reason: "not in this bundle" });
    expect(await source.fetch(request("published", "/never"))).toMatchObject({ reason: "not in this bundle" });
    expect(asked).toEqual(["amd-kds", "amd-kds", "amd-kds", "memory"]);
  });
});
