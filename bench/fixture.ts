/** What the benchmarks run on, out of the seeded generator: nothing recorded, nothing fetched, the same for everybody. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certChainPem, makeAmdCrl } from "../fixtures/generator/amd.ts";
import { type Deployment, makeDeployment } from "../fixtures/generator/deployment.ts";
import { type Guest, makeGuest } from "../fixtures/generator/guest.ts";
import type { Workload } from "../fixtures/generator/policies.ts";
import { prng } from "../fixtures/generator/prng.ts";

const seed = "shared";

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pm-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface GuestFiles {
  readonly guest: Guest;
  /** PEM: ASK and ARK. */
  readonly chain: Uint8Array;
  readonly crl: Uint8Array;
  /** Arguments of the whole `pm snp verify`, everything given as files. */
  readonly args: readonly string[];
}

/** A Genoa guest with its certificates and revocation list, as values and as files in `folder`. */
export function guestFiles(folder: string): GuestFiles {
  const guest = makeGuest(seed, "Genoa", new Date());
  const chain = new Uint8Array(Buffer.from(certChainPem(guest.authority)));
  const crl = makeAmdCrl(guest.authority);
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const { fields, authority, vek, report } = guest;
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  const args = [
    ...["snp", "verify", file("report.bin", report), "--offline"],
    ...["--insecure-trust-root", file("ark.der", authority.ark.certificate)],
    ...["--vek", file("vek.der", vek.certificate), "--chain", file("chain.pem", chain), "--crl", file("crl.der", crl)],
    ...["--measurement", hex(fields.measurement), "--report-data", hex(fields.reportData)],
  ];
  return { guest, chain, crl, args };
}

/** Ten workloads, the Coordinator apart; each policy body some 60 KiB long, as generated ones are. */
export function tenWorkloads(): Deployment {
  const random = prng("bench");
  const digest = (label: string): string => Buffer.from(random.bytes(label, 32)).toString("hex");
  const workload = (n: number): Workload => ({
    name: `service-${n}`,
    kind: "Deployment",
    sans: [`service-${n}`, "*"],
    containers: Array.from({ length: 11 }, (_, i) => ({
      name: `container-${i}`,
      image: `registry.example/bench/service-${n}-${i}:v1.0.0@sha256:${digest(`image ${n} ${i}`)}`,
      args: ["/bin/serve", `--index=${i}`, `--peer=service-${n + 1}`],
    })),
  });
  // The generator adds two of its own.
  return makeDeployment(seed, { now: new Date(), moreWorkloads: Array.from({ length: 8 }, (_, n) => workload(n)) });
}
