/**
 * Bundles src into dist (one chunk a command) and writes oclif.manifest.json. `--check` builds and then exits 1 when the
 * manifest in the tree is not the one that this source makes.
 */
import { copyFileSync, existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Plugin } from "@oclif/core";
import { rolldown } from "rolldown";
import { oclifLight } from "./oclif-light.ts";

if (Number(process.versions.node.split(".")[0]) < 24)
  throw new Error(`Node 24 is needed, this is ${process.version}: start it with npm run`);

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}dist`;
const manifestPath = `${root}oclif.manifest.json`;
const commands = globSync("src/commands/**/*.ts", { cwd: root }).sort();
const input = Object.fromEntries(
  // A worker thread is started by its file's name.
  ["src/main.ts", "src/measure/verity/worker.ts", "src/measure/policy-engine/worker.ts", ...commands].map((file) => [
    file.replace(/^src\//, "").replace(/\.ts$/, ""),
    `${root}${file}`,
  ]),
);

const bundle = await rolldown({
  input,
  platform: "node",
  // A command that is not bundled would be looked up at run time; only Node's own modules stay outside.
  external: [/^node:/],
  plugins: [oclifLight()],
  onLog: (level, log, handler) => {
    if (log.code !== "EVAL") handler(level, log);
  },
});
// Written aside and then swapped in: a build that fails, or a pm that runs meanwhile, leaves or finds a whole dist.
const aside = `${root}.dist-${process.pid}`;
try {
  await bundle.write({
    dir: aside,
    format: "esm",
    sourcemap: true,
    minify: false,
    // Each module that is loaded costs a start some 0.4 ms: what is loaded together lies together (bench/startup.ts).
    codeSplitting: {
      groups: [
        { name: "base", priority: 3, test: /src\/((bytes|claims)\/|(errors|time|run|system-reason)\.ts|report\/text)/ },
        { name: "catalogues", priority: 2, test: /src\/(catalogues|(verifiers\/\w+|chain)\/[\w-]*claims[\w-]*)\.ts/ },
        { name: "judging", priority: 1, test: /src\/(crypto|report)\// },
      ],
    },
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
  });
  await bundle.close();
  // No code of the bundler's: src/measure/policy-engine/module.ts compares it with its digest before it is used.
  copyFileSync(
    `${root}reproducible/policy-engine/policy-engine.wasm`,
    `${aside}/measure/policy-engine/policy-engine.wasm`,
  );
  if (existsSync(dist)) renameSync(dist, `${aside}-old`);
  renameSync(aside, dist);
} finally {
  for (const left of [aside, `${aside}-old`]) rmSync(left, { recursive: true, force: true });
}

const before = read(manifestPath);
const plugin = new Plugin({ root, type: "core", ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
writeFileSync(manifestPath, `${JSON.stringify(sorted(plugin.manifest), null, 2)}\n`);
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

/** oclif lists commands in the order in which the file system names the files. */
function sorted(manifest: Plugin["manifest"]): Plugin["manifest"] {
  const commands = Object.entries(manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...manifest, commands: Object.fromEntries(commands) };
}
