/** The program around the judgement: planted code, promises that nobody waits for, a TLS switch in the environment. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { spawnNode } from "../exit/spawn.ts";
import { startWorld } from "./world.ts";

const world = await startWorld();
const project = fileURLToPath(new URL("../..", import.meta.url));
// Takes connections and says nothing.
const silent = createServer(() => undefined);
await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
silent.unref();
const address = silent.address();
const silentUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
const scratch = mkdtempSync(join(tmpdir(), "pm-process-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("a plugin planted in the user's folders", () => {
  const planted = `
    import { writeFileSync } from "node:fs";
    writeFileSync(new URL("./ran", import.meta.url), "");
    export default async function hook() {
      process.stdout.write("verified (live)\\n");
      process.exitCode = 0;
      process.exit(0);
    }
  `;
  const plant = (folder: string): void => {
    const plugin = join(folder, "node_modules", "planted");
    mkdirSync(plugin, { recursive: true });
    const own = { name: "planted", version: "1.0.0", type: "module", main: "hook.js" };
    const hooks = {
      init: "./hook.js",
      prerun: "./hook.js",
      postrun: "./hook.js",
      finally: "./hook.js",
      command_not_found: "./hook.js",
    };
    writeFileSync(join(plugin, "package.json"), JSON.stringify({ ...own, oclif: { hooks } }));
    writeFileSync(join(plugin, "hook.js"), planted);
    const user = { name: "user", private: true, dependencies: { planted: "1.0.0" } };
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({
        ...user,
        oclif: { schema: 1, plugins: [{ name: "planted", type: "user" }, "planted"], devPlugins: ["planted"], hooks },
      }),
    );
  };
  test("runs none of its code, and changes no verdict", async () => {
    const homes = join(scratch, "planted");
    const at = (...parts: string[]): string => join(homes, ...parts);
    const places = [
      at(".local/share/pm"),
      at(".config/pm"),
      at("data/pm"),
      at("config/pm"),
      at("cache/pm"),
      at("pm-data"),
      at("cwd"),
      homes,
    ];
    for (const place of places) {
      mkdirSync(place, { recursive: true });
      plant(place);
    }
    for (const rc of [".pmrc", ".oclifrc", ".oclifrc.json", "pm.config.js"])
      writeFileSync(at("cwd", rc), '{"plugins":["planted"]}');
    const env = {
      HOME: homes,
      XDG_DATA_HOME: at("data"),
      XDG_CONFIG_HOME: at("config"),
      XDG_CACHE_HOME: at("cache"),
      PM_DATA_DIR: at("pm-data"),
      PM_CONFIG_DIR: at("pm-data"),
      PM_CACHE_DIR: at("pm-data"),
    };
    const bin = join(project, "bin", "run.js");
    const { live } = world;
    for (const args of [live, ["nothing-of-this"]]) {
      const ran = await spawnNode([bin, ...args], { env, cwd: at("cwd") });
      expect([ran.status, ran.stdout.includes("verified (live)\n")]).toEqual([args === live ? 3 : 2, false]);
    }
    expect(places.filter((p) => existsSync(join(p, "node_modules", "planted", "ran")))).toEqual([]);
  });
});

describe("a program that ends before it has decided", () => {
  /** A copy of bin/run.js over a main of ours. */
  const withMain = (name: string, source: string): string => {
    const folder = join(scratch, name);
    mkdirSync(join(folder, "bin"), { recursive: true });
    mkdirSync(join(folder, "dist"), { recursive: true });
    cpSync(join(project, "bin", "run.js"), join(folder, "bin", "run.js"));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "dist", "main.js"), source);
    return join(folder, "bin", "run.js");
  };
  test.each([
    ["a promise that never settles is awaited", "export const main = () => new Promise(() => {});"],
    ["a promise is not awaited, and main returns", "export async function main() { void new Promise(() => {}); }"],
    ["main throws", 'export async function main() { throw new TypeError("oops"); }'],
    ["main is not there", "export const other = 1;"],
    ["the module does not parse", "export const = 1;"],
    [
      "a promise rejects that nobody holds",
      'export async function main() { void Promise.reject(new Error("x")); await new Promise(() => {}); }',
    ],
  ])("%s: not 0", async (what, source) => {
    const ran = await spawnNode([withMain(what.replaceAll(/\W/g, "-"), source)]);
    expect(ran.status).not.toBe(0);
    if (!what.includes("rejects")) expect(ran.status).toBe(70);
  });

  /** The real program with one built-in changed by a preload. */
  const preload = (name: string, source: string): string[] => {
    const path = join(scratch, `${name}.mjs`);
    writeFileSync(path, source);
    return ["--import", pathToFileURL(path).href, join(project, "bin", "run.js")];
  };
  test.each([
    [
      "a source whose promise never settles",
      'import http from "node:http"; http.request = () => ({ on() {}, end() {}, destroy() {}, once() {} }); const t = globalThis.setTimeout; globalThis.setTimeout = (f, ms, ...a) => { const x = t(f, ms, ...a); x.unref(); return x; };',
    ],
    [
      "an error thrown in a timer",
      'setTimeout(() => { throw new TypeError("late"); }, 150); setTimeout(() => {}, 100_000);',
    ],
    [
      "a rejection that nobody holds",
      'setTimeout(() => { void Promise.reject(new Error("late")); }, 150); setTimeout(() => {}, 100_000);',
    ],
  ])("%s: 70", async (what, source) => {
    const slow = ["verify", "contrast", "--coordinator", silentUrl, ...world.root, ...world.pins];
    const ran = await spawnNode([...preload(what.replaceAll(/\W/g, "-"), source), ...slow]);
    expect([ran.status, ran.stdout.includes("verified")]).toEqual([70, false]);
  });
});
