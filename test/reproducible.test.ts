/** The fleet's Job as it stands in reproducible/: its command, run for each index, gives parts that join to the disk's root. */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { verityRoot } from "../fixtures/generator/verity.ts";
import { runPm } from "./command.ts";
import { worldFolder } from "./measure/verity/world.ts";

const path = worldFolder();
const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../reproducible/${name}`, import.meta.url)), "utf8");
interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly securityContext: Record<string, unknown>;
  readonly resources: { readonly limits: Record<string, string> };
  readonly volumeMounts: readonly { readonly name: string; readonly readOnly?: boolean }[];
}
interface Job {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly completionMode: string;
    readonly completions: number;
    readonly template: {
      readonly spec: {
        readonly restartPolicy: string;
        readonly securityContext: Record<string, unknown>;
        readonly containers: readonly Container[];
        readonly volumes: readonly {
          readonly name: string;
          readonly persistentVolumeClaim?: { readonly readOnly?: boolean };
        }[];
      };
    };
  };
}
const job = parse(read("verity-shards.yaml")) as Job;
const pod = job.spec.template.spec;
const container = pod.containers[0] as Container;
const { completions } = job.spec;
const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));

test("it is an Indexed Job with as many completions as there are parts", () => {
  expect([job.apiVersion, job.kind, job.spec.completionMode]).toEqual(["batch/v1", "Job", "Indexed"]);
  expect(env["PARTS"]).toBe(String(completions));
  expect(["OnFailure", "Never"]).toContain(pod.restartPolicy);
});
test("it runs without root, writes nowhere but where its parts go, and reads the disk alone", () => {
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  expect(Object.keys(container.resources.limits).sort()).toEqual(["cpu", "memory"]);
  expect(container.volumeMounts.find((m) => m.name === "disk")?.readOnly).toBe(true);
  expect(pod.volumes.find((v) => v.name === "disk")?.persistentVolumeClaim?.readOnly).toBe(true);
});
test("its image is a placeholder that no cluster can pull, by digest", () => {
  expect(container.image).toBe("REGISTRY/pm@sha256:DIGEST");
});

test("its command, run for each index, hashes parts that join to the root of the disk", async () => {
  // Four units, the last one short; zeros but for a byte in each.
  const data = Buffer.alloc(200 * 1024 * 1024);
  for (let at = 0; at < data.length; at += 64 * 1024 * 1024) data[at] = 1 + (at >> 26);
  const disk = path("disk.img");
  writeFileSync(disk, data);
  const shards = path("shards");
  mkdirSync(shards);
  // As an image has it on its path.
  const bin = fileURLToPath(new URL("../bin/run.js", import.meta.url));
  mkdirSync(path("bin"));
  writeFileSync(path("bin/pm"), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
  chmodSync(path("bin/pm"), 0o755);
  const [shell = "", ...args] = container.command;
  const here = { ...env, DISK: disk, HASH_OFFSET: String(data.length), JOBS: "1", SHARDS: shards, HOME: path("home") };
  const part = (index: number): Promise<string> =>
    new Promise((resolve) => {
      const PATH = `${path("bin")}:${process.env["PATH"] ?? ""}`;
      const child = spawn(shell, args, { env: { ...here, PATH, JOB_COMPLETION_INDEX: String(index) } });
      let text = "";
      child.stderr.on("data", (bytes) => (text += String(bytes)));
      child.on("close", (status) => resolve(`${status}${text}`));
    });
  const ended: string[] = [];
  for (let i = 0; i < completions; i += 2)
    ended.push(...(await Promise.all([i, i + 1].filter((n) => n < completions).map(part))));
  expect(ended).toEqual(ended.map(() => "0"));
  const parts = readdirSync(shards);
  expect(parts.sort()).toEqual(Array.from({ length: completions }, (_, i) => `part-${i + 1}.json`).sort());
  const files = parts.map((name) => join(shards, name));
  const joined = await runPm(["verity", "join", ...files, "--expect", verityRoot(data)]);
  expect([joined.status, joined.stderr]).toEqual([0, ""]);
  // Eight parts of four units: every other one is empty, the second has the first unit.
  const without = await runPm(["verity", "join", ...files.filter((name) => !name.endsWith("part-2.json"))]);
  expect([without.status, without.stderr]).toEqual([2, expect.stringContaining("in none of the shards")]);
}, 120_000);
