/**
 * The package as its users get it: packed, looked through, installed into an empty prefix without a network, and run.
 * Ends with 1 and one line for each thing that is wrong.
 */
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startServer } from "../demo/server.ts";
import { makeDeployment } from "../fixtures/generator/deployment.ts";
import { writeDeployment } from "../fixtures/generator/write.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pm-pack-"));
const mostPackedBytes = 3e6;
const wrong: string[] = [];
const expect = (good: boolean, what: string): void => {
  if (!good) wrong.push(what);
};
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const made = (name: string): string => {
  mkdirSync(join(folder, name), { recursive: true });
  return join(folder, name);
};

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}
/** A home of its own and nothing of npm's settings for this project: what happens here is what happens elsewhere. */
async function runs(file: string, args: readonly string[], cwd: string): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|XDG_)/i.test(name));
  const env = { ...Object.fromEntries(inherited), HOME: made("home"), NO_COLOR: "1", npm_config_cache: made("npm") };
  try {
    return { status: 0, ...(await promisify(execFile)(file, [...args], { cwd, env, maxBuffer: 1 << 26 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== "number") throw error;
    return { status: code, stdout, stderr };
  }
}
async function succeeds(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await runs(file, args, cwd);
  if (status !== 0) throw new Error(`${file} ${args[0]} ended with ${status}:\n${stderr}${stdout}`);
  return stdout;
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

const plain = ["LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "SECURITY.md"];
const engine = "dist/measure/policy-engine/policy-engine.wasm";
const needed = [...plain, "package.json", "bin/run.js", "oclif.manifest.json", "docs/third-party-licenses.txt", engine];
/** Only what package.json names, by what it is: nothing that tests, makes fixtures or builds. */
const allowed =
  /^(bin\/run\.js|dist\/[\w/.-]+\.js(\.map)?|dist\/measure\/policy-engine\/policy-engine\.wasm|docs\/[\w/.-]+\.(md|json|txt)|package\.json|oclif\.manifest\.json)$/;

function lookThrough({ files, size }: Packed): void {
  const paths = new Set(files.map((f) => f.path));
  for (const path of needed) expect(paths.has(path), `${path} is missing from the tarball`);
  for (const path of paths)
    expect(plain.includes(path) || allowed.test(path), `${path} does not belong in the tarball`);
  for (const path of [...paths].filter((p) => /^dist\/.*\.js$/.test(p)))
    expect(paths.has(`${path}.map`) || /runtime|wsl-utils/.test(path) || onlyLoads(path), `${path} has no source map`);
  const commands = globSync("src/commands/**/*.ts", { cwd: root });
  for (const path of commands)
    expect(paths.has(path.replace("src", "dist").replace(/ts$/, "js")), `${path} is not in the tarball`);
  expect(size <= mostPackedBytes, `the tarball has ${size} bytes, more than ${mostPackedBytes}`);
}

/** A chunk that loads others and has no code of its own: there is nothing to map. */
const onlyLoads = (path: string): boolean =>
  /^(import "[\w./-]+";\s*)*export \{\s*\};?\s*$/.test(readFileSync(join(root, path), "utf8"));

/** Each package whose code the source maps say is bundled has its licence in the notices. */
function lookForLicences(installed: string): void {
  const notices = readFileSync(join(installed, "docs/third-party-licenses.txt"), "utf8");
  const bundled = new Set<string>();
  for (const path of globSync("dist/**/*.js.map", { cwd: installed })) {
    const { sources } = JSON.parse(readFileSync(join(installed, path), "utf8")) as { sources: string[] };
    for (const source of sources) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1];
      if (name !== undefined) bundled.add(name);
    }
  }
  say(`bundled: ${bundled.size} packages`);
  expect(bundled.size > 0, "the source maps name no bundled package");
  for (const name of bundled)
    expect(new RegExp(`(^|\\s)${name}[ @]`, "m").test(notices), `${name} is bundled and has no licence in the notices`);
}

/** What the demo does with a bundle: captured live from a made-up deployment, replayed without a network. */
async function replay(pm: string): Promise<void> {
  const deployment = makeDeployment("shared", { now: new Date() });
  const file = writeDeployment(deployment, made("deployment"));
  const [cwd, bundle] = [made("elsewhere"), join(folder, "captured.tar")];
  const trust = ["--insecure-trust-root", file("ark.pem")];
  const server = await startServer(deployment);
  try {
    const service = ["--coordinator", server.url, "--kds-url", server.kdsUrl];
    await succeeds(process.execPath, [pm, "capture", "contrast", ...service, ...trust, "--save", bundle], cwd);
  } finally {
    await server.close();
  }
  const pins = ["--manifest", file("manifest.json"), "--measurement", deployment.measurement];
  const args = [pm, "verify", bundle, "--profile", "contrast", ...trust, ...pins, "--offline"];
  const { status, stdout, stderr } = await runs(process.execPath, args, cwd);
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  say(`replay: exit ${status}, ${last}`);
  expect(status === 0, `the replay ended with ${status}: ${stderr}`);
  expect(last.startsWith("TEST ROOT verified (live) as recorded at "), `the replay's last line is "${last}"`);
}

try {
  await succeeds(process.execPath, [join(root, "scripts/build.ts")], root);
  const packed = await succeeds("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root);
  const [tarball] = JSON.parse(packed) as Packed[];
  if (tarball === undefined) throw new Error("npm pack made nothing");
  say(`tarball: ${tarball.files.length} files, ${tarball.size} bytes packed, ${tarball.unpackedSize} unpacked`);
  lookThrough(tarball);

  const prefix = made("prefix");
  const quiet = ["--offline", "--no-audit", "--no-fund"];
  await succeeds("npm", ["install", "-g", "--prefix", prefix, ...quiet, join(folder, tarball.filename)], folder);
  const modules = join(prefix, "lib/node_modules");
  const packages = globSync(["*/package.json", "@*/*/package.json", "**/node_modules/*/package.json"], {
    cwd: modules,
  });
  say(`installed: ${packages.length} package, ${prefixBytes(modules)} bytes`);
  expect(packages.length === 1, `${packages.length} packages were installed: ${packages.join(", ")}`);
  expect(existsSync(join(prefix, "bin/pm")), "no pm in the prefix's bin folder");

  const pm = join(prefix, "bin/pm");
  const version = (await succeeds(process.execPath, [pm, "--version"], folder)).trim();
  const { version: own } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  say(`pm --version: ${version}`);
  expect(version.startsWith(`pm-audit/${own} `), `--version says "${version}"`);
  lookForLicences(join(modules, "pm-audit"));
  await replay(pm);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const line of wrong) say(`WRONG: ${line}`);
say(wrong.length === 0 ? "pack: the installed package works" : `pack: ${wrong.length} things are wrong`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function prefixBytes(path: string): number {
  const files = globSync("**/*", { cwd: path }).map((name) => statSync(join(path, name)));
  return files.reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0);
}
