/**
 * pm beside the npm package @phala/dcap-qvl on every set and case of the recorded Intel evidence, each at its own time. Both
 * are asked for what the row accepts: UpToDate, and what its policy adds. Answers differ when one accepts and the other does
 * not, or when both name a status and not the same one; then the rule that pm follows is cited. The package is not told
 * which TEE is wanted, and reasons are not compared. Ends with 1 when pm does not answer as the evidence says, or a difference has no rule.
 */
import { verify } from "@phala/dcap-qvl";
import type { Answer } from "../src/claims/answer.ts";
import type { Question } from "../src/claims/question.ts";
import { recogniseQuote } from "../src/dcap/carrier.ts";
import { intelRoot } from "../src/dcap/root.ts";
import { noReferences, sgxAuthentic, verifySgx } from "../src/verifiers/sgx/index.ts";
import { evidenceDir } from "../test/evidence.ts";
import {
  acceptedBy,
  allRows,
  judgeRow,
  lookIn,
  materialOf,
  openAnswers,
  type Row,
} from "../test/verifiers/tdx/rows.ts";

/** By pm's reason code; a differing status has the rule of levels. Documents first, then the spec notes. */
const rules: Readonly<Record<string, string>> = {
  QUOTE_MALFORMED:
    "Intel DCAP quote format 4 and 5: the outer certification data has type 6 and ends with the signature data; tdx.md 1.3",
  PCK_CRL_EXPIRED: "RFC 5280 5.1.2.5, 6.3.3: a list counts until its nextUpdate; tdx.md 3, step 3",
  PCK_CRL_INVALID:
    "RFC 5280 6.3.3 (b), (g): the list is of the CA that issued the certificate and signed with its key; tdx.md 3, step 3",
  ROOT_CRL_INVALID: "RFC 5280 6.3.3 (b), (g), for the list of the root; tdx.md 3, step 3",
};
const levelRule =
  "Intel's quote verification library, TcbLevelCheck.cpp: with a TDX module of major version above 0 the components 0 and 1 of TEE_TCB_SVN are judged by the module's identity; tdx.md 4.2";

interface Word {
  readonly accepted: boolean;
  readonly status: string | undefined;
  /** Reason codes, or the message of the package; empty when accepted. */
  readonly why: readonly string[];
}

function openSgx(row: Row): { readonly answers: Readonly<Record<string, Answer>>; readonly open: readonly Answer[] } {
  const { quote, collateral } = materialOf(row);
  const trust = { root: intelRoot(), collateral: "required", accepted: acceptedBy(row) } as const;
  const { answers } = verifySgx(recogniseQuote(quote), lookIn(collateral), [noReferences], trust, new Date(row.at));
  const all: Readonly<Record<string, Answer>> = answers;
  const questions: Readonly<Record<string, Question>> = sgxAuthentic;
  const owed = Object.keys(questions).filter((id) => questions[id]?.owed === "always");
  return { answers: all, open: owed.flatMap((id) => (all[id]?.status === "pass" ? [] : (all[id] ?? []))) };
}

function ours(row: Row): Word {
  const sgx = row.tee === "sgx" ? openSgx(row) : undefined;
  const tdx = row.tee === "tdx" ? judgeRow(row) : undefined;
  const open = sgx?.open ?? (tdx === undefined ? [] : openAnswers(tdx).map(({ answer }) => answer));
  const status = sgx?.answers["sgx.tcb.status"] ?? tdx?.answers["tdx.tcb.status"];
  return {
    accepted: open.length === 0,
    status: status?.actual?.value,
    why: open.flatMap(({ code }) => code ?? []),
  };
}

/** It returns a status other than UpToDate to its caller, who decides. */
function theirs(row: Row): Word {
  const { quote, collateral } = materialOf(row);
  try {
    const seconds = Math.floor(Date.parse(row.at) / 1000);
    const { status } = verify(Buffer.from(quote), collateral as never, seconds);
    const accepted = ["UpToDate", ...(row.policy?.acceptTcb ?? [])].includes(status);
    return { accepted, status, why: accepted ? [] : [status] };
  } catch (error) {
    return { accepted: false, status: undefined, why: [error instanceof Error ? error.message : String(error)] };
  }
}

const asExpected = ({ accepted, status, why }: Word, row: Row): boolean =>
  accepted === (row.expect === "accept") &&
  (accepted || [row.reason, ...(row.alsoAccept ?? [])].some((code) => why.includes(code))) &&
  (row.tcb === undefined || row.tcb === status);

/** A status that one of them does not come to is no difference. */
const agree = (a: Word, b: Word): boolean =>
  a.accepted === b.accepted && (a.status === undefined || b.status === undefined || a.status === b.status);

/** Of the codes the expected one, if it is among them. */
const shown = ({ accepted, status, why }: Word, wanted: string): string =>
  accepted ? `accept ${status ?? ""}` : `reject ${why.includes(wanted) ? wanted : (why[0] ?? "")}`;

function compare(row: Row): { readonly line: string; readonly right: boolean; readonly rule: string | undefined } {
  const [pm, other] = [ours(row), theirs(row)];
  const right = asExpected(pm, row);
  const same = agree(pm, other);
  const code = pm.why.find((c) => c === row.reason);
  const rule = code === undefined ? (pm.status !== other.status ? levelRule : undefined) : rules[code];
  const expected = row.expect === "accept" ? `accept ${row.tcb ?? ""}` : `reject ${row.reason}`;
  const cells = [row.id, expected, `${shown(pm, row.reason)}${right ? "" : " (NOT AS EXPECTED)"}`];
  const word = same ? "agree" : `differ: ${rule ?? "NO RULE"}`;
  const line = `| ${[...cells, shown(other, "").slice(0, 90), word].join(" | ")} |\n`;
  return { line, right, rule: same ? "" : rule };
}

if (evidenceDir === undefined)
  process.stderr.write("notice: no evidence folder (set PM_EVIDENCE): nothing to compare\n");
else {
  const rows = allRows();
  process.stdout.write("| case | expected | pm | @phala/dcap-qvl 0.3.9 | answers |\n|---|---|---|---|---|\n");
  const compared = rows.map(compare);
  for (const { line } of compared) process.stdout.write(line);
  const count = (of: (one: (typeof compared)[number]) => boolean): number => compared.filter(of).length;
  const [right, differ, unexplained] = [
    count((c) => c.right),
    count((c) => c.rule !== ""),
    count((c) => c.rule === undefined),
  ];
  process.stdout.write(
    `${rows.length} cases: pm as expected in ${right}; the answers differ in ${differ}, without a rule ${unexplained}\n`,
  );
  if (right < rows.length || unexplained > 0) process.exitCode = 1;
}
