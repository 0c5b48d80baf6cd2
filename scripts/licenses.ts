/** docs/third-party-licenses.txt: the packages that are bundled into dist, with the licence texts that must go with them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Imported by src; docs/adr/002-runtime-dependencies.md says why each. */
const imported = ["@noble/curves", "@oclif/core", "chalk", "smol-toml", "tar-stream", "valibot", "yaml"];

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly folder: string;
  readonly dependencies: readonly string[];
}

/** A superset of what the bundler takes: whole packages, and all that they depend on. */
export function thirdPartyLicenses(root: string): string {
  const found = new Map<string, Package>();
  const visit = (name: string, from: string): void => {
    const p = readPackage(name, from);
    if (found.has(`${p.name}@${p.version}`)) return;
    found.set(`${p.name}@${p.version}`, p);
    for (const dependency of p.dependencies) visit(dependency, p.folder);
  };
  for (const name of imported) visit(name, root);
  const ordered = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [...Map.groupBy(ordered, ([, p]) => textOf(p))].map(
    ([text, same]) => `${same.map(([id, p]) => `${id} (${p.license})\n`).join("")}\n${text}`,
  );
  const line = `\n${"-".repeat(80)}\n\n`;
  // Its crates are no packages of npm's: scripts/engine-licenses.ts reads them where cargo has them.
  const engine = readFileSync(join(root, "reproducible/policy-engine/THIRD_PARTY.txt"), "utf8");
  return `Packages bundled into pm, made by npm run docs\n\n${[...parts, engine].join(line)}`;
}

function readPackage(name: string, from: string): Package {
  const folder = folderOf(name, from);
  const json: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (typeof json !== "object" || json === null) throw new Error(`${name}: package.json is no object`);
  const { version, license, dependencies } = json as Readonly<Record<string, unknown>>;
  return {
    name,
    version: String(version),
    license: String(license),
    folder,
    dependencies: typeof dependencies === "object" && dependencies !== null ? Object.keys(dependencies).sort() : [],
  };
}

/** Node's own look-up: the nearest node_modules that has it, from the folder of the package that asks. */
function folderOf(name: string, from: string): string {
  const paths = createRequire(join(from, "package.json")).resolve.paths(name) ?? [];
  const folder = paths.map((p) => join(p, name)).find((p) => existsSync(join(p, "package.json")));
  if (folder === undefined) throw new Error(`${name}: not installed, seen from ${dirname(from)}`);
  return folder;
}

function textOf(p: Package): string {
  const files = readdirSync(p.folder).filter((f) => /^(licen[cs]e|notice|copying)/i.test(f));
  if (files.length === 0) return `The package carries no licence file; its package.json says ${p.license}.\n`;
  return files
    .sort()
    .map((f) => `${readFileSync(join(p.folder, f), "utf8").replaceAll("\r\n", "\n").trim()}\n`)
    .join("\n");
}
