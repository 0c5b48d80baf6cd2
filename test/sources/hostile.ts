/** A server that does everything wrong, one path each; only on loopback. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

export interface Hostile {
  readonly url: string;
  /** Requests so far, by path. */
  readonly asked: ReadonlyMap<string, number>;
  /** Sockets that are still open. */
  readonly open: () => number;
  readonly close: () => Promise<void>;
}

const mebibyte = Buffer.alloc(1_048_576);
/** 256 MiB of zeros: about 255 KiB as gzip. */
const gzipBomb = gzipSync(Buffer.alloc(256 * 1_048_576), { level: 6 });
const brotliBomb = brotliCompressSync(Buffer.alloc(64 * 1_048_576), {
  params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const json = { "content-type": "application/json" };

function handlers(elsewhere: () => string): Readonly<Record<string, Handler>> {
  return {
    "/ok": (_, r) => void r.writeHead(200, json).end('{"version":"v1.20.0"}'),
    "/echo": (q, r) => {
      const chunks: Buffer[] = [];
      q.on("data", (chunk: Buffer) => chunks.push(chunk));
      q.on("end", () => {
        const said = { method: q.method, headers: q.headers, body: Buffer.concat(chunks).toString() };
        r.writeHead(200, json).end(JSON.stringify(said));
      });
    },
    "/never": () => undefined,
    "/headers-only": (_, r) => void r.writeHead(200, json).flushHeaders(),
    "/drip": (_, r) => {
      r.writeHead(200, { ...json, "content-length": "100000" });
      const timer = setInterval(() => r.write("x"), 20);
      r.on("close", () => clearInterval(timer));
    },
    "/drip-error": (_, r) => {
      r.writeHead(403, { ...json, "content-length": "100000" });
      const timer = setInterval(() => r.write("x"), 20);
      r.on("close", () => clearInterval(timer));
    },
    "/gibibyte": (_, r) => flood(r.writeHead(200, json), 1024),
    "/gibibyte-announced": (_, r) => flood(r.writeHead(200, { ...json, "content-length": "1073741824" }), 1024),
    "/gibibyte-error": (_, r) => flood(r.writeHead(400, json), 1024),
    "/gzip-bomb": (_, r) => void r.writeHead(200, { ...json, "content-encoding": "gzip" }).end(gzipBomb),
    "/brotli-bomb": (_, r) => void r.writeHead(200, { ...json, "content-encoding": "br" }).end(brotliBomb),
    "/gzip": (_, r) => void r.writeHead(200, { ...json, "content-encoding": "gzip" }).end(gzipSync("plain")),
    "/gzip-broken": (_, r) => void r.writeHead(200, { ...json, "content-encoding": "gzip" }).end("not gzip"),
    "/gzip-twice": (_, r) => void r.writeHead(200, { ...json, "content-encoding": "gzip, gzip" }).end("x"),
    "/html": (_, r) => void r.writeHead(200, { "content-type": "text/html" }).end("<html>sign in</html>"),
    "/empty": (_, r) => void r.writeHead(200, json).end(),
    "/wrong-type": (_, r) => void r.writeHead(200, { "content-type": "image/png" }).end("{}"),
    "/no-content": (_, r) => void r.writeHead(204).end(),
    "/closed-before": (q) => void q.socket.destroy(),
    "/closed-mid-body": (q, r) => {
      r.writeHead(200, { ...json, "content-length": "1000" }).write("half");
      setTimeout(() => q.socket.destroy(), 50);
    },
    "/closed-mid-chunk": (q, r) => {
      r.writeHead(200, json).write("half");
      setTimeout(() => q.socket.destroy(), 50);
    },
    "/not-http": (q) => void q.socket.end("SSH-2.0-OpenSSH_9.6\r\n"),
    "/long-header": (q) => void q.socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(200_000)}\r\n\r\n`),
    "/redirect-elsewhere": (_, r) => void r.writeHead(302, { location: `${elsewhere()}/ok` }).end(),
    "/redirect-scheme": (_, r) => void r.writeHead(302, { location: "ftp://127.0.0.1/ok" }).end(),
    "/redirect-here": (_, r) => void r.writeHead(307, { location: "/ok" }).end(),
    "/redirect-echo": (_, r) => void r.writeHead(307, { location: "/echo" }).end(),
    "/redirect-get": (_, r) => void r.writeHead(303, { location: "/ok" }).end(),
    "/redirect-loop": (_, r) => void r.writeHead(307, { location: "/redirect-loop" }).end(),
    "/429": (_, r) => void r.writeHead(429, json).end('{"error":"slow down"}'),
    "/500": (_, r) => void r.writeHead(500, json).end('{"version":"v1.20.0","error":"internal"}'),
    "/503-html": (_, r) => void r.writeHead(503, { "content-type": "text/html" }).end("<html>"),
    "/401": (_, r) => void r.writeHead(401, json).end('{"error":"no"}'),
    "/404": (_, r) => void r.writeHead(404).end("nothing here"),
    "/412": (_, r) => void r.writeHead(412, json).end('{"version":"v1.20.0","error":"no manifest set"}'),
    "/escape": (_, r) =>
      void r.writeHead(400, json).end(JSON.stringify({ error: `\u001b[2J\u202e${"x".repeat(900)}` })),
    "/echo-key": (q, r) => void r.writeHead(200, json).end(JSON.stringify({ got: q.headers.authorization })),
    "/echo-key-base64": (q, r) =>
      void r
        .writeHead(200, json)
        .end(JSON.stringify({ doc: Buffer.from(`..${q.headers.authorization}`).toString("base64") })),
    "/echo-key-error": (q, r) => void r.writeHead(400, json).end(JSON.stringify({ error: q.headers.authorization })),
    "/echo-key-type": (q, r) => void r.writeHead(200, { "content-type": q.headers.authorization ?? "" }).end("{}"),
  };
}

/** Writes mebibytes as long as somebody reads. */
function flood(response: ServerResponse, count: number): void {
  let left = count;
  const more = (): void => {
    while (left-- > 0 && !response.destroyed) if (!response.write(mebibyte)) return;
    if (left < 0) response.end();
  };
  response.on("drain", more);
  more();
}

/** @param elsewhere base URL of a second server, for redirects to another host */
export async function startHostile(elsewhere: () => string = () => "http://127.0.0.2:9"): Promise<Hostile> {
  const asked = new Map<string, number>();
  const sockets = new Set<Socket>();
  const table = handlers(elsewhere);
  const server = createServer((request, response) => {
    // `/never/as/attest` is `/never` under the path that a client appends to its base URL.
    const path = ((request.url ?? "").split("?")[0] ?? "").replace(/\/as\/.*$/, "");
    asked.set(path, (asked.get(path) ?? 0) + 1);
    response.on("error", () => undefined);
    const handler = table[path] ?? table["/404"];
    handler?.(request, response);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    open: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
