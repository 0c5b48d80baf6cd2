/** `pm source find`: the repository's files, the manifest and the policies, and which commits hold what was attested. */
import { findSource } from "../chain/source-find.ts";
import type { Result } from "../command.ts";
import type { Input } from "../input.ts";
import { repositoryFiles } from "../measure/git-files.ts";
import type { Selection } from "../measure/git-refs.ts";
import { foundJson, foundStatus, foundText } from "../report/source-found.ts";
import { manifestRules } from "../verifiers/contrast/rules.ts";
import { policyBodies } from "./policy-bodies.ts";

export interface SourceQuestion {
  /** A working tree or a bare repository. */
  readonly repo: string;
  /** Deployment files, from the top of the repository. */
  readonly paths: readonly string[];
  readonly selection: Selection;
  readonly manifest: Input;
  /** A folder or a bundle. */
  readonly policies: string;
  /** Undefined: the default version's rules. */
  readonly contrastVersion: string | undefined;
}

/** @throws PmError PM_USAGE for what cannot be used, PM_SOURCE_REFUSED where git gives up */
export async function sourceFind(question: SourceQuestion): Promise<Result> {
  const rules = manifestRules(question.contrastVersion);
  const bodies = await policyBodies(question.policies);
  const { repo: folder, paths, selection, manifest } = question;
  const files = await repositoryFiles({ folder, paths, selection });
  const found = findSource({ manifest: manifest.bytes, rules, bodies, paths, files });
  return {
    exitCode: foundStatus(found),
    json: () => foundJson(found),
    text: ({ width }) => foundText(found, width),
  };
}
