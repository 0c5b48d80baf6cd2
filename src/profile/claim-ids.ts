/** Claim ids that a profile names must be ones that are asked: a misspelt demand would otherwise be no demand. */
import { entries, questionOf } from "../catalogues.ts";
import { usage } from "../errors.ts";
import { nearest } from "../explain.ts";
import type { ProfileFile } from "./schema.ts";

/**
 * @param name of the profile, for messages
 * @throws PmError PM_USAGE for an id of no catalogue, and for a promoted one that is no finding
 */
export function claimIdsKnown({ promote = [], waivers = [] }: ProfileFile, name: string): void {
  for (const [i, id] of promote.entries()) {
    const question = known(id, `${name}: promote.${i}`);
    if (question.owed === "advisory") continue;
    const why = question.owed === "always" ? "it is owed in any case" : "it is owed once its reference value is given";
    throw usage(`${name}: promote.${i}: ${id} is no finding`, `${why}; leave it out`);
  }
  for (const [i, { claim }] of waivers.entries()) known(claim, `${name}: waivers.${i}.claim`);
}

function known(id: string, where: string) {
  const question = questionOf(id);
  if (question !== undefined) return question;
  const near = nearest(
    id.toLowerCase().slice(0, 80),
    entries.map((e) => e.id),
  );
  throw usage(
    `${where}: no claim has the id ${JSON.stringify(id.slice(0, 80))}`,
    near.length === 0 ? "pm explain --list prints every claim" : `did you mean ${near.join(", ")}?`,
  );
}
