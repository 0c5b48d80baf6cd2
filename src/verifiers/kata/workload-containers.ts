/** The containers of a workload as subjects: those of the deployment file, and the sidecars that Contrast adds. */
import { type Answer, type Answers, all, type Origin, type Sourced, skip } from "../../claims/answer.ts";
import { type Judged, judge } from "../../claims/subject.ts";
import * as mounting from "./container-mounts.ts";
import * as running from "./container-process.ts";
import * as rights from "./container-rights.ts";
import type { Workload } from "./deployment.ts";
import type { Container } from "./deployment-pod.ts";
import { addedSidecars } from "./policy-checks.ts";
import type { PolicyContainer, PolicyData } from "./policy-data.ts";
import { container, sidecarContainer } from "./workload-claims.ts";
import { type ContainerCase, digestIn, initializer, type References, shownIn } from "./workload-types.ts";

/** Each container of the deployment file is a subject, whether the policy has it or not; so is each sidecar it adds. */
export function containerSubjects(workload: Workload, data: PolicyData | undefined, references: References): Judged[] {
  const added = data === undefined ? [] : addedSidecars(workload, data, references);
  const containers = [
    ...added.flatMap((name) => {
      const named = references.sidecars.get(name);
      return named === undefined ? [] : [sidecarOf(name, named)];
    }),
    ...workload.containers,
  ];
  const hasInitializer = containers.some((c) => c.name === initializer.name);
  return containers.map((yaml) => {
    const named = references.sidecars.get(yaml.name);
    const name = `container ${workload.workloadSecretId}/${yaml.name}`;
    const subject = { name, catalogue: named === undefined ? container : sidecarContainer, pinned: new Set<string>() };
    const policies = data?.containers.slice(1).filter((c) => c.name === yaml.name) ?? [];
    const [policy] = policies;
    if (policy === undefined || policies.length > 1) {
      const reason =
        data === undefined
          ? "the policy was not found or not read"
          : `the policy has ${policies.length} containers of this name`;
      return judge(subject, all(sidecarContainer, skip(`not asked: ${reason}`)));
    }
    const c = caseOf(yaml, policy, workload, hasInitializer, references);
    return named === undefined
      ? judge({ ...subject, catalogue: container }, containerAnswers(c))
      : judge(
          { ...subject, catalogue: sidecarContainer },
          { ...containerAnswers(c), "kata.container.sidecar": rights.sidecar(c, named) },
        );
  });
}

/** The containers of the deployment file alone: which sidecars the policy adds is not known without it. */
export const blockedContainers = (workload: Workload, answer: Answer<never>): Judged[] =>
  workload.containers.map(({ name }) =>
    judge(
      { name: `container ${workload.workloadSecretId}/${name}`, catalogue: container, pinned: new Set<string>() },
      all(container, answer),
    ),
  );

function caseOf(
  yaml: Container,
  policy: PolicyContainer,
  workload: Workload,
  hasInitializer: boolean,
  { deployment, imageConfigs, sidecars }: References,
): ContainerCase {
  const config = imageConfigs.get(digestIn(yaml.image) ?? "");
  // Of a sidecar that Contrast adds, the deployment file says nothing.
  const origin: Origin = workload.containers.includes(yaml)
    ? deployment
    : (sidecars.get(yaml.name)?.origin ?? deployment);
  return {
    yaml,
    policy,
    workload,
    config,
    hasInitializer,
    said: (value, where) => ({ value, origin, at: where ?? yaml.where }),
    shown: shownIn,
  };
}

const containerAnswers = (c: ContainerCase): Answers<typeof container> => ({
  "kata.container.image": rights.image(c),
  "kata.container.repository": rights.repository(c),
  "kata.container.pod": rights.pod(c),
  "kata.container.args": running.args(c),
  "kata.container.env": running.env(c),
  "kata.container.capabilities": rights.capabilities(c),
  "kata.container.privileges": rights.privileges(c),
  "kata.container.root": rights.root(c),
  "kata.container.devices": rights.devices(c),
  "kata.container.mounts": mounting.mounts(c),
  "kata.container.user": running.user(c),
  "kata.container.cwd": running.cwd(c),
  "kata.container.exec": running.exec(c),
});

/** A sidecar that Contrast adds: nothing is known of it but its image and, for the initializer, its volume. */
const sidecarOf = (name: string, { value, at = name }: Sourced): Container => ({
  name,
  image: value,
  role: "init",
  command: undefined,
  args: undefined,
  workingDir: undefined,
  tty: false,
  env: [],
  envFrom: false,
  mounts: [],
  devices: [],
  execCommands: [],
  terminationMessagePath: undefined,
  security: {
    privileged: false,
    allowPrivilegeEscalation: true,
    readOnlyRootFilesystem: false,
    add: [],
    drop: [],
    runAsUser: undefined,
    runAsGroup: undefined,
  },
  resources: [],
  where: at,
  argsWhere: at,
});
