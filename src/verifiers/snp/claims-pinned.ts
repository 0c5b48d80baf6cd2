/** Questions that compare the report with values that somebody gave: the launch, its owner, its purpose, its machine. */
import { catalogue } from "../../claims/question.ts";

export const launchQuestions = catalogue("snp", {
  "snp.report.measurement": {
    asks: "Is the launch measurement the expected one?",
    spec: "56860 7.3, MEASUREMENT",
    stops: "Another firmware, kernel, initrd or command line than the audited one.",
    todo: "Compute the expected measurement again from the image; if it stays different, something else runs there.",
    owed: "pinned",
    codes: { measurement: "MEASUREMENT is not the expected one." },
  },
  "snp.id_block.present": {
    asks: "Was the guest launched with an ID block?",
    spec: "56860 7.3, ID_KEY_DIGEST, AUTHOR_KEY_DIGEST and FLAGS.AUTHOR_KEY_EN",
    stops: "A launch that the owner's signed ID block would have refused.",
    todo: "Have the guest launched with its ID block.",
    owed: "pinned",
    codes: { "id-block": "ID_KEY_DIGEST is zero, or the author key is said to be there and its digest is zero." },
  },
  "snp.report.id_key_digest": {
    asks: "Is the ID key the expected one?",
    spec: "56860 7.3, ID_KEY_DIGEST",
    stops: "A launch with another owner's ID block, or under another policy where the key is recovered from the block.",
    todo: "Compare the ID block of the deployment with the expected one.",
    owed: "pinned",
    codes: { "id-key-digest": "ID_KEY_DIGEST is not the expected one, or zero." },
  },
  "snp.report.author_key_digest": {
    asks: "Is the author key the expected one, and stated to be valid?",
    spec: "56860 7.3, AUTHOR_KEY_DIGEST and FLAGS.AUTHOR_KEY_EN",
    stops: "An ID key that another author vouches for.",
    todo: "Compare the ID authentication page of the deployment with the expected one.",
    owed: "pinned",
    codes: { "author-key-digest": "AUTHOR_KEY_DIGEST is not the expected one, or not valid." },
  },
  "snp.report.family_id": {
    asks: "Is the family id the expected one?",
    spec: "56860 7.3, FAMILY_ID",
    stops: "A guest of another family of the same owner.",
    todo: "Compare the ID block of the deployment with the expected one.",
    owed: "pinned",
    codes: { "family-id": "FAMILY_ID is not the expected one." },
  },
  "snp.report.image_id": {
    asks: "Is the image id the expected one?",
    spec: "56860 7.3, IMAGE_ID",
    stops: "Another image of the same owner.",
    todo: "Compare the ID block of the deployment with the expected one.",
    owed: "pinned",
    codes: { "image-id": "IMAGE_ID is not the expected one." },
  },
});

export const ownerQuestions = catalogue("snp", {
  "snp.report.host_data": {
    asks: "Is the host data one of the expected values?",
    spec: "56860 7.3, HOST_DATA",
    stops: "A guest started with other configuration, such as another policy.",
    todo: "Compare the configuration whose digest the host data holds.",
    owed: "pinned",
    codes: { "host-data": "HOST_DATA is not an expected one." },
  },
  "snp.report.report_data": {
    asks: "Is the report data the expected one, all 64 bytes?",
    spec: "56860 7.3, REPORT_DATA",
    stops: "A report made for somebody else, for another nonce or over another state.",
    todo: "Compute the expected value again from what it should bind; if it stays different, the report is not for you.",
    owed: "pinned",
    codes: { "report-data": "REPORT_DATA is not the expected one." },
    waivable: false,
  },
  "snp.chip.allowed": {
    asks: "Is the chip one of those that are allowed?",
    spec: "56860 7.3, CHIP_ID",
    stops: "A genuine processor in the hands of somebody who can attack it physically.",
    todo: "Ask the operator which machine this is; a masked chip id is on no list.",
    owed: "pinned",
    codes: { "chip-id-mismatch": "CHIP_ID is not on the list of allowed chips." },
  },
  "snp.vek.csp_id": {
    asks: "Does the report key belong to the expected cloud provider?",
    spec: "57230 chapter 3, CSP_ID",
    stops: "A machine of another provider, where the key is loaded by the provider and names no chip.",
    todo: "Find out with which provider the guest should run.",
    owed: "pinned",
    codes: { "csp-id": "CSP_ID in the certificate is not the expected one." },
  },
});
