/** SGX extensions of a PCK certificate as `pm inspect` shows them. */
import type { Certificate } from "../crypto/certificate.ts";
import { pckFacts as extensionFacts } from "../dcap/facts.ts";
import { decodePck, sgxExtensionsOid } from "../dcap/pck.ts";
import type { Json } from "../report/report.ts";
import { orProblem } from "./problem.ts";

/** Nothing for a certificate without the extension; a broken one says why and hides nothing else. */
export const pckFacts = (certificate: Certificate): { readonly sgxExtensions?: Json } =>
  certificate.extensions.some((e) => e.oid === sgxExtensionsOid)
    ? { sgxExtensions: orProblem(() => extensionFacts(decodePck(certificate))) }
    : {};
