/** The TDX module against Intel's TCB info (tdx.md 4.1): signer and attributes of tdxModule or of the listed identity. */
import { hex } from "../../bytes/hex.ts";
import { type Answer, type Answers, cannot, holds } from "../../claims/answer.ts";
import { gateOf, intelWord, type JudgedTcbInfo } from "../../dcap/collateral.ts";
import type { TdReport } from "../../dcap/report-body.ts";
import type { IntelRoot } from "../../dcap/root.ts";
import { chooseModule, moduleMajor, moduleMinor } from "../../dcap/tcb-level.ts";
import type { moduleQuestions } from "./claims-td.ts";
import { field } from "./stated.ts";

type ModuleAnswer = Answers<typeof moduleQuestions>["tdx.module.identity"];
const masked = (value: Uint8Array, mask: Uint8Array): Uint8Array => value.map((b, i) => b & (mask[i] ?? 0));

/**
 * The chosen identity's own values, never those of tdxModule as a fallback. Bits of SEAMATTRIBUTES outside the mask must be
 * zero: Intel's own modules have none, and its library compares without the mask.
 * @param platform the answer to tcb_info.platform
 */
export function moduleAnswer(td: TdReport, tcbInfo: JudgedTcbInfo, platform: Answer, root: IntelRoot): ModuleAnswer {
  const closed = gateOf("tdx", { ...tcbInfo.answers, "tcb_info.platform": platform }, [
    "tcb_info.format",
    "tcb_info.chain",
    "tcb_info.signature",
    "tcb_info.platform",
  ]);
  if (closed !== undefined) return closed;
  if (tcbInfo.document === undefined) return cannot("the TCB info was not read: a bug in pm");
  const choice = chooseModule(tcbInfo.document, td.teeTcbSvn);
  const version = `module ${moduleMajor(td.teeTcbSvn)}.${moduleMinor(td.teeTcbSvn)}`;
  const text = `${version}: MRSIGNERSEAM ${hex(td.mrSignerSeam)}, SEAMATTRIBUTES ${hex(td.seamAttributes)}`;
  const actual = field(text, "TEE_TCB_SVN, MRSIGNERSEAM, SEAMATTRIBUTES", 0, 120);
  if ("missing" in choice) {
    const expected = intelWord(`an identity ${choice.name}`, "TCB info", root, "tdxModuleIdentities");
    const listed = tcbInfo.document.modules?.map((m) => m.id ?? "?").join(", ") || "none";
    const code = choice.missing === "list" ? "TCB_INFO_MISMATCH" : "TDX_MODULE_MISMATCH";
    return holds(false, expected, actual, code, `the TCB info lists: ${listed}`);
  }
  const { mrSigner, attributes, attributesMask } = choice.identity;
  const outside = td.seamAttributes.some((b, i) => (b & ~(attributesMask[i] ?? 0) & 0xff) !== 0);
  return holds(
    hex(td.mrSignerSeam) === hex(mrSigner) &&
      hex(masked(td.seamAttributes, attributesMask)) === hex(attributes) &&
      !outside,
    intelWord(
      `${choice.name}: MRSIGNERSEAM ${hex(mrSigner)}, SEAMATTRIBUTES ${hex(attributes)}, mask ${hex(attributesMask)}, zero outside it`,
      "TCB info",
      root,
      choice.name,
    ),
    actual,
    "TDX_MODULE_MISMATCH",
  );
}
