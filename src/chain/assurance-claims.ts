import { catalogue } from "../claims/question.ts";

/** Owed by the subject "images" of a run that knows the policies. */
export const assurance = catalogue("chain", {
  "chain.assurance.images": {
    asks: "Is as much known of each image that can read a prompt as the profile demands?",
    spec: "docs/threat-model.md, images; profile, assurance",
    stops: "A digest that nobody ever looked at, for a program that sees every prompt.",
    todo: "Rebuild or review the image and add its digest to assurance.pinned, or lower the minimum in the profile and say why.",
    owed: "pinned",
    codes: {
      "assurance-below-profile": "Of an image less is known than the profile demands.",
      "assurance-not-built": "The profile demands that images are rebuilt, which this version does not do.",
    },
  },
});
