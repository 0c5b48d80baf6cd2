/** Launch measurements of TDs: what other parts of pm may use. */
export { authenticodeSha384 } from "./authenticode.ts";
export { cfvDigest, mrtd, type PageOrder } from "./mrtd.ts";
export {
  bootOptionEvents,
  commandLineEvents,
  type EventDigest,
  kernelEvents,
  rtmrOf,
  secureBootEvents,
  separator,
} from "./rtmr.ts";
export { decodeTdvf, maxImageBytes, type Tdvf, type TdvfSection } from "./tdvf.ts";
