/** Image digests and disk roots of two sides: equal only where nothing is more, less or other. */
import { describe, expect, test } from "vitest";
import {
  type ContainerFacts,
  differencesOf,
  injectedIn,
  type WorkloadFacts,
} from "../../../src/verifiers/kata/release-facts.ts";

const digest = (n: number): string => `sha256:${String(n).repeat(64)}`;
const container = (name: string, n = 1, root?: string): ContainerFacts => ({
  name,
  image: digest(n),
  disk: root === undefined ? undefined : { model: "m", index: "0", root },
});
const workload = (name: string, ...containers: ContainerFacts[]): WorkloadFacts => ({ workload: name, containers });
const app = container("app");
const initializer = container("contrast-initializer", 2);
const brief = (source: WorkloadFacts[], attested: WorkloadFacts[]): string[] =>
  differencesOf(source, attested).map((d) => `${d.workload}/${d.container ?? ""} ${d.field}`);

describe("two sides", () => {
  test("of which one is empty differ in each workload and each of its facts", () => {
    const all = [workload("w", app, container("disk", 1, "a".repeat(64)))];
    expect(brief([], all)).toEqual(["w/ workload", "w/app image", "w/disk image", "w/disk disk"]);
    expect(brief(all, [])).toHaveLength(4);
    expect(brief(all, all)).toEqual([]);
  });
  test("are the same in whatever order", () => {
    const [a, b] = [workload("a", app, container("b")), workload("b", app)];
    expect(brief([a, b], [b, workload("a", container("b"), app)])).toEqual([]);
  });
  test("differ where one has a workload twice", () => {
    const w = workload("w", app);
    expect(brief([w], [w, w])).toEqual(["w/ workload", "w/app image"]);
    expect(brief([w, w], [w])).toEqual(["w/ workload", "w/app image"]);
  });
  test("differ where one has a container twice", () => {
    expect(brief([workload("w", app)], [workload("w", app, container("app", 3))])).toEqual(["w/app image"]);
  });
  test("differ where a container has a disk on one side only", () => {
    expect(brief([workload("w", app)], [workload("w", container("app", 1, "b".repeat(64)))])).toEqual(["w/app disk"]);
  });
});

describe("containers that Contrast adds", () => {
  test("are left out of a policy, and said", () => {
    const [source, attested] = [[workload("w", app)], [workload("w", initializer, app)]];
    expect(brief(source, attested)).toEqual([]);
    expect(injectedIn(source, attested)).toEqual([
      { workload: "w", container: "contrast-initializer", image: digest(2) },
    ]);
  });
  test("are compared where the file has them", () => {
    const file = [workload("w", container("contrast-initializer", 3), app)];
    expect(brief(file, [workload("w", initializer, app)])).toEqual(["w/contrast-initializer image"]);
    expect(injectedIn(file, [workload("w", initializer, app)])).toEqual([]);
  });
  test("are compared from the second of one name on", () => {
    const attested = [workload("w", initializer, container("contrast-initializer", 3), app)];
    expect(brief([workload("w", app)], attested)).toEqual(["w/contrast-initializer image"]);
  });
  test("are differences where only the file has them", () => {
    expect(brief([workload("w", initializer, app)], [workload("w", app)])).toEqual(["w/contrast-initializer image"]);
  });
});
