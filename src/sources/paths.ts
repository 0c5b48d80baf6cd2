/** Where pm keeps collateral and memory between runs, and which URLs it may ask. */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { usage } from "../errors.ts";

export const defaultKdsUrl = "https://kdsintf.amd.com";
export const defaultPcsUrl = "https://api.trustedservices.intel.com";
/** The CRL distribution point of Intel's SGX root CA. */
export const defaultRootCrlUrl = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

/** What the collateral belongs to. Anything but AMD's own service under AMD's own root has a cache and a memory apart. */
export interface CollateralScope {
  readonly kdsUrl?: string;
  /** Bytes of the `--insecure-trust-root` file. */
  readonly testRoot?: Uint8Array;
}

/** `$XDG_CACHE_HOME/pm`, or `~/.cache/pm`; a relative XDG_CACHE_HOME is ignored, as the XDG specification demands. */
export function cacheHome(env: NodeJS.ProcessEnv = process.env, home: string = homedir()): string {
  const xdg = env["XDG_CACHE_HOME"];
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, ".cache"), "pm");
}

/**
 * Folder of cached vendor certificates, CRLs and high-water marks.
 * A test root's CRLs carry AMD's names: in one folder they would displace the genuine ones and raise their marks.
 */
export function collateralDir(scope: CollateralScope = {}, home: string = cacheHome()): string {
  const base = join(home, "collateral");
  const url = httpUrl(scope.kdsUrl ?? defaultKdsUrl, "KDS URL").href;
  if (scope.testRoot === undefined && url === httpUrl(defaultKdsUrl, "KDS URL").href) return base;
  const id = createHash("sha256")
    .update(`${url}\n`)
    .update(scope.testRoot ?? "")
    .digest("hex");
  return join(base, "other", id.slice(0, 32));
}

/**
 * A base URL without credentials, query or fragment.
 * @throws PmError PM_USAGE; the message never repeats the URL, which may hold a password
 */
export function httpUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw usage(`${what}: not an http or https URL`);
  if (url.username !== "" || url.password !== "") throw usage(`${what}: a URL with a user name or password is refused`);
  if (url.search !== "" || url.hash !== "") throw usage(`${what}: a base URL has no query and no fragment`);
  return url;
}

/** As `httpUrl`, and plain http only to this machine. @throws PmError PM_USAGE */
export function secureUrl(text: string, what: string): URL {
  const url = httpUrl(text, what);
  if (url.protocol !== "https:" && !isLoopback(url.hostname))
    throw usage(`${what}: must be https (plain http only to a loopback address)`);
  return url;
}

export const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);

/** A request path appended to a base URL; the path of the base stays in front (a reverse proxy may have one). */
export const under = (base: URL, path: string): URL =>
  new URL(`${base.origin}${base.pathname.replace(/\/+$/, "")}${path}`);
