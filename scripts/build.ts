/**
 * Bundles src into dist (one chunk a command) and writes oclif.manifest.json. `--check` builds and then exits 1 when the
 * manifest in the tree is not the one that this source makes.
 */
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Plugin } from "@oclif/core";
import { rolldown } from "rolldown";

if (Number(process.versions.node.split(".")[0]) < 24)
  throw new Error(`Node 24 is needed, this is ${process.version}: start it with npm run`);

const root = fileURLToPath(new URL("..", import.meta.url));
const manifestPath = `${root}oclif.manifest.json`;
const commands = globSync("src/commands/**/*.ts", { cwd: root }).sort();
const input = Object.fromEntries(
  ["src/main.ts", ...commands].map((file) => [file.replace(/^src\//, "").replace(/\.ts$/, ""), `${root}${file}`]),
);

rmSync(`${root}dist`, { recursive: true, force: true });
const bundle = await rolldown({
  input,
  platform: "node",
  // A command that is not bundled would be looked up at run time; only Node's own modules stay outside.
  external: [/^node:/],
  onLog: (level, log, handler) => {
    if (log.code !== "EVAL") handler(level, log);
  },
});
await bundle.write({
  dir: `${root}dist`,
  format: "esm",
  sourcemap: true,
  minify: false,
  entryFileNames: "[name].js",
  chunkFileNames: "chunks/[name]-[hash].js",
});
await bundle.close();

const before = read(manifestPath);
rmSync(manifestPath, { force: true });
const plugin = new Plugin({ root, type: "core", ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
writeFileSync(manifestPath, `${JSON.stringify(plugin.manifest, null, 2)}\n`);
if (process.argv.includes("--check") && before !== read(manifestPath)) {
  process.stderr.write("oclif.manifest.json was stale: run npm run build and commit it\n");
  process.exitCode = 1;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // no manifest yet: stale by definition
  }
}
