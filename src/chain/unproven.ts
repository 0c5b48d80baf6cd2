import type { SeenCrl } from "../crypto/crl.ts";

/** Replaced where the run made one (exchange.ts). */
export const noExchange =
  "Endpoint: no key exchange of a client was made, so nothing binds the endpoint that clients use to this Coordinator.";

/** Replaced where a deployment file was given (content.ts). */
export const noContent =
  "Policies: what a policy allows was not compared with a deployment, and a policy forces no container to start.";

/** Replaced where the profile holds model disks (disks.ts). */
export const noDisks = "Model disks: no root hash was recomputed in this run.";

/** What stays unproven whatever passes; printed with every verdict on a live service (docs/threat-model.md). */
export const unproven: readonly string[] = [
  "Workers: their evidence is seen by the Coordinator alone, once, at their start, under that day's collateral.",
  "GPUs: they are attested once for each start of a pod, inside the guest; no GPU evidence was asked for here.",
  noContent,
  "Images: that a pinned digest is built from the published source was not rebuilt in this run.",
  noDisks,
  noExchange,
  "History: an earlier manifest of the history, its policies included, was in force before the one that was judged.",
  "Seed shares: whoever holds the private keys of the seed share owners can recover the Coordinator's secrets.",
  "Machines: to whom the chip ids belong and where the machines stand is the operator's word.",
  "Hardware: physical attacks, and processor keys that were extracted, are outside what evidence can show.",
  "Source: that the source code does what it should was reviewed by nobody in this run.",
];

/** Where the vendor's service gave no list and the one that came with the evidence had to do. */
export function unprovenRevocation(crls: readonly SeenCrl[]): string[] {
  return crls.length > 0 && crls.every((crl) => !crl.offered && !crl.given)
    ? [
        "Revocation: the vendor's service gave no list. The one that was used came with the evidence, so the audited party chose how old it is.",
      ]
    : [];
}
