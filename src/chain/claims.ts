/** The arrows of the chain that no single verifier can answer: who vouches for the guest image, when was this captured. */
import { catalogue } from "../claims/question.ts";

/** Owed by runs that take revocation lists from anybody but the auditor. */
export const collateral = catalogue("chain", {
  "chain.collateral.not_rolled_back": {
    asks: "Is every revocation list, and every TCB document of Intel's, that a vendor's service offered at least as new as the newest that this installation has seen?",
    spec: "RFC 5280 5.2.3 (CRL number), 5.1.2.4 (thisUpdate)",
    stops:
      "Whoever stands between the auditor and the vendor can offer an older list, on which a key is not yet revoked.",
    todo: "Fetch the list over another network. If the vendor really went back, remove the high-water mark from the cache folder and say why.",
    owed: "pinned",
    codes: { "crl-rollback": "The service offered a list or document that is older than one seen before." },
    waivable: false,
  },
});

/** Owed by `pm verify`, beside what the verifiers ask. */
export const reference = catalogue("chain", {
  "chain.reference.measurement_known": {
    asks: "Does somebody apart from the manifest vouch for the launch measurement of the Coordinator's guest image?",
    spec: "docs/threat-model.md, guest image",
    stops:
      "HOST_DATA is set by the host: a policy binds only inside a guest image that enforces it. A manifest that names another image passes every comparison with itself.",
    todo: "Give the measurement with --measurement HEX or in the profile: rebuild the guest image, or take it from a release that you hold by its digest.",
    owed: "always",
    codes: {
      "measurement-unreferenced":
        "The launch measurement is not one that somebody apart from the manifest vouches for.",
    },
  },
  "chain.reference.tcb_floor": {
    asks: "Is the REPORTED_TCB at least the floor that the profile sets, component by component?",
    spec: "profile, minimumTcb",
    stops: "A manifest with a low minimum admits platforms with known weaknesses.",
    todo: "Ask the operator to update the platform's firmware, or lower the floor in the profile and say why.",
    owed: "pinned",
    codes: { "tcb-below-profile": "A component of the TCB is below the profile's floor." },
  },
  "chain.reference.product": {
    asks: "Is the processor of a product line that the profile accepts?",
    spec: "profile, products",
    stops: "A product line whose keys are known to have leaked can sign any report.",
    todo: "Ask the operator for another product line, or accept this one in the profile and say why.",
    owed: "pinned",
    codes: { "product-not-accepted": "The profile does not accept this product line." },
  },
  "chain.capture.time": {
    asks: "Was the evidence captured inside the validity of every certificate and list that it rests on, and not in the future?",
    spec: "RFC 5280 4.1.2.5, 5.1.2.5",
    stops: "A bundle put together from an old report, old collateral and an invented time.",
    todo: "Capture anew. The captured time of a bundle is the capturer's word; only a signed bundle or a beacon says more.",
    owed: "always",
    codes: { "capture-time": "The captured time lies outside a validity window, or in the future." },
    waivable: false,
  },
  "chain.nonce.beacon": {
    asks: "Is the nonce made from the public value that was given as beacon?",
    spec: "docs/bundle.md, nonce",
    stops: "An old report presented as younger than the public value.",
    todo: "Capture anew with --beacon, or judge without it.",
    owed: "pinned",
    codes: { "beacon-mismatch": "The nonce is not made from this beacon." },
    waivable: false,
  },
});

/** What the subject "chain" of `pm verify` owes. */
export const chain = { ...reference, ...collateral };
