/** Names that Privatemode's builder derives from a model's source (privatemode-public v1.40.0, verity/normalize-model-name.sh). */

/**
 * In the script's order: scheme, host, `.git`, then every byte that is no ASCII letter or digit becomes a hyphen, runs of
 * them one, and all is lower case. Two sources can have one name (a.b and a-b), so no name identifies a model: its
 * commit and its disk's root hash do.
 */
export function normalizedName(source: string): string {
  const schemeless = source.includes("//") ? source.slice(source.indexOf("//") + 2) : source;
  const path = schemeless.includes("/") ? schemeless.slice(schemeless.indexOf("/") + 1) : schemeless;
  return path
    .replace(/\.git$/, "")
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .toLowerCase();
}
