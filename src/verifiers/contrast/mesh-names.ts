/**
 * Subject alternative names as Contrast writes them: each string of a manifest entry becomes an IP address, a URI or a DNS
 * name; the pod's own address comes last. Compared as strings: a wildcard stands for nothing but itself.
 */
import { malformed } from "../../errors.ts";
import { sameList } from "./folding.ts";

/** In the certificate's order, kind by kind. */
export interface Names {
  readonly dns: readonly string[];
  /** IPv4 in dotted form, IPv6 in its shortest lower-case form. */
  readonly ip: readonly string[];
  readonly uri: readonly string[];
}

/** The one text of an IPv6 address that WHATWG's URL parser gives; undefined for what is none. */
function ipv6(text: string): string | undefined {
  if (!/^[0-9A-Fa-f:.]+$/.test(text) || !URL.canParse(`http://[${text}]/`)) return undefined;
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

/**
 * Text of an iPAddress of 4 or 16 octets.
 * @throws PmError PM_EVIDENCE_MALFORMED for another length
 */
export function ipText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0)).toString(16),
  );
  const text = octets.length === 16 ? ipv6(groups.join(":")) : undefined;
  if (text === undefined) throw malformed(`iPAddress: ${octets.length} octets, needs 4 or 16`);
  return text;
}

/** Decimal without leading zeros: "010" is 8 to some readers and refused by Go. */
const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

/** The strings of a manifest entry by the kind of name that Contrast makes of each. */
export function sortedNames(sans: readonly string[]): Names {
  const [dns, ip, uri]: [string[], string[], string[]] = [[], [], []];
  for (const san of sans) {
    const address = ipv4.test(san) ? san : san.includes(":") ? ipv6(san) : undefined;
    if (address !== undefined) ip.push(address);
    else if (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(san)) uri.push(san);
    else dns.push(san);
  }
  return { dns, ip, uri };
}

/** `DNS:a, DNS:*, IP:10.0.0.1`, or `none`. */
export function namesText({ dns, ip, uri }: Names): string {
  const all = [...dns.map((n) => `DNS:${n}`), ...ip.map((n) => `IP:${n}`), ...uri.map((n) => `URI:${n}`)];
  return all.join(", ") || "none";
}

/** Whether `found` are the names of an entry, with at most one IP address more, behind the entry's own. */
export const areNamesOf = (found: Names, entry: Names): boolean =>
  sameList(found.dns, entry.dns) &&
  sameList(found.uri, entry.uri) &&
  found.ip.length <= entry.ip.length + 1 &&
  sameList(found.ip.slice(0, entry.ip.length), entry.ip);
