/** The import lines of src are read as text: what a module may know is a property of the project, not of a review. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const files = globSync("src/**/*.ts", { cwd: root }).sort();

interface Import {
  readonly from: string;
  /** Path below the root for relative imports, else the package's name. */
  readonly to: string;
  readonly typeOnly: boolean;
}
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|^import\s+"([^"]+)"/gm,
  );
  return [...found].map((m) => {
    const name = m[2] ?? m[3] ?? m[4] ?? "";
    return {
      from: file,
      to: name.startsWith(".") ? normalize(join(dirname(file), name)) : name,
      typeOnly: m[1] !== undefined,
    };
  });
}
const imports = files.flatMap(importsOf);
const within = (folder: string) => imports.filter((i) => i.from.startsWith(`src/${folder}`));
const names = (list: readonly Import[]) => list.map((i) => `${i.from} -> ${i.to}`);

/** Modules of Node that do neither input nor output. */
const pureNode = new Set(["node:crypto", "node:zlib", "node:buffer", "node:util"]);

describe("what a verifier may import", () => {
  const verifiers = [...new Set(files.filter((f) => f.startsWith("src/verifiers/")).map((f) => f.split("/")[2] ?? ""))];
  test("there are verifiers to look at", () => expect(verifiers.length).toBeGreaterThanOrEqual(3));
  test.each(verifiers)("%s imports its own folder, primitives and claims only", (name) => {
    const own = [`src/verifiers/${name}/`, "src/bytes/", "src/crypto/", "src/claims/"];
    // Primitives of Intel's quotes, which two verifiers share.
    const allowed = ["tdx", "sgx"].includes(name) ? [...own, "src/dcap/"] : own;
    const typesFrom = ["src/run.ts", "src/report/report.ts", "src/profile/"];
    const bad = within(`verifiers/${name}/`).filter(
      (i) =>
        !pureNode.has(i.to) &&
        i.to !== "src/errors.ts" &&
        !["smol-toml", "@noble/curves/nist.js"].includes(i.to) &&
        !allowed.some((a) => i.to.startsWith(a)) &&
        !(i.typeOnly && typesFrom.some((a) => i.to.startsWith(a))),
    );
    expect(names(bad)).toEqual([]);
  });
  test("src/dcap imports primitives, claims and types only", () => {
    const bad = within("dcap/").filter(
      (i) =>
        !pureNode.has(i.to) &&
        i.to !== "src/errors.ts" &&
        !["src/dcap/", "src/bytes/", "src/crypto/", "src/claims/"].some((a) => i.to.startsWith(a)) &&
        !(i.typeOnly && ["src/run.ts", "src/report/report.ts"].includes(i.to)),
    );
    expect(names(bad)).toEqual([]);
  });
  test.each(["verifiers", "crypto", "bytes", "claims", "dcap"])(
    "src/%s holds no async code, clock or environment",
    (folder) => {
      const bad = files
        .filter((f) => f.startsWith(`src/${folder}/`))
        .filter((f) => /\basync\b|\bawait\b|Date\.now|new Date\(\)|process\.(env|argv|stdout|stderr)/.test(code(f)));
      expect(bad).toEqual([]);
    },
  );
});

describe("who knows whom", () => {
  test("only the chain, the catalogue registry and the decoder registry know two verifiers", () => {
    const known = new Map<string, Set<string>>();
    for (const i of imports.filter((x) => x.to.startsWith("src/verifiers/") && !x.from.startsWith("src/verifiers/"))) {
      const folder = i.from.startsWith("src/chain/") ? "src/chain" : i.from;
      known.set(folder, (known.get(folder) ?? new Set()).add(i.to.split("/")[2] ?? ""));
    }
    const two = [...known].filter(([, v]) => v.size > 1).map(([k]) => k);
    expect(two.sort()).toEqual(["src/catalogues.ts", "src/chain", "src/decoders.ts"]);
  });
  test("sources know no verifier and never judge", () => {
    const bad = within("sources/").filter((i) => i.to.startsWith("src/verifiers/") || i.to.startsWith("src/claims/"));
    expect(names(bad)).toEqual([]);
  });
  test("only measure starts other programs, and it compares and judges nothing", () => {
    const starts = imports.filter((i) => i.to === "node:child_process" && !i.from.startsWith("src/measure/"));
    const judges = within("measure/").filter((i) => /src\/(verifiers|claims|chain|profile|report)\//.test(i.to));
    expect(names([...starts, ...judges])).toEqual([]);
  });
  test("report imports nothing that computes", () => {
    const bad = within("report/").filter((i) => /src\/(sources|verifiers|chain|commands)\//.test(i.to));
    expect(names(bad)).toEqual([]);
  });
  test("only commands, the base command and main know oclif", () => {
    const bad = imports.filter(
      (i) =>
        i.to.startsWith("@oclif") &&
        !i.from.startsWith("src/commands/") &&
        !["src/main.ts", "src/command.ts", "src/flags.ts", "src/verity-flags.ts"].includes(i.from),
    );
    expect(names(bad)).toEqual([]);
  });
  test.each([
    ["valibot", 2],
    ["yaml", 3],
    ["smol-toml", 1],
    ["@noble/curves/nist.js", 1],
    ["tar-stream", 1],
    ["chalk", 1],
  ] as const)("%s is imported in at most %i modules, behind our own types", (name, most) => {
    expect(new Set(imports.filter((i) => i.to === name).map((i) => i.from)).size).toBeLessThanOrEqual(most);
  });
  test("every file below src/commands is a command", () => {
    const bad = files.filter(
      (f) => f.startsWith("src/commands/") && !/export default class \w+ extends BaseCommand/.test(code(f)),
    );
    expect(bad).toEqual([]);
  });
});

function code(file: string): string {
  return readFileSync(join(root, file), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "");
}
