/** Who says a value and where it stands, in words. */
import type { Origin, Sourced } from "../claims/answer.ts";

function who(o: Origin): string {
  switch (o.kind) {
    case "vendor-root":
      return `vendor root: ${o.name}`;
    case "audited-party":
      return `the audited party's own word: ${o.name}`;
    case "rebuilder":
      return `rebuilt by ${o.name}`;
    case "recomputed":
      return `recomputed here: ${o.name}`;
    case "flag":
      return `given by flag: ${o.name}`;
    case "profile":
      return `profile: ${o.name}`;
    case "evidence":
      return `evidence: ${o.name}`;
    case "pinned": {
      const first = o.firstUse === undefined ? "" : `, taken over on first use ${o.firstUse}`;
      return `pinned by the auditor: ${o.file}, SHA-256 ${o.sha256}${first}`;
    }
    case "measured":
      return `measured by ${o.tool} at ${o.at}`;
    case "spec":
      return `specification: ${o.document}, ${o.section}`;
    default:
      return o satisfies never;
  }
}

/** `evidence: report, at 0x90..0xbf` */
export const originText = (s: Sourced): string => (s.at === undefined ? who(s.origin) : `${who(s.origin)}, at ${s.at}`);
