/**
 * Writes what is made from the source: docs/claims.md from the catalogues, docs/report.schema.json and
 * docs/profile.schema.json from their schemas, docs/third-party-licenses.txt from the installed packages. `--check` writes nothing and exits 1 when a file in
 * the tree is not the one that this source makes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toJsonSchema } from "@valibot/to-json-schema";
import { entries, registered } from "../src/catalogues.ts";
import { profileSchema } from "../src/profile/schema.ts";
import { reportSchema } from "../src/report/schema.ts";
import { claimsDocument } from "./claims-document.ts";
import { thirdPartyLicenses } from "./licenses.ts";

const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "urn:pm-audit:report:1",
  ...toJsonSchema(reportSchema, { target: "draft-2020-12", errorMode: "throw" }),
};
/** Hex digits may be written in either case: the schema describes what is written, not what it becomes. */
const profile = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "urn:pm-audit:profile:1",
  ...toJsonSchema(profileSchema, { target: "draft-2020-12", typeMode: "input", errorMode: "ignore" }),
};
const root = fileURLToPath(new URL("..", import.meta.url));
const made: Readonly<Record<string, string>> = {
  "docs/claims.md": claimsDocument(registered, entries),
  "docs/third-party-licenses.txt": thirdPartyLicenses(root),
  "docs/profile.schema.json": `${JSON.stringify(profile, null, 2)}\n`,
  "docs/report.schema.json": `${JSON.stringify(schema, null, 2)}\n`,
};

const stale = Object.entries(made).filter(([path, text]) => read(`${root}${path}`) !== text);
if (process.argv.includes("--check")) {
  for (const [path] of stale) process.stderr.write(`${path} is stale: run npm run docs and commit it\n`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else for (const [path, text] of stale) writeFileSync(`${root}${path}`, text);

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // not made yet: stale by definition
  }
}
