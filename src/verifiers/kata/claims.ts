/** The questions about one policy body. */
import { catalogue } from "../../claims/question.ts";

const initdataSpec = "Kata Containers, initdata specification 0.1.0";

export const kata = catalogue("kata", {
  "kata.initdata.format": {
    asks: "Is the policy body one initdata document that every reader takes the same way?",
    spec: `${initdataSpec}; Contrast v1.20 documentation, policies`,
    stops: "A body that pm and the guest would read differently, so that what was audited is not what is enforced.",
    todo: "Ask the operator for the document as it was deployed, and decode it with `pm policy hash FILE`.",
    owed: "always",
    codes: {
      "initdata-malformed":
        "The body is neither an initdata document of version 0.1.0 nor the older form, the bare text of an agent policy.",
    },
  },
  "kata.initdata.digest": {
    asks: "Is the digest of the policy body the key under which the manifest lists it?",
    spec: "Contrast v1.20 documentation, manifest, Policies; Kata Containers, initdata digest",
    stops:
      "A harmless body shown in place of the one that the hardware reported: only the digest ties the two together.",
    todo: "Do not use the body. Ask the operator for the document whose digest is the manifest's key.",
    owed: "always",
    codes: {
      "policy-digest":
        "The digest of the body, by the algorithm that it names itself, is not the 32-byte key in the manifest.",
    },
    waivable: false,
  },
  "kata.initdata.keys": {
    asks: "Does the document hold a policy, and nothing besides it that the guest is not known to read?",
    spec: `${initdataSpec}, data; Contrast v1.20 documentation, generate`,
    stops: "A further entry that changes what the guest does without changing the policy that was audited.",
    todo: "Find out which component of the guest reads the key, and what the entry makes it do.",
    owed: "always",
    codes: {
      "initdata-unknown-key": "The document has a data key that pm does not know.",
      "initdata-policy-missing":
        "The document has no policy.rego, so the guest falls back on whatever its image holds.",
    },
  },
  "kata.initdata.debug": {
    asks: "Is the debug shell off?",
    spec: "Contrast v1.20 documentation, debug shell of generate",
    stops: "A shell in the guest for whoever runs the host: nothing that the policy says holds then.",
    todo: "Demand a deployment that was generated without the debug shell.",
    owed: "always",
    codes: { "initdata-debug": "The document has the key contrast.insecure-debug, which opens a shell in the guest." },
    waivable: false,
  },
  "kata.policy.images": {
    asks: "Does policy_data name the image of each container by digest?",
    spec: "Kata Containers, genpolicy, policy_data; Contrast v1.20 documentation, policies",
    stops: "An image that is exchanged behind its tag: the policy hash stays the same and another program runs.",
    todo: "Have the deployment generated again with a digest in each image reference.",
    owed: "advisory",
    codes: {
      "image-without-digest": "A container's image is named by no SHA-256 digest, or not at all.",
      "image-references-differ": "One container names images with different digests.",
      "images-unlisted": "The policy lists no images, so none is pinned by it.",
      "policy-data-unreadable": "policy_data is not written as genpolicy writes it, so no image could be read off it.",
    },
  },
  "kata.policy.form": {
    asks: "Is the policy carried in an initdata document rather than as bare Rego text?",
    spec: initdataSpec,
    stops: "A deployment of an older release passing unnoticed: its agent took the policy by another path.",
    todo: "Check that the Contrast version which the profile names really used the older form.",
    owed: "advisory",
    codes: { "policy-form-old": "The body is the bare text of an agent policy, the form before initdata." },
  },
});
