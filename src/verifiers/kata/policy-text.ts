/** Where the rules of a policy end and its data begins: what hashes the one and what reads the other must never part. */
import { createHash } from "node:crypto";

const marker = "policy_data := ";

export interface TextParts {
  readonly rules: string;
  /** Lower-case hex. */
  readonly rulesSha256: string;
  /** The text after `policy_data := `; undefined when there is no such line. */
  readonly json: string | undefined;
}

/** The rules end before the last line that begins with the marker: genpolicy writes the data behind everything else. */
export function textParts(text: string): TextParts {
  const at = text.startsWith(marker) ? 0 : text.lastIndexOf(`\n${marker}`) + 1;
  const found = text.startsWith(marker, at);
  const rules = found ? text.slice(0, at) : text;
  return {
    rules,
    rulesSha256: createHash("sha256").update(rules).digest("hex"),
    json: found ? text.slice(at + marker.length) : undefined,
  };
}
