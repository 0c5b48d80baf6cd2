/** `pm manifest generate` as a user runs it, with a stand-in for the Contrast CLI; each run in a folder of its own. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ran, runPm } from "../command.ts";

const root = mkdtempSync(join(tmpdir(), "pm-test-generate-"));
export const removeGenerated = (): void => rmSync(root, { recursive: true, force: true });

let folders = 0;
export interface Folder {
  readonly path: string;
  /** Empty before and after each run: pm's private folder is made in it. */
  readonly temporary: string;
  write(name: string, content: string | Uint8Array, mode?: number): string;
}
export function folder(): Folder {
  const path = join(root, String(folders++));
  const temporary = join(path, "tmp");
  mkdirSync(temporary, { recursive: true });
  return {
    path,
    temporary,
    write: (name, content, mode = 0o644) => {
      writeFileSync(join(path, name), content, { mode });
      return join(path, name);
    },
  };
}

export const standIn = readFileSync(fileURLToPath(new URL("../stand-in/contrast", import.meta.url)), "utf8");
const body = standIn.slice(standIn.indexOf("\n") + 1);
/** The stand-in with code before or behind it; no variant can be chosen by the environment, which is cleared. */
export const preceded = (code: string): string => `#!/usr/bin/env node\n${code}\n${body}`;
export const followed = (code: string): string => `${standIn}\n${code}\n`;
export const alone = (code: string): string => `#!/usr/bin/env node\n${code}\n`;
/** The stand-in, with its manifest edited before it is written. */
export const editing = (code: string): string =>
  standIn.replace('write("manifest.json"', `((m) => { ${code} })(manifest);\nwrite("manifest.json"`);

export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

const workload = (kind: string, name: string, runtimeClass: string, annotations = ""): string => `apiVersion: apps/v1
kind: ${kind}
metadata:
  name: ${name}
  namespace: continuum-347e1b
spec:
  template:
    metadata:
      annotations: {${annotations}}
    spec:
      runtimeClassName: ${runtimeClass}
      containers:
        - name: main
          image: registry.example/${name}@sha256:${sha256(name)}
`;
/** Privatemode's shape in small: a secret service, an SNP and a TDX workload, the Coordinator. */
export const deploymentText = [
  workload("StatefulSet", "secret-service", "contrast-cc"),
  workload("Deployment", "workload-one", "contrast-cc-metal-qemu-snp-gpu"),
  workload("Deployment", "workload-two", "contrast-cc-metal-qemu-tdx-gpu"),
  workload("StatefulSet", "coordinator", "contrast-cc", "contrast.edgeless.systems/pod-role: coordinator "),
].join("---\n");

/** Made up: no chip has these ids. */
export const editsText = `minimumTcb: { bootloader: 10, tee: 0, snp: 28, microcode: 88 }
minimumMitigationVector: 18446744073709551615
guestPolicy: { SMT: true, PageSwapDisable: true }
platformInfo: { SMTEnabled: false, ECCEnabled: true, AliasCheckComplete: true }
chipIds: ["${"AB".repeat(64)}", "${"CD".repeat(64)}"]
mrSeam: "${"48".repeat(48)}"
piids: ["${"0c".repeat(16)}"]
minTcbEvaluationDataNumber: 21
`;

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
export const keyPem = publicKey.export({ type: "spki", format: "pem" }) as string;
export const keyHex = publicKey.export({ type: "pkcs1", format: "der" }).toString("hex");
export const privatePem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;

export interface GenerateQuestion {
  readonly in?: Folder;
  /** Text of the program that plays the CLI. */
  readonly cli?: string | ((folder: Folder) => string);
  /** null: not given. */
  readonly cliSha256?: string | null;
  readonly service?: "contrast" | "privatemode";
  readonly deployment?: string;
  readonly edits?: string | null;
  /** Supplied seed share key; null: none. */
  readonly key?: string | null;
  readonly expected?: Uint8Array | string;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  /** CLI on PATH in place of --cli. */
  readonly onPath?: boolean;
  readonly json?: boolean;
}
/** The command line of one question; every file that it names is written. */
export function command(question: GenerateQuestion = {}): {
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly folder: Folder;
} {
  const f = question.in ?? folder();
  const { cli = standIn, service = "privatemode", key = keyPem, edits = editsText } = question;
  const text = typeof cli === "string" ? cli : cli(f);
  const program = f.write("contrast", text, 0o755);
  const digest = question.cliSha256 === undefined ? sha256(text) : question.cliSha256;
  const args = [
    ...["manifest", "generate", f.write("deployment.yaml", question.deployment ?? deploymentText)],
    ...["--service", service, "--at", "2027-01-01T00:00:00Z"],
    ...(question.onPath === true ? [] : ["--cli", program]),
    ...(digest === null ? [] : ["--cli-sha256", digest]),
    ...(edits === null ? [] : ["--edits", f.write("edits.yaml", edits)]),
    ...(key === null ? [] : ["--seedshare-owner-key", f.write("key.pem", key)]),
    ...(question.expected === undefined ? [] : ["--expected", f.write("expected.json", question.expected)]),
    ...(question.json === false ? [] : ["--json"]),
    ...(question.args ?? []),
  ];
  const env = { TMPDIR: f.temporary, PATH: `${f.path}:${process.env["PATH"] ?? ""}`, ...question.env };
  return { args, env, folder: f };
}
export function generate(question: GenerateQuestion = {}): Promise<Ran> {
  const { args, env } = command(question);
  return runPm(args, { env });
}

let made: Promise<Uint8Array> | undefined;
/** What the stand-in and Privatemode's edits make of the deployment above, with the supplied key. */
export const goodManifest = (): Promise<Uint8Array> => {
  made ??= (async () => {
    const f = folder();
    const file = join(f.path, "out.json");
    await generate({ in: f, args: ["--save", file] });
    return readFileSync(file);
  })();
  return made;
};
