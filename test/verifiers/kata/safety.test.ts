import { describe, expect, test } from "vitest";
import { privatemodeRules } from "../../../src/profile/privatemode.ts";
import type { ImageConfig } from "../../../src/verifiers/kata/image-config.ts";
import { safety } from "../../../src/verifiers/kata/safety-claims.ts";
import { repositoryOf } from "../../../src/verifiers/kata/safety-roles.ts";
import { but, judgeYaml, open, patchHash, pod, rootHash, simple } from "./safety-world.ts";

const A = "kata.safety.adapter_type";
const W = "kata.safety.workload_address";
const V = "kata.safety.gpu_versions";
const G = "kata.safety.gpu_agent";
const D = "kata.safety.disks";
const H = "kata.safety.host_volumes";
const P = "kata.safety.prompt_logs";
const R = "kata.safety.remote_code";
const S = "kata.source.known";
const O = "kata.safety.roles";

const adapter = '"--adapter-type=openai,anthropic"';
const address = "--workload-address=127.0.0.1";
const driver = "--gpu-driver-versions=595.58.03";
const vbios = '"--gpu-vbios-versions=96.00.88.00.11,96.00.9F.00.04"';
const agentArgs = `args: [${driver}, ${vbios}]`;
const diskArgs = `args: [granite, "0", ${rootHash}]`;
const devices = "volumeDevices: [{ name: weights, devicePath: /dev/modelweights-granite-0 }]";
const models = "{ name: models, mountPath: /mnt, mountPropagation: HostToContainer }";
const server = "--prefix-caching-hash-algo=sha256]";
const env = "env: [{ name: NVIDIA_VISIBLE_DEVICES, value: all }]";
const check = `!= '${patchHash}'`;
const proxyImage = "demo/inference-proxy:v1";
const agentImage = "demo/attestation-agent:v1";
const mounterImage = "demo/disk-mounter:v1";
const command = (words: string, args: string): string => `command: ${words}\n          ${args}`;
const hook = (text: string): string => `lifecycle: { postStart: { exec: { command: [/bin/sh, -c, "${text}"] } } }`;
const proxyOpen = [`${A} error adapter-type-unreadable`, `${W} error address-unreadable`];
const agentOpen = [`${V} error gpu-versions-unreadable`, `${G} error gpu-agent-unreadable`];
const mounterOpen = [`${D} error disk-unreadable`];
const proxyMounts = "[{ name: identity, mountPath: /var/run/secrets/identity, readOnly: true }]";
/** One more mount of the model server, of a volume of this kind. */
const kept = (source: string, path: string, readOnly = true): string =>
  but(
    "        - { name: run, emptyDir: {} }\n",
    `        - { name: run, emptyDir: {} }\n        - { name: kept, ${source} }\n`,
    but(models, `${models}\n            - { name: kept, mountPath: ${path}, readOnly: ${readOnly} }`),
  );
const claim = "persistentVolumeClaim: { claimName: c }";
const model = "args: [/mnt/modelweights-granite-0,";
const list = "sha256sum -c";
const script = (line: string, program: string): string => `[/bin/sh, -ec, "${line}exec ${program} \\"$@\\"", _]`;

/** What is changed, and all that does not pass then. */
type Case = readonly [name: string, yaml: string, ...open: string[]];
const upwards = [`${D} fail disk-model-elsewhere`];
const cases: readonly Case[] = [
  ["nothing", pod],

  ["adapter type unencrypted", but("openai,anthropic", "unencrypted"), `${A} fail adapter-type-unknown`],
  ["unencrypted beside a known type", but("openai,anthropic", "openai,unencrypted"), `${A} fail adapter-type-unknown`],
  ["an adapter type in another case", but("openai,anthropic", "OpenAI"), `${A} fail adapter-type-unknown`],
  ["an empty adapter type", but("openai,anthropic", ""), `${A} fail adapter-type-unknown`],
  ["a second adapter type", but(adapter, `${adapter}, --adapter-type=unencrypted`), `${A} fail adapter-type-unknown`],
  ["another spelling", but(adapter, `${adapter}, -adapter_type, unencrypted`), `${A} fail adapter-type-unknown`],
  ["the type as a word of its own", but(adapter, "--adapter-type, openai")],
  ["no adapter type", but(`${adapter}, `, ""), `${A} fail adapter-type-missing`],
  [
    "only another spelling",
    but("--adapter-type=openai,anthropic", "--adapterType=openai"),
    `${A} fail adapter-type-missing`,
  ],
  [
    "an adapter type behind --",
    but(`[${adapter}, ${address}`, `[${address}, --, ${adapter}`),
    `${A} error adapter-type-unreadable`,
  ],
  [
    "an adapter type that may be another flag's value",
    but(`[${adapter}, ${address}`, `[${address}, --etcd-ca, ${adapter}`),
    `${A} error adapter-type-unreadable`,
  ],
  [
    "a proxy in a shell",
    but(
      `args: [${adapter}`,
      command(script("", "/bin/inference-proxy --adapter-type=unencrypted"), `args: [${adapter}`),
    ),
    `${A} error adapter-type-unreadable`,
    `${W} error address-unreadable`,
  ],
  ["a proxy by its program's path", but(`args: [${adapter}`, command("[/bin/inference-proxy]", `args: [${adapter}`))],
  [
    "an adapter type out of a secret",
    but(
      `args: [${adapter}`,
      `env: [{ name: T, valueFrom: { secretKeyRef: { name: s, key: k } } }]\n          args: ["--adapter-type=$(T)"`,
    ),
    `${A} error adapter-type-unreadable`,
    `${W} error address-unreadable`,
    `${P} error prompt-logs-unreadable`,
    `${R} error`,
  ],
  [
    "no proxy",
    pod.replace(/ {8}- name: inference-proxy[\s\S]*?(?= {6}volumes)/, ""),
    `${A} fail adapter-type-missing`,
    `${W} skip`,
  ],
  [
    "a proxy of another image",
    but(proxyImage, "demo/proxy:v1"),
    `${O} error role-unknown`,
    `${A} fail adapter-type-missing`,
  ],
  [
    "two servers with one proxy",
    but(
      "      volumes:",
      '        - { name: workload-second-1, image: "demo/vllm-openai", args: [/mnt/b], volumeMounts: [{ name: models, mountPath: /mnt, readOnly: true }] }\n      volumes:',
    ),
    `${A} fail adapter-type-missing`,
  ],

  ["a workload address elsewhere", but("127.0.0.1", "10.0.0.7"), `${W} fail address-not-loopback`],
  [
    "a port that makes another host",
    but("--workload-port=8000", '"--workload-port=8000@evil.example"'),
    `${W} fail address-not-loopback`,
  ],
  ["every address", but("127.0.0.1", "0.0.0.0"), `${W} fail address-not-loopback`],
  ["a name that begins like loopback", but("127.0.0.1", "127.0.0.1.evil.example"), `${W} fail address-not-loopback`],
  ["loopback as a user's name", but("127.0.0.1", "http://127.0.0.1@evil.example/"), `${W} fail address-not-loopback`],
  [
    "::1 with something behind it",
    but("--workload-address=127.0.0.1", '"--workload-address=::1:8000"'),
    `${W} fail address-not-loopback`,
  ],
  ["an octet too large", but("127.0.0.1", "127.0.0.256"), `${W} fail address-not-loopback`],
  ["a second address", but(address, `${address}, --workload-address=evil`), `${W} fail address-not-loopback`],
  ["no workload address", but(`${address}, `, ""), `${W} fail address-missing`],
  ["an empty workload address", but("127.0.0.1", '""'.replaceAll('"', "")), `${W} fail address-missing`],
  ["an address behind --", but(`${address}, --workload-port=8000`, `--, ${address}`), `${W} error address-unreadable`],
  ["127.8.9.10 with a port", but("127.0.0.1", "127.8.9.10:8000")],
  ["[::1] with a port", but("--workload-address=127.0.0.1", '"--workload-address=[::1]:8000"')],
  ["localhost", but("127.0.0.1", "localhost")],
  ["a URL of loopback", but("127.0.0.1", "http://127.0.0.1:8000/v1")],

  ["no driver versions", but(`[${driver}, `, "["), `${V} fail gpu-versions-missing`],
  ["an empty list of drivers", but("595.58.03", ""), `${V} fail gpu-versions-missing`],
  ["no VBIOS versions", but(`, ${vbios}`, ""), `${V} fail gpu-versions-missing`],
  ["any driver", but("595.58.03", "'*'"), `${V} fail gpu-version-wrong`],
  ["a driver's prefix", but("595.58.03", "595"), `${V} fail gpu-version-wrong`],
  ["an empty entry", but(",96.00.9F.00.04", ","), `${V} fail gpu-version-wrong`],
  ["a VBIOS pattern", but("96.00.9F.00.04", "96.00.*"), `${V} fail gpu-version-wrong`],
  ["a second, empty list", but(driver, `${driver}, --gpu-driver-versions=any`), `${V} fail gpu-version-wrong`],
  [
    "versions behind --",
    but(`[${driver}`, `[--, ${driver}`),
    `${V} error gpu-versions-unreadable`,
    `${G} error gpu-agent-unreadable`,
  ],

  [
    "no agent",
    pod.replace(/ {8}- name: attestation-agent[\s\S]*?(?= {8}- name: disk)/, ""),
    `${V} skip`,
    `${G} fail gpu-agent-missing`,
  ],
  [
    "an agent that stays",
    but(agentArgs, `restartPolicy: Always\n          ${agentArgs}`),
    `${G} fail gpu-agent-missing`,
  ],
  [
    "an agent of another image",
    but(agentImage, "demo/agent:v1"),
    `${O} error role-unknown`,
    `${G} fail gpu-agent-missing`,
  ],
  [
    "a proxy before the agent",
    but(
      "      initContainers:\n",
      `      initContainers:\n        - { name: early, image: demo/inference-proxy, restartPolicy: Always, args: [--adapter-type=openai, ${address}] }\n`,
    ),
    `${G} fail gpu-agent-late`,
  ],
  [
    "an agent that sees no GPU",
    but(agentArgs, `env: [{ name: NVIDIA_VISIBLE_DEVICES, value: none }]\n          ${agentArgs}`),
    `${G} fail gpu-agent-blind`,
  ],
  [
    "an agent that sees all GPUs",
    but(agentArgs, `env: [{ name: NVIDIA_VISIBLE_DEVICES, value: all }]\n          ${agentArgs}`),
  ],
  [
    "an agent with variables from elsewhere",
    but(agentArgs, `envFrom: [{ configMapRef: { name: c } }]\n          ${agentArgs}`),
    `${V} error gpu-versions-unreadable`,
    `${G} error gpu-agent-unreadable`,
  ],
  [
    "an agent that prints its help",
    but(`[${driver}`, `[--help, ${driver}`),
    `${V} error gpu-versions-unreadable`,
    `${G} error gpu-agent-unreadable`,
  ],
  [
    "an agent with another command",
    but(agentArgs, command("[/bin/true]", agentArgs)),
    `${V} error gpu-versions-unreadable`,
    `${G} error gpu-agent-unreadable`,
  ],
  [
    "a GPU in a class without one, and no agent",
    but("-snp-gpu", "-snp", pod.replace(/ {8}- name: attestation-agent[\s\S]*?(?= {8}- name: disk)/, "")),
    `${V} skip`,
    `${G} fail gpu-agent-missing`,
  ],

  [
    "a device in a server",
    but(models, `${models}`, but(env, `${env}\n          volumeDevices: [{ name: weights, devicePath: /dev/x }]`)),
    `${D} fail disk-device-elsewhere`,
  ],
  [
    "a mounter of another image",
    but(mounterImage, "demo/mounter:v1"),
    `${O} error role-unknown`,
    `${D} fail disk-device-elsewhere`,
  ],
  ["a short root hash", but(rootHash, rootHash.slice(1)), `${D} fail disk-arguments`],
  ["no root hash", but(`, ${rootHash}]`, "]"), `${D} fail disk-arguments`],
  ["a word too many", but(`${rootHash}]`, `${rootHash}, --no-verity]`), `${D} fail disk-arguments`],
  ["a mounter without a device", but(devices, ""), `${D} fail disk-device-missing`],
  ["a mounter by its program's path", but(diskArgs, command("[/bin/disk-mounter]", diskArgs))],
  [
    "a mounter in a known script",
    but(diskArgs, command(script("echo 2000000 > /proc/sys/vm/min_free_kbytes\\n", "/bin/disk-mounter"), diskArgs)),
  ],
  [
    "a mounter in another script",
    but(diskArgs, command(script("mount /dev/modelweights-granite-0 /mnt; ", "/bin/disk-mounter"), diskArgs)),
    `${D} error disk-unreadable`,
  ],
  ["a mounter that is another program", but(diskArgs, command("[/bin/mount]", diskArgs)), `${D} error disk-unreadable`],
  ["a writable model volume", but(models, "{ name: models, mountPath: /mnt }"), `${D} fail disk-volume-writable`],
  [
    "a model volume both ways",
    but("HostToContainer", "Bidirectional", but("mountPropagation: Bidirectional", "mountPropagation: None")),
    `${D} fail disk-volume-writable`,
  ],
  ["a read-only model volume", but(models, "{ name: models, mountPath: /mnt, readOnly: true }")],
  ["a server without the volume", but(models, "{ name: run, mountPath: /mnt }"), `${D} fail disk-missing`],
  ...[claim, "configMap: { name: c }", "secret: { secretName: s }", "emptyDir: {}"].map(
    (source): Case => [
      `a volume over the model: ${source}`,
      kept(source, "/mnt/modelweights-granite-0"),
      `${D} fail disk-model-elsewhere`,
    ],
  ),
  ["a volume beside the model on its disk", kept(claim, "/mnt/other"), `${D} fail disk-model-elsewhere`],
  ["a volume over the model in another spelling", kept(claim, "//mnt/./x/"), `${D} fail disk-model-elsewhere`],
  ["a volume above the model", kept(claim, "/"), `${D} error disk-unreadable`],
  ["a claim beside the models, which no word names", kept(claim, "/mntx")],
  ["a model by a path that goes upwards", but(model, "args: [/mnt/../untrusted/m,"), ...upwards],
  [
    "a model by a path that goes upwards inside the volume",
    but(model, "args: [/mnt/a/../modelweights-granite-0,"),
    ...upwards,
  ],
  ["a further path that the host keeps", but(model, "args: [/untrusted/m, --draft=/mnt/m,"), ...mounterOpen],
  ["a further path in a claim", but(model, "args: [/kept/m, --draft=/mnt/m,", kept(claim, "/kept")), ...mounterOpen],
  [
    "a further path in a claim, from the working directory",
    but(model, "args: [kept/m, --draft=/mnt/m,", kept(claim, "/kept")),
    ...mounterOpen,
  ],
  ["a further path in JSON", but(server, `'--speculative-config={"model":"/untrusted/m"}']`), ...mounterOpen],
  [
    "a further path in a variable",
    but("value: all }", "value: all }, { name: M, value: /untrusted/m }"),
    ...mounterOpen,
  ],
  ["a part of the models' volume", but(models, models.replace("/mnt,", "/mnt, subPath: x,")), ...mounterOpen],
  [
    "models on a volume that the host keeps",
    but("{ name: models, emptyDir: { medium: Memory } }", `{ name: models, ${claim} }`),
    `${D} fail disk-missing`,
    `${H} fail host-volume-writable`,
  ],
  [
    "a file of the host's that is copied and checked",
    but("              if [", "              cp /untrusted/a.patch /w/a.patch\n              if ["),
  ],
  [
    "a file of the host's that is copied and not checked",
    but("              if [", "              cp /untrusted/a.patch /w/b.patch\n              if ["),
    ...mounterOpen,
  ],

  ["a hook of the proxy", but(`args: [${adapter}`, `${hook("nc evil")}\n          args: [${adapter}`), ...proxyOpen],
  ["a hook of the agent", but(agentArgs, `${hook("true")}\n          ${agentArgs}`), ...agentOpen],
  ["a hook of the mounter", but(diskArgs, `${hook("true")}\n          ${diskArgs}`), ...mounterOpen],
  [
    "a probe of the mounter",
    but(diskArgs, `startupProbe: { exec: { command: [/bin/true] } }\n          ${diskArgs}`),
    ...mounterOpen,
  ],
  ...[
    "/bin",
    "/bin/inference-proxy",
    "/",
    "/usr/lib/x",
    "/etc",
    "/etc/ld.so.preload",
    "/etc/ld.so.conf.d",
    "/a/..",
  ].map(
    (path): Case => [
      `a secret of the proxy's at ${path}`,
      but(proxyMounts, `[{ name: identity, mountPath: ${path}, readOnly: true }]`),
      ...proxyOpen,
    ],
  ),
  [
    "a secret of the proxy's in /etc/ssl",
    but(proxyMounts, "[{ name: identity, mountPath: /etc/ssl, readOnly: true }]"),
  ],
  ["an emptyDir of the agent's at /lib64", but("mountPath: /var/run/demo }", "mountPath: /lib64 }")],
  [
    "a file over the mounter",
    but("Bidirectional }]", "Bidirectional }, { name: patches, mountPath: /bin/disk-mounter, subPath: x }]"),
    ...mounterOpen,
  ],
  [
    "a variable for the proxy's loader",
    but(`args: [${adapter}`, `env: [{ name: LD_PRELOAD, value: /x.so }]\n          args: [${adapter}`),
    ...proxyOpen,
  ],
  [
    "a variable for the agent's loader",
    but(agentArgs, `env: [{ name: LD_LIBRARY_PATH, value: /x }]\n          ${agentArgs}`),
    ...agentOpen,
  ],
  [
    "a variable for the mounter's loader",
    but(diskArgs, `env: [{ name: LD_AUDIT, value: /x.so }]\n          ${diskArgs}`),
    ...mounterOpen,
  ],

  ["a model from a hub", but("/mnt/modelweights-granite-0", "org/granite"), `${D} fail disk-model-elsewhere`],

  [
    "a volume of the host's",
    but("{ name: run, emptyDir: {} }", "{ name: run, hostPath: { path: /srv } }"),
    `${H} fail host-path-volume`,
  ],
  [
    "a writable claim",
    but("{ name: run, emptyDir: {} }", "{ name: run, persistentVolumeClaim: { claimName: c } }"),
    `${H} fail host-volume-writable`,
  ],
  [
    "a read-only claim",
    but(
      "mountPath: /var/run/demo",
      "mountPath: /var/run/demo, readOnly: true",
      but("{ name: run, emptyDir: {} }", "{ name: run, persistentVolumeClaim: { claimName: c } }"),
    ),
  ],
  [
    "a kind that pm does not judge",
    but("{ name: run, emptyDir: {} }", "{ name: run, nfs: { server: s, path: / } }"),
    `${H} error host-volume-unknown`,
  ],
  ["a volume that is not there", but("        - { name: run, emptyDir: {} }\n", ""), `${H} error host-volume-unknown`],

  ["request logs", but(server, "--enable-log-requests]"), `${P} fail prompt-logs-on`],
  ["request logs, spelt otherwise", but(server, "--Enable_Log_Requests]"), `${P} fail prompt-logs-on`],
  ["request logs, abbreviated", but(server, "--enable-log-req]"), `${P} fail prompt-logs-on`],
  ["request logs in the script", but('serve "$@"', 'serve "$@" --enable-"log"-requests'), `${P} fail prompt-logs-on`],
  ["a log level", but(server, "--log-level=DEBUG]"), `${P} fail prompt-logs-on`],
  ["a log level as the next word", but(server, "--uvicorn-log-level, trace]"), `${P} fail prompt-logs-on`],
  ["a log level of the proxy's", but("--workload-port=8000", "--log-level=debug"), `${P} fail prompt-logs-on`],
  ["a quiet log level", but(server, "--log-level=warning]")],
  [
    "a variable",
    but("value: all }", "value: all }, { name: VLLM_LOGGING_LEVEL, value: DEBUG }"),
    `${P} fail prompt-logs-on`,
  ],
  [
    "a variable in the script",
    but("exec vllm", "export VLLM_LOGGING_LEVEL=debug; exec vllm"),
    `${P} fail prompt-logs-on`,
  ],
  [
    "a variable out of a ConfigMap",
    but(
      "value: all }",
      "value: all }, { name: VLLM_LOGGING_LEVEL, valueFrom: { configMapKeyRef: { name: c, key: k } } }",
    ),
    `${P} error prompt-logs-unreadable`,
  ],
  [
    "arguments out of a file",
    but(server, "--config=/untrusted/x.yaml]"),
    `${D} error disk-unreadable`,
    `${P} error prompt-logs-unreadable`,
  ],
  [
    "variables out of a ConfigMap as a whole",
    but(env, "envFrom: [{ configMapRef: { name: c } }]"),
    `${P} error prompt-logs-unreadable`,
    `${S} error source-hash-unreadable`,
  ],

  [
    "request logs and remote code in a variable that the script uses",
    but("value: all }", 'value: all }, { name: X, value: "--enable-log-requests --trust-remote-code" }'),
    `${P} fail prompt-logs-on`,
    `${R} fail remote-code`,
  ],
  [
    "request logs and remote code in a hook",
    but(env, `${env}\n          ${hook("vllm serve --enable-log-requests --trust-remote-code")}`),
    `${P} fail prompt-logs-on`,
    `${R} fail remote-code`,
  ],
  [
    "a variable of the script's out of a secret",
    but(
      "value: all }",
      "value: all }, { name: X, valueFrom: { secretKeyRef: { name: s, key: k } } }",
      but('serve "$@"', 'serve $X "$@"'),
    ),
    `${D} error disk-unreadable`,
    `${P} error prompt-logs-unreadable`,
    `${R} error`,
    `${S} error source-hash-unreadable`,
  ],

  ["remote code", but(server, "--trust-remote-code]"), `${R} fail remote-code`],
  ["remote code with an underscore", but(server, "--trust_remote_code=True]"), `${R} fail remote-code`],

  ["another hash", but(check, `!= '${"2".repeat(64)}'`), `${S} error source-hash-only`],
  ["a second hash", but('serve "$@"', `serve "$@"; echo ${"2".repeat(64)}`), `${S} error source-hash-only`],
  ["a hash of pip's", but(server, `"--hash=sha256:${"2".repeat(64)}"]`), `${S} error source-hash-only`],
  ["a hash in upper case", but(check, `!= '${"F".repeat(64)}'`), `${S} error source-hash-only`],
  [
    "a hash in a variable",
    but("value: all }", `value: all }, { name: H, value: "${"2".repeat(64)}" }`),
    `${S} error source-hash-only`,
  ],
  [
    "a check against a file",
    but(check, "!= $(cat /untrusted/sum)"),
    `${D} error disk-unreadable`,
    `${S} error source-hash-unreadable`,
  ],
  [
    "another algorithm",
    but("sha256sum /w/a.patch", "sha512sum /w/b; sha256sum /w/a.patch"),
    `${S} error source-hash-unreadable`,
  ],
  [
    "a hash out of a secret",
    but(
      "value: all }",
      "value: all }, { name: H, valueFrom: { secretKeyRef: { name: s, key: k } } }",
      but("sha256sum /w/a.patch", "echo $H; sha256sum /w/a.patch"),
    ),
    `${D} error disk-unreadable`,
    `${P} error prompt-logs-unreadable`,
    `${R} error`,
    `${S} error source-hash-unreadable`,
  ],
  ...[
    `${list} /w/sums`,
    `${list} < /w/sums`,
    `${list} <<EOF`,
    `cat /w/sums | ${list}`,
    `cat /w/sums | ${list} # ${patchHash}`,
    `echo "${patchHash}  /w/a $(cat /w/sums)" | ${list}`,
    "sha256sum --check /w/sums",
    "sha256sum --status --che /w/sums",
    "shasum -a 256 -c /w/sums",
    `echo "${patchHash}  /w/a" | ${list} - /w/sums`,
  ].map(
    (line): Case => [
      `beside the check a list of hashes: ${line}`,
      but("              exec", `              ${line} && patch < /w/b\n              exec`),
      `${S} error source-hash-unreadable`,
    ],
  ),
  ...[
    `echo "${patchHash}  /w/a.patch" | ${list}`,
    `if ! echo "${patchHash}  /w/a.patch" | ${list} --status -; then exit 1; fi`,
    `${list} <<<"${patchHash}  /w/a.patch"`,
    `${list} --quiet <<< "${patchHash} /w/a" > /dev/null 2>&1`,
    `echo "${patchHash}  /w/a.patch" |\n              shasum -a 256 -c`,
    `H=${patchHash}\n              echo "$H  /w/a.patch" | ${list}`,
  ].map(
    (line): Case => [`a known hash: ${line}`, but("              exec", `              ${line}\n              exec`)],
  ),
  ["no check at all", but(/ +if \[.*\n/.exec(pod)?.[0] ?? "", "")],
  ["an image's digest in a command", but('serve "$@"', `serve "$@" --note=x@sha256:${"2".repeat(64)}`)],

  [
    "an image that no rule names",
    but(
      "{ name: run, emptyDir: {} }",
      "{ name: run, emptyDir: {} }",
      but("      volumes:", "        - { name: helper, image: demo/helper }\n      volumes:"),
    ),
    `${O} error role-unknown`,
  ],
  ["a server of another image", but("demo/vllm-openai:v1", "demo/serve:v1")],
];

describe("the rules of what is safe", () => {
  test.each(cases)("%s", (_, yaml, ...wanted) => expect(open(judgeYaml(yaml))).toEqual(wanted));

  test("show each code of the catalogue", () => {
    const shown = new Set(cases.flatMap(([, , ...wanted]) => wanted.map((w) => w.replace(/ \w+ /, " "))));
    const all = Object.entries(safety).flatMap(([id, q]) => Object.keys(q.codes).map((code) => `${id} ${code}`));
    expect(all.filter((c) => !shown.has(c))).toEqual([]);
  });

  test("owe every question but remote code, and grade that", () => {
    expect(Object.entries(safety).flatMap(([id, q]) => (q.owed === "always" ? [] : [id]))).toEqual([R]);
    const { judged } = judgeYaml(but(server, "--trust-remote-code]"));
    expect(judged.claims.find((c) => c.id === R)?.grade).toBe("weaker");
  });

  test("say of a workload without servers that there is nothing to ask about", () => {
    for (const image of ["coordinator", "secret-service"]) {
      const judgement = judgeYaml(simple(image, image));
      expect(open(judgement)).toEqual([]);
      const texts = judgement.judged.claims.filter((c) => c.id !== O).map((c) => c.actual?.value ?? "");
      expect(texts.filter((t) => !/^no /.test(t))).toEqual([]);
    }
  });
  test("take the class of GPU pods for a GPU where anything else runs", () => {
    expect(open(judgeYaml(simple("coordinator", "helper")))).toEqual([
      `${O} error role-unknown`,
      `${A} fail adapter-type-missing`,
      `${W} skip`,
      `${V} skip`,
      `${G} fail gpu-agent-missing`,
    ]);
  });
  test("ask of a server without a GPU for its proxy, and not for a disk where it needs none", () => {
    expect(open(judgeYaml(but("-snp-gpu", "", simple("unstructured-api", "unstructured-api"))))).toEqual([
      `${A} fail adapter-type-missing`,
      `${W} skip`,
    ]);
  });

  test("list what they read", () => {
    const { judged, evidence } = judgeYaml(pod);
    expect(judged.subject.name).toBe("safety apps/v1/Deployment/continuum-0a1b2c/workload-granite");
    expect(evidence).toEqual({
      gpu: true,
      readsPrompts: true,
      containers: [
        {
          name: "attestation-agent",
          role: "attestation-agent",
          byImage: true,
          gpuDriverVersions: ["595.58.03"],
          gpuVbiosVersions: ["96.00.88.00.11", "96.00.9F.00.04"],
        },
        {
          name: "disk-mounter-granite-0",
          role: "disk-mounter",
          byImage: true,
          disk: { model: "granite", index: "0", rootHash },
          devices: ["/dev/modelweights-granite-0"],
        },
        { name: "workload-granite-0", role: "server", byImage: true },
        {
          name: "inference-proxy-granite-0",
          role: "inference-proxy",
          byImage: true,
          adapterType: ["openai,anthropic"],
          workloadAddress: ["127.0.0.1"],
        },
      ],
      trustRemoteCode: [],
      sources: [{ container: "workload-granite-0", sha256: patchHash, file: "a.patch" }],
    });
  });
  test("ask the image's configuration, too: variables, entry point, arguments", () => {
    const image = (name: string, more: Partial<ImageConfig>) => {
      const own = `sha256:${"b".repeat(64)}`;
      const base = { entrypoint: [], cmd: [], env: [], workingDir: "/", user: "", volumes: [] };
      const yaml = but(`demo/${name}:v1@sha256:${"a".repeat(64)}`, `demo/${name}:v1@${own}`);
      const configs = new Map([[own, { config: { ...base, ...more }, name: "config.json" }]]);
      return open(judgeYaml(yaml, privatemodeRules, undefined, configs));
    };
    const logs = `${P} fail prompt-logs-on`;
    expect(image("vllm-openai", { env: ["PATH=/bin"] })).toEqual([]);
    expect(image("vllm-openai", { env: ["VLLM_LOGGING_LEVEL=DEBUG"] })).toEqual([logs]);
    expect(image("vllm-openai", { env: ["X=--trust-remote-code"] })).toEqual([`${R} fail remote-code`]);
    expect(image("inference-proxy", { entrypoint: ["/bin/p", "--log-level=debug"] })).toEqual([logs]);
    // A command in the file replaces both.
    expect(image("vllm-openai", { entrypoint: ["--log-level=debug"], cmd: ["--log-level=debug"] })).toEqual([]);
    const blind = `${G} fail gpu-agent-blind`;
    expect(image("attestation-agent", { env: ["NVIDIA_VISIBLE_DEVICES=void"] })).toEqual([blind]);
    expect(image("attestation-agent", { env: ["NVIDIA_VISIBLE_DEVICES=all"] })).toEqual([]);
    // What the file says goes before what the image says.
    const own = but(agentArgs, `env: [{ name: NVIDIA_VISIBLE_DEVICES, value: all }]\n          ${agentArgs}`);
    const config = {
      entrypoint: [],
      cmd: [],
      env: ["NVIDIA_VISIBLE_DEVICES=void"],
      workingDir: "/",
      user: "",
      volumes: [],
    };
    const configs = new Map([[`sha256:${"a".repeat(64)}`, { config, name: "config.json" }]]);
    expect(open(judgeYaml(own, privatemodeRules, undefined, configs))).toEqual([]);
  });
  test("compare hashes in the file with those of the files that were given", () => {
    const claim = judgeYaml(pod).judged.claims.find((c) => c.id === S);
    expect([claim?.expected?.value, claim?.actual?.value]).toEqual([`["${patchHash}"]`, `["${patchHash}"]`]);
    expect(claim?.actual?.origin).toEqual({ kind: "recomputed", name: "SHA-256 of a.patch" });
    expect(open(judgeYaml(pod, privatemodeRules, new Map()))).toEqual([`${S} error source-hash-only`]);
  });
  test("are the auditor's to change", () => {
    const { inferenceProxy } = privatemodeRules;
    const rules = {
      ...privatemodeRules,
      inferenceProxy: { ...inferenceProxy, adapterTypes: ["openai"], loopbackNames: [] },
    };
    expect(open(judgeYaml(but("127.0.0.1", "localhost"), rules))).toEqual([
      `${A} fail adapter-type-unknown`,
      `${W} fail address-not-loopback`,
    ]);
    expect(() => judgeYaml(pod, { ...rules, servers: [{ images: [], names: ["("], disk: true }] })).toThrow(
      "not a regular expression: (",
    );
  });
  test("find a repository in a reference", () => {
    for (const reference of ["r:5000/a/b", "r:5000/a/b:v1", "r:5000/a/b:v1@sha256:00", "r:5000/a/b@sha256:00"])
      expect(repositoryOf(reference)).toBe("r:5000/a/b");
  });
});
