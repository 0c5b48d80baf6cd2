/**
 * Writes reproducible/policy-engine/THIRD_PARTY.txt: the licences of the crates, and of the parts of Rust's standard library, that are
 * compiled into the policy engine. Needs cargo, the crates' sources and the pinned toolchain's documents; run it when
 * Cargo.lock or the toolchain changes. `npm run docs` takes its text into docs/third-party-licenses.txt.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const crate = fileURLToPath(new URL("../reproducible/policy-engine", import.meta.url));
const target = "wasm32-unknown-unknown";
const runs = (file: string, ...args: string[]): string =>
  execFileSync(file, args, { cwd: crate, encoding: "utf8", maxBuffer: 1 << 26 });

interface Part {
  readonly name: string;
  readonly license: string;
  readonly text: string;
}

/** Names and versions in the tree that is compiled; where each lies is known by cargo's metadata. */
function crates(): Part[] {
  const format = ["--edges", "normal,no-proc-macro", "--target", target, "--prefix", "none", "--format", "{p}"];
  const tree = runs("cargo", "tree", "--locked", ...format).split("\n");
  const compiled = new Set(tree.map((line) => line.replace(/ \(\*\)$/, "").trim()));
  const { packages } = JSON.parse(runs("cargo", "metadata", "--locked", "--format-version", "1")) as {
    readonly packages: readonly { name: string; version: string; license: string; manifest_path: string }[];
  };
  return packages
    .filter((p) => compiled.has(`${p.name} v${p.version}`))
    .map((p) => ({ name: `${p.name}@${p.version}`, license: p.license, text: textIn(dirname(p.manifest_path)) }));
}

function textIn(folder: string): string {
  const files = readdirSync(folder).filter((f) => /^(licen[cs]e|copying|copyright|notice|unlicense)/i.test(f));
  if (files.length === 0) throw new Error(`${folder}: no licence file`);
  return files
    .sort()
    .map((f) => tidy(readFileSync(join(folder, f), "utf8")))
    .join("\n");
}

/** Of the standard library as it is built for WebAssembly: itself, and what it is made of. */
function standardLibrary(): Part[] {
  const documents = join(runs("rustc", "--print", "sysroot").trim(), "share/doc/rust");
  const licence = (name: string): string => tidy(readFileSync(join(documents, `licenses/${name}.txt`), "utf8"));
  const version = runs("rustc", "--version").trim();
  const itself: Part = {
    name: `The Rust Standard Library of ${version}, The Rust Project Developers, and data of Unicode, Inc`,
    license: "(MIT OR Apache-2.0) AND Unicode-3.0",
    text: ["MIT", "Apache-2.0", "Unicode-3.0"].map(licence).join("\n"),
  };
  const page = readFileSync(join(documents, "COPYRIGHT-library.html"), "utf8");
  const within = [
    ...page.matchAll(
      /<h3>\P{L}*((?:cfg-if|dlmalloc|foldhash|hashbrown|rustc-demangle)-[\d.]+)<\/h3>([\s\S]*?)(?=<h3>|$)/gu,
    ),
  ];
  if (within.length !== 5) throw new Error(`COPYRIGHT-library.html: 5 crates expected, ${within.length} found`);
  return [itself, ...within.map(([, name = "", part = ""]) => partOf(name, part))];
}

function partOf(name: string, html: string): Part {
  const text = [...html.matchAll(/<pre>([\s\S]*?)<\/pre>/g)].map((m) => tidy(unescaped(m[1] ?? ""))).join("\n");
  const license = /License:<\/b>\s*([^<]+)/.exec(html)?.[1]?.trim();
  if (text === "" || license === undefined) throw new Error(`${name}: no licence on the page`);
  return { name: `${name} (in the Rust Standard Library)`, license, text };
}
const unescaped = (html: string): string =>
  html
    .replaceAll(/&#(\d+);/g, (_, n: string) => String.fromCodePoint(Number(n)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
const tidy = (text: string): string =>
  `${text
    .replaceAll("\r\n", "\n")
    .replaceAll(/[ \t]+$/gm, "")
    .trim()}\n`;

const parts = [...crates(), ...standardLibrary()];
const groups = [...Map.groupBy(parts, (p) => p.text)].map(
  ([text, same]) => `${same.map((p) => `${p.name} (${p.license})\n`).join("")}\n${text}`,
);
writeFileSync(
  join(crate, "THIRD_PARTY.txt"),
  `Compiled into policy-engine.wasm, made by scripts/engine-licenses.ts\n\n${groups.join(`\n${"-".repeat(80)}\n\n`)}`,
);
process.stdout.write(`${parts.length} parts, ${groups.length} texts\n`);
