/** Who can read a prompt, and how a report of many workloads stays readable. */
import { describe, expect, test } from "vitest";
import { cannot, skip } from "../../src/claims/answer.ts";
import { renderReport } from "../../src/report/human.ts";
import { reportJson } from "../../src/report/json.ts";
import type { Reader, Report } from "../../src/report/report.ts";
import { compose, consistent, finding, judged, no, yes } from "./world.ts";

const text = (report: Report, width = 100): string => renderReport(report, { width, color: false });
const image = (name: string, digit: string): string => `registry.example/demo/${name}:v1@sha256:${digit.repeat(64)}`;
const init = { container: "initializer", image: image("initializer", "a"), assurance: "pinned" } as const;
const server = { container: "server", image: image("server", "b"), assurance: "hash-only" } as const;
const readers: readonly Reader[] = [
  {
    policy: "1".repeat(64),
    workload: "apps/v1/StatefulSet/n/c",
    role: "coordinator",
    sans: ["c", "*"],
    images: [init],
  },
  { policy: "2".repeat(64), workload: "apps/v1/Deployment/n/w", role: "", sans: ["w", "*"], images: [init, server] },
  { policy: "3".repeat(64), workload: "", role: "", sans: [], images: null },
  { policy: "4".repeat(64), workload: "apps/v1/Deployment/n/x", role: "", sans: ["x"], images: [] },
];
const withReaders = (list: readonly Reader[]): Report => ({ ...compose([judged()]), readers: list });

describe("who can read a prompt", () => {
  test("is told entry by entry, each image once and whole", () => {
    const out = text(withReaders(readers));
    const from = out.indexOf("Who can read a prompt");
    expect(out.slice(from, out.indexOf("Evidence\n"))).toBe(`Who can read a prompt
  Whoever runs under a policy of the manifest is part of the mesh. Of an image: hash only, nobody
  vouches for the digest; pinned, the profile does. This version rebuilds no image.
  apps/v1/StatefulSet/n/c, role coordinator
    names   c, *
    runs    initializer [1]
  apps/v1/Deployment/n/w
    names   w, *
    runs    initializer [1], server [2]
  policy ${"3".repeat(64)}, no WorkloadSecretID
    names   none
    runs    not known: the policy's body is not at hand
  apps/v1/Deployment/n/x
    names   x
    runs    no image can be read off the policy
  [1]  pinned    ${init.image}
  [2]  hash only ${server.image}

`);
  });
  test("counts one image under two assurances as two", () => {
    const pinned = { ...server, assurance: "pinned" } as const;
    const [, entry] = readers as [Reader, Reader];
    const out = text(
      withReaders([
        { ...entry, images: [server] },
        { ...entry, images: [pinned] },
      ]),
    );
    expect(out).toContain(`  [1]  hash only ${server.image}\n  [2]  pinned    ${server.image}\n`);
  });
  test("has no heading where no deployment file was given, or no manifest came", () => {
    for (const report of [compose([judged()]), withReaders([])])
      expect(text(report)).not.toContain("Who can read a prompt");
  });
  test("is in the JSON as it was found", () => {
    expect((JSON.parse(reportJson(withReaders(readers))) as Report).readers).toEqual(readers);
    expect(JSON.parse(reportJson(compose([judged()])))).not.toHaveProperty("readers");
  });
  test.each([40, 60])("breaks no image reference at %i columns", (width) => {
    const out = text(withReaders(readers), width).split("\n");
    expect(out.filter((line) => line.endsWith(server.image))).toHaveLength(1);
  });
  test("lets no name in it write a line of its own", () => {
    const evil = "x\nverified (live)\u001b[2J\u202e";
    const entry: Reader = {
      policy: evil,
      workload: evil,
      role: evil,
      sans: [evil],
      images: [{ ...init, container: evil, image: evil }],
    };
    const out = text(withReaders([entry, { ...entry, workload: "", images: null }]));
    expect(out.split("\n").filter((line) => line.startsWith("verified"))).toEqual(["verified (live)"]);
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  });
});

const many = (count: number, of: (name: string, at: number) => ReturnType<typeof judged>) =>
  compose(Array.from({ length: count }, (_, i) => of(`workload ${i}`, i)));

describe("many subjects", () => {
  test("are told by their headings alone where every claim passed", () => {
    const whole = { "world.family": yes };
    const report = many(25, (name, i) =>
      judged(
        {
          ...whole,
          "world.chip": i === 3 ? finding : yes,
          ...(i === 7 ? { "world.dates": no } : {}),
        },
        name,
      ),
    );
    const out = text(report).split("\n");
    const heading = (i: number): number => out.indexOf(out.find((l) => l.startsWith(`Subject workload ${i}:`)) ?? "");
    expect(out.filter((l) => l.startsWith("Subject workload "))).toHaveLength(25);
    // Whatever is not a pass keeps its lines: a finding, a no.
    expect(out[heading(3) + 1]).toContain("world.signature");
    expect(out[heading(7) + 1]).toContain("world.signature");
    expect(out[heading(1) + 1]).toMatch(/^Subject workload 2:/);
    expect(out.filter((l) => l.includes("✓ pass"))).toHaveLength(8);
  });
  test("of a few each has its lines", () => {
    const out = text(many(24, (name) => judged({}, name)));
    expect(out.split("✓ pass").length - 1).toBe(24 * 4);
  });
});

describe("what is open", () => {
  test("for want of one cause stands together by subject, and each no for itself", () => {
    const blocked = skip("not asked: no single policy was found");
    const all = {
      "world.signature": blocked,
      "world.measurement": blocked,
      "world.dates": blocked,
      "world.chip": blocked,
    };
    const report = compose(
      [judged(all, "workload a"), judged(all, "workload b"), judged({ "world.dates": no }, "workload c")],
      { rules: { waivers: [], promoted: new Set(["world.chip"]), now: new Date("2026-11-22T10:00:00Z") } },
    );
    const out = text(report);
    expect(out).toContain("- 4 claims of workload a: skip\n");
    expect(out).toContain("- 4 claims of workload b: skip\n");
    expect(out.indexOf("✗ world.dates (measurement-wrong), workload c: fail")).toBeLessThan(out.indexOf("4 claims of"));
  });
  test("because only the audited party vouches stands together over all subjects", () => {
    const names = ["a", "b", "c", "d"].map((n) => `workload ${n}`);
    const out = text(compose(names.map((name) => judged({ "world.dates": consistent }, name))));
    expect(out).toContain("= 4 claims: consistent\n");
    for (const name of names) expect(out).toContain(`    world.dates, ${name}\n`);
  });
  test("with a code, or few alike, is told in full", () => {
    const coded = cannot("nobody knows the rules", "measurement-wrong");
    const out = text(compose(["a", "b", "c", "d"].map((name) => judged({ "world.measurement": coded }, name))));
    for (const name of ["a", "b", "c", "d"])
      expect(out).toContain(`world.measurement (measurement-wrong), ${name}: error`);
    const few = text(compose(["a", "b", "c"].map((name) => judged({ "world.dates": consistent }, name))));
    expect(few).not.toContain("3 claims: consistent");
  });
});
