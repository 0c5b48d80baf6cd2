/** The models of a service, for people: a headline each, and what of it the claims bear out. */
import type { View } from "./human-claims.ts";
import type { ModelRow, Proof } from "./report.ts";
import { safe, wrap } from "./text.ts";

/** One block a model: the root and the commit stand whole. */
export const modelRows = (rows: readonly ModelRow[] | undefined, v: View): string[][] =>
  (rows ?? []).map((row) => [
    ...wrap(`${row.model}: root ${row.root ?? "not read"}`, v.width, "  model "),
    ...part("argument", `in policy of workload ${row.workload}`, row.argument, v),
    ...part("disk", "arguments, device, claim and the server's path name one disk", row.mount, v),
    ...part(
      "list",
      `root in the operator's list${row.source === null ? "" : `, as ${row.source}`}, and known to the auditor`,
      row.known,
      v,
    ),
    ...part("image", "root hash recomputed from the auditor's image", row.rebuilt, v, "not rebuilt"),
    ...part(
      "files",
      row.commitFrom === "list of files" ? `files = repository commit ${safe(row.commit ?? "")}` : commitText(row),
      row.files,
      v,
    ),
    ...part("commit", "the operator's list names the same commit and excluded files", row.commitAgrees, v),
  ]);

/** Without a list of files nobody compared anything: the commit is what the operator says. */
const commitText = ({ commit }: ModelRow): string =>
  commit === null ? "files of a repository's commit" : `files of commit ${commit}, which the operator's list names`;

/** The word first: a sentence is read as a statement until its end. */
function part(name: string, says: string, proof: Proof, v: View, unasked = "not asked"): string[] {
  const word = proof === "not asked" ? unasked : proof;
  return wrap(`${word}: ${says}`, v.width, `    ${name.padEnd(9)} `);
}
