/** Reads a profile file: YAML with positions; warnings are errors, keys unique, aliases bounded. */
import { dirname, resolve } from "node:path";
import { isAlias, LineCounter, parseDocument, visit } from "yaml";
import { usage } from "../errors.ts";
import { type Input, readInput } from "../input.ts";
import type { HeldRecipe, LoadedFile } from "./profile.ts";
import { type ProfileFile, parseProfileFile } from "./schema.ts";

const maxProfileBytes = 1024 * 1024;

/**
 * @param path a file, or "-" for stdin (relative paths in it are then relative to the working directory)
 * @throws PmError PM_USAGE with line and column
 */
export async function loadProfile(path: string): Promise<LoadedFile> {
  const input = await readInput(path, "a profile", maxProfileBytes);
  const file = decodeProfile(input);
  if (file.promote !== undefined || file.waivers !== undefined) {
    const { claimIdsKnown } = await import("./claim-ids.ts");
    claimIdsKnown(file, input.name);
  }
  const folder = path === "-" ? "." : dirname(path);
  return {
    name: input.name,
    sha256: input.sha256,
    file,
    ...(file.manifest?.file === undefined ? {} : { manifest: await heldManifest(file.manifest.file, folder) }),
    ...(file.manifest?.reference === "recomputed" ? { recipe: await heldRecipe(file.manifest, folder) } : {}),
    ...(file.deployment === undefined
      ? {}
      : {
          deployment: await (await import("./deployment.ts")).loadDeployment(file.deployment, folder, input.name),
        }),
    ...(file.disks === undefined
      ? {}
      : { disks: await (await import("./disks.ts")).loadDisks(file.disks, folder, input.name) }),
  };
}

/** The CLI itself is read when it is run, so that what is hashed is what runs. */
async function heldRecipe(said: NonNullable<ProfileFile["manifest"]>, folder: string): Promise<HeldRecipe> {
  const held = async (path: string | undefined, what: string) =>
    path === undefined ? undefined : readInput(resolve(folder, path), what, maxProfileBytes);
  return {
    cliSha256: said.cliSha256,
    cli: said.cli === undefined ? undefined : resolve(folder, said.cli),
    referenceValues: said.referenceValues,
    edits: await held(said.edits, "a file with the values of edits"),
    seedshareKey: await held(said.seedshareOwnerKey, "a public key"),
  };
}

async function heldManifest(file: string, folder: string): Promise<NonNullable<LoadedFile["manifest"]>> {
  const { sha256 } = await readInput(resolve(folder, file), "a Contrast manifest");
  return { file, sha256 };
}

/** The text of a profile to its typed form; see {@link loadProfile} for errors. */
export function decodeProfile({ name, bytes }: Pick<Input, "name" | "bytes">): ProfileFile {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw usage(`${name}: not UTF-8`, "a profile is a YAML text file");
  }
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true, version: "1.2" });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw usage(`${at(problem.pos[0])}: ${problem.message.split("\n")[0]}`);
  visit(document, (_key, node) => {
    if (isAlias(node)) throw usage(`${name}: aliases are not used in profiles`);
  });
  const parsed = parseProfileFile(document.toJS({ maxAliasCount: 0 }));
  if ("file" in parsed) return parsed.file;
  throw usage(
    `${positionOf(parsed.path)}: ${parsed.path.join(".") || "profile"}: ${parsed.message}`,
    "docs/profile.schema.json has the whole form",
  );

  /** The deepest node that exists on the way to the member at fault. */
  function positionOf(path: readonly (string | number)[]): string {
    for (let n = path.length; n >= 0; n--) {
      const node: unknown = n === 0 ? document.contents : document.getIn(path.slice(0, n), true);
      if (typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range))
        return at(Number(node.range[0]));
    }
    return name;
  }
}
