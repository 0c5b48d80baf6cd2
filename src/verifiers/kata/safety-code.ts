/** What commands show of logging and of code: switches, code that comes with a model, files that are run by hash. */
import { type Answers, cannot, equal, graded } from "../../claims/answer.ts";
import { type Problem, ruled } from "./safety-answer.ts";
import type { safety } from "./safety-claims.ts";
import { diskOf, mountersOf } from "./safety-disks.ts";
import { digest, elsewhereIn } from "./safety-scripts.ts";
import type { Recognised, SafetyCase } from "./safety-types.ts";
import { envOf, hiddenIn, switchedOn, takesValue, textsIn, tokensOf, unknownIn } from "./safety-words.ts";
import { listText } from "./workload-types.ts";

type A = Answers<typeof safety>;

/** All containers of a pod that reads prompts, but for those that are known to see none. */
const readers = (c: SafetyCase): Recognised[] =>
  c.serving
    ? c.containers.filter((x) => !(x.byImage && (x.role === "attestation-agent" || x.role === "disk-mounter")))
    : [];

export function promptLogs(c: SafetyCase): A["kata.safety.prompt_logs"] {
  const { flags, env, files } = c.rules.promptLogs;
  const read = readers(c);
  const problems = read.flatMap((x): Problem<"prompt-logs-on" | "prompt-logs-unreadable">[] => {
    const { container } = x;
    const tokens = tokensOf(x);
    const on = switchedOn(tokens, flags, env);
    const all = envOf(x);
    const set = all.filter(
      (e) => e.value?.unknown.length === 0 && env.some((s) => s.name === e.name && takesValue(s, e.value?.text)),
    );
    const hidden = [
      ...hiddenIn(x),
      ...all.filter((e) => e.value?.unknown.length !== 0 && env.some((s) => s.name === e.name)).map((e) => e.name),
      ...(container.envFrom ? ["envFrom"] : []),
      ...tokens.filter((t) => files.includes(t.split("=", 1)[0] ?? "")),
    ];
    return [
      ...[...on, ...set.map((e) => `${e.name}=${e.value?.text}`)].map((text) => ({
        code: "prompt-logs-on" as const,
        text: `${container.name}: ${text}`,
      })),
      ...hidden.map((text) => ({
        code: "prompt-logs-unreadable" as const,
        text: `${container.name}: ${text}`,
        open: true as const,
      })),
    ];
  });
  const bad = new Map(problems.map((p) => [p.text.split(":", 1)[0], p.text]));
  return ruled(c, {
    rule: `none of ${[...flags, ...env].map((s) => `${s.name}${s.values === undefined ? "" : ` ${s.values.join("|")}`}`).join(", ")}`,
    found: read.map(({ container }) => bad.get(container.name) ?? `${container.name}: none`),
    none: "no GPU, server or inference proxy in this workload",
    problems,
    code: "prompt-logs-on",
  });
}

/** Containers that run code of the model's, with the argument. */
export const remoteCodeOf = (c: SafetyCase): { readonly container: string; readonly argument: string }[] =>
  c.containers.flatMap((x) =>
    switchedOn(
      tokensOf(x),
      c.rules.remoteCode.map((name) => ({ name })),
      [],
    ).map((argument) => ({
      container: x.container.name,
      argument,
    })),
  );

export function remoteCode(c: SafetyCase): A["kata.safety.remote_code"] {
  const found = remoteCodeOf(c).map(({ container, argument }) => `${container}: ${argument}`);
  const unknown = c.containers.flatMap(hiddenIn);
  if (found.length === 0 && unknown.length > 0)
    return cannot(`not in the deployment file: the value of ${unknown.join(", ")}`);
  return graded(
    ruled(c, {
      rule: `no container with ${c.rules.remoteCode.join(", ")}`,
      found,
      none: "no container",
      problems: found.map((text) => ({ code: "remote-code", text })),
      code: "remote-code",
    }),
    "weaker",
  );
}

const tool = /\b(sha256sum|shasum|openssl\s+dgst|openssl\s+sha256|hashlib)\b/;
const otherTool = /\b(sha(1|224|384|512)sum|md5sum|b2sum|b3sum|cksum|openssl\s+(sha(1|224|384|512)|md5))\b/;
/** pip's --hash and its kin name a hash without a tool beside it. */
const stated = /(?<!@)\bsha256[:=]\s?([0-9a-fA-F]{64})(?![0-9a-fA-F])/g;

export interface SourceHash {
  readonly container: string;
  /** Lower-case hex. */
  readonly sha256: string;
}
interface Sources {
  readonly hashes: readonly SourceHash[];
  readonly unreadable: readonly string[];
}

export function sourcesOf(c: SafetyCase): Sources {
  const roots = new Set(
    mountersOf(c)
      .map((m) => diskOf(c, m))
      .flatMap((d) => ("reason" in d ? [] : [d.rootHash])),
  );
  const each = c.containers.map((x): Sources => {
    const { env, name, envFrom } = x.container;
    const texts = textsIn(x);
    const run = texts.run.join("\n");
    // A shell fills in variables, so a hash may stand in one.
    const text = [run, ...texts.env].join("\n");
    const checks = tool.test(run);
    const found = [
      ...(checks ? [...text.matchAll(digest)].map((m) => m[0]) : []),
      ...[...text.matchAll(stated)].map((m) => m[1] ?? ""),
    ].map((hex) => hex.toLowerCase());
    const hashes = [...new Set(found)]
      .filter((sha256) => !roots.has(sha256))
      .map((sha256) => ({ container: name, sha256 }));
    const elsewhere = env.filter(
      (e) => e.value?.unknown.length !== 0 && (run.includes(`$${e.name}`) || run.includes(`\${${e.name}`)),
    );
    const unreadable = [
      ...(otherTool.test(run) ? ["another algorithm than SHA-256"] : []),
      ...(checks && hashes.length === 0 ? ["a hash that is not in the deployment file"] : []),
      ...(checks ? [...elsewhere.map((e) => e.name), ...unknownIn(x), ...(envFrom ? ["envFrom"] : [])] : []),
      ...elsewhereIn(run, envOf(x)),
    ];
    return { hashes, unreadable: [...new Set(unreadable)].map((reason) => `${name}: ${reason}`) };
  });
  return { hashes: each.flatMap((s) => s.hashes), unreadable: each.flatMap((s) => s.unreadable) };
}

/** @param held SHA-256 in lower-case hex of each file that the auditor gave, to its name */
export function sourceKnown(c: SafetyCase, held: ReadonlyMap<string, string>): A["kata.source.known"] {
  const { hashes, unreadable } = sourcesOf(c);
  const missing = hashes.filter((h) => !held.has(h.sha256));
  if (missing.length > 0)
    return cannot(
      `no file was given with SHA-256 ${missing.map((h) => `${h.sha256} (${h.container})`).join(", ")}`,
      "source-hash-only",
    );
  if (unreadable.length > 0) return cannot(unreadable.join("; "), "source-hash-unreadable");
  if (hashes.length === 0)
    return ruled(c, {
      rule: "each file that a command checks by SHA-256 is held",
      found: [],
      none: "no command checks a file by its hash",
      problems: [],
      code: "source-hash-only",
    });
  const files = [...held].filter(([sha256]) => hashes.some((h) => h.sha256 === sha256));
  return equal(
    { value: listText([...new Set(hashes.map((h) => h.sha256))].sort()), origin: c.deployment, at: c.workload.where },
    {
      value: listText(files.map(([sha256]) => sha256).sort()),
      origin: { kind: "recomputed", name: `SHA-256 of ${files.map(([, name]) => name).join(", ")}` },
    },
    "source-hash-only",
  );
}
