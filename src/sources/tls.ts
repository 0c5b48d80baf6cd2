/** The certificate of a TLS peer: one handshake, not a byte of application data, then the socket is closed. */
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { Response } from "../run.ts";

export interface TlsPeer {
  readonly host: string;
  readonly port: number;
}
export interface TlsLimits {
  /** Opens no socket. */
  readonly offline: boolean;
  /** From the look-up of the name to the end of the handshake; default 20 s. */
  readonly timeoutMs?: number;
  readonly now?: () => Date;
}

const defaultMs = 20_000;

/**
 * DER of the leaf that the peer shows in a TLS 1.3 handshake that it completes: it then holds the leaf's key, in this one
 * connection. What the certificate is worth is the verifier's question. Never rejects; the socket is gone when it resolves.
 */
export function peerCertificate(peer: TlsPeer, limits: TlsLimits): Promise<Response> {
  const label = `${isIP(peer.host) === 6 ? `[${peer.host}]` : peer.host}:${peer.port}`;
  const unavailable = (reason: string): Response => ({ status: "unavailable", reason: `${label} ${reason}` });
  if (limits.offline) return Promise.resolve({ status: "unavailable", reason: `offline: ${label} was not asked` });
  const timeoutMs = Math.min(limits.timeoutMs ?? defaultMs, defaultMs);
  return new Promise((resolve) => {
    const socket = connect({
      ...peer,
      ...(isIP(peer.host) === 0 ? { servername: peer.host } : {}),
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
      // Mesh certificates chain to no public root. OpenSSL would judge by roots that are not the auditor's; pm judges the
      // certificate itself, and nothing is sent or read on this connection. The proof of possession is checked all the same.
      rejectUnauthorized: false,
      // Node would throw on names that it cannot read; they are the verifier's to judge.
      checkServerIdentity: () => undefined,
    });
    const finish = (response: Response): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(response);
    };
    const timer = setTimeout(
      () => finish(unavailable(`ended no TLS handshake within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    socket.on("error", (error) => finish(unavailable(`ended no TLS 1.3 handshake (${codeOf(error)})`)));
    socket.on("close", () => finish(unavailable("closed the connection within the TLS handshake")));
    socket.once("secureConnect", () => finish(shown(socket, unavailable, limits.now ?? (() => new Date()))));
  });
}

function shown(socket: TLSSocket, unavailable: (reason: string) => Response, now: () => Date): Response {
  const certificate = socket.getPeerX509Certificate();
  if (socket.getProtocol() !== "TLSv1.3" || certificate === undefined)
    return unavailable("showed no certificate in a TLS 1.3 handshake");
  return { status: "ok", bytes: new Uint8Array(certificate.raw), at: now().toISOString() };
}

/** Only the error's code is shown: its message may hold addresses. */
const codeOf = (error: Error): string =>
  "code" in error && typeof error.code === "string" ? error.code : "connection closed";
