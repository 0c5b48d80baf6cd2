/** `pm manifest generate` with a stand-in for the Contrast CLI, good and with one defect each. */
import type { Ran } from "../command.ts";
import { editing, editsText, followed, generate, goodManifest, preceded, standIn } from "../commands/generate-world.ts";

const late = (code: string): string => preceded(`if (process.argv[2] === "generate") { ${code} }`);
const withCache = preceded(
  'if (process.argv[2] === "-v") require("node:fs").writeFileSync("layers-cache.json", "[]");',
);

export const generateRuns = {
  "manifest made anew": async () => generate({ expected: await goodManifest() }),
  "manifest made by an unknown CLI": () => generate({ cliSha256: null }),
  "manifest made by another CLI": () => generate({ cliSha256: "ab".repeat(32) }),
  "manifest made beside a layer cache": () => generate({ cli: withCache }),
  "CLI that fails": () => generate({ cli: late("process.exit(1);") }),
  "CLI that never ends": () => generate({ cli: late("for (;;);"), args: ["--timeout", "1"] }),
  "CLI that floods its output": () =>
    generate({ cli: late('for (;;) require("node:fs").writeSync(1, "x".repeat(65536));') }),
  "CLI that leaves no manifest": () => generate({ cli: late("process.exit(0);") }),
  "CLI that writes no JSON": () => generate({ cli: followed('fs.writeFileSync("manifest.json", "{");') }),
  "edits without chip ids": () => generate({ edits: editsText.replace(/^chipIds.*\n/m, "") }),
  "manifest without one vCPU": () =>
    generate({ cli: editing("m.ReferenceValues.snp = m.ReferenceValues.snp.filter((e) => e.CPUs !== 1);") }),
  "CLI that edits the checkout": () =>
    generate({
      cli: ({ path }) =>
        standIn.replace(
          'console.log("generated")',
          `fs.appendFileSync(${JSON.stringify(`${path}/deployment.yaml`)}, "\\n")`,
        ),
    }),
  "manifest without a supplied seed share key": async () => generate({ key: null, expected: await goodManifest() }),
  "manifest with a further seed share key": () => generate({ cli: editing("m.SeedshareOwnerPubKeys.push('3082');") }),
  "manifest made anew that is another": async () =>
    generate({ expected: Buffer.concat([await goodManifest(), Buffer.from("\n")]) }),
} as const satisfies Readonly<Record<string, () => Promise<Ran>>>;
