/** GET /capabilities of Contrast after v1.20: which attestation forms a Coordinator offers. */
import { readJson } from "../../bytes/json.ts";
import { PmError } from "../../errors.ts";

/** Two stored versions of the server spell it differently. */
const names = ["apiVersions", "api_versions"];
/** The forms that pm speaks, oldest first. */
const spoken = ["v1"];

/** The newest form in common, or "none"; otherwise why the body says nothing. */
export function decodeCapabilities(bytes: Uint8Array): { readonly newest: string } | { readonly reason: string } {
  try {
    const { root } = readJson(bytes, { what: "capabilities", maxBytes: 64 * 1024, maxNodes: 1000 });
    const lists = root.kind === "object" ? root.members.filter((m) => names.includes(m.name)) : [];
    const [only, ...more] = lists;
    if (only === undefined || more.length > 0 || only.value.kind !== "array")
      return { reason: "capabilities: needs one list apiVersions" };
    const offered = only.value.items.map((item) => (item.kind === "string" ? item.value : undefined));
    if (offered.includes(undefined)) return { reason: "capabilities: an API version that is no text" };
    return { newest: spoken.findLast((version) => offered.includes(version)) ?? "none" };
  } catch (error) {
    if (!(error instanceof PmError)) throw error;
    return { reason: error.message };
  }
}
