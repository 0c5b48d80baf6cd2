/** `--accept-tcb`: TCB states that an auditor accepts beside UpToDate, each narrowed by date and advisories if wanted. */
import type { AcceptedTcb } from "../dcap/tcb-answers.ts";
import { acceptable } from "../dcap/tcb-status.ts";
import { usage } from "../errors.ts";

const form = /^([A-Za-z]+)(?:@(\d{4}-\d\d-\d\d))?(?::([A-Za-z0-9+-]*))?$/;
const hint = `states: ${acceptable.join(", ")}; narrowed such as OutOfDate@2024-03-13:INTEL-SA-00837+INTEL-SA-00960`;

/**
 * States separated by commas. `@DATE`: tcbDate of the platform level, and of each other level that is not UpToDate, must be
 * that day or later. `:IDS`: no other advisory than
 * these, joined by +; with nothing behind the colon none at all.
 * @throws PmError PM_USAGE for anything else; Revoked and what Intel does not support cannot be accepted
 */
export const parseAcceptTcb = (text: string | undefined): AcceptedTcb[] => (text?.split(",") ?? []).map(oneState);

function oneState(text: string): AcceptedTcb {
  const [, word, date, ids] = form.exec(text.trim()) ?? [];
  const status = acceptable.find((s) => s.toLowerCase() === word?.toLowerCase());
  if (status === undefined) throw usage(`--accept-tcb: ${JSON.stringify(text)} is no state that can be accepted`, hint);
  const since = date === undefined ? undefined : new Date(`${date}T00:00:00Z`);
  if (since !== undefined && !since.toJSON()?.startsWith(date ?? ""))
    throw usage(`--accept-tcb: ${date} is no date`, hint);
  return {
    status,
    ...(since === undefined ? {} : { since }),
    ...(ids === undefined ? {} : { advisories: ids.split("+").filter((id) => id !== "") }),
    source: { value: text.trim(), origin: { kind: "flag", name: "--accept-tcb" } },
  };
}
