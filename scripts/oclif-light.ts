/**
 * Keeps out of the bundle what of oclif pm does not use and each start would pay for. Every measure is refused by the
 * build when oclif has changed so that it no longer applies. Ratios to `node -e 0`: bench/startup.ts.
 */
import type { Plugin } from "rolldown";

/** The index also loads semver, `execute` and more; src uses three of its names. */
const index = "\0oclif";
const indexCode = `
export { Command } from "@oclif/core/command";
export * as Args from "@oclif/core/args";
export * as Flags from "@oclif/core/flags";
`;

/** Asked at each start, for a word in the user agent and for the shell on Windows; it loads child processes to answer. */
const wsl = "\0wsl-utils";
const wslCode = `
export const isWsl = false;
export const powerShellPath = async () => "powershell.exe";
`;

/** Asked, outside production, for a tsconfig.json beside the commands; it would put the compiler's front into the bundle. */
const typescript = "\0typescript";
const typescriptCode = "export {};";

interface Edit {
  /** Module of oclif, below lib. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
const lazily = (file: string, name: string, module: string, member: string): Edit => ({
  file,
  from: `const ${name} = require("${module}");`,
  to: `const ${name} = { get ${member}() { return require("${module}").${member}; } };`,
});
const edits: readonly Edit[] = [
  // Sorting by locale loads ICU's collation, 0.25 x `node -e 0`, and sorts otherwise on another machine.
  {
    file: "config/plugin.js",
    from: ".sort((a, b) => a.id.localeCompare(b.id))",
    to: ".sort((a, b) => (a.id < b.id ? -1 : 1))",
  },
  // Used on Windows, and to read an argument from stdin by itself, which pm has none of.
  lazily("util/os.js", "node_child_process_1", "node:child_process", "execSync"),
  lazily("parser/parse.js", "node_readline_1", "node:readline", "createInterface"),
];

const virtual = new Map([
  [index, indexCode],
  [wsl, wslCode],
  [typescript, typescriptCode],
]);
const replaced = new Map([
  ["wsl-utils", wsl],
  ["typescript", typescript],
]);

export function oclifLight(): Plugin {
  const applied = new Set<string>();
  return {
    name: "oclif-light",
    resolveId(source, importer) {
      if (source === "@oclif/core" && importer !== undefined && !importer.includes("node_modules")) return index;
      return replaced.get(source) ?? null;
    },
    load(id) {
      const code = virtual.get(id);
      if (code !== undefined) applied.add(id);
      return code ?? null;
    },
    transform(code, id) {
      const own = edits.filter(({ file, from }) => id.endsWith(`/@oclif/core/lib/${file}`) && code.includes(from));
      if (own.length === 0) return null;
      for (const { from } of own) applied.add(from);
      // Lines stay where they are, so the map stays right.
      return { code: own.reduce((text, { from, to }) => text.replace(from, to), code), map: null };
    },
    buildEnd(error) {
      const stale = [...virtual.keys(), ...edits.map((e) => e.from)].filter((one) => !applied.has(one));
      if (error === undefined && stale.length > 0)
        throw new Error(
          `oclif has changed: no longer applies: ${stale.map((one) => one.replace("\0", "")).join(", ")}`,
        );
    },
  };
}
