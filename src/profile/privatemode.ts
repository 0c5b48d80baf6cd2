/**
 * What Privatemode's deployment must look like to be safe, as data. Source: privatemode-public v1.40.0 (commit 5f28cd3),
 * deployment.yaml, inference-proxy, scripts/generate-manifest.sh and adjust-manifest.sh; the Contrast policy of a
 * workload binds it to its arguments. No value here is one that rots: no digest, no version.
 */
import type { SafetyRules } from "../verifiers/kata/safety-types.ts";
import type { SanEdit } from "../verifiers/kata/sans.ts";

export const privatemodeRules: SafetyRules = {
  name: "privatemode",
  // Images are named by the last part of their repository, ghcr.io/edgelesssys/privatemode/NAME, so that a mirror works.
  inferenceProxy: {
    images: ["inference-proxy"],
    names: ["^inference-proxy(-|$)"],
    // Where the program lies in the image was not confirmed; v1.40.0 uses the image's own entry point.
    programs: ["/bin/inference-proxy"],
    preludes: [],
    adapterTypeFlags: ["--adapter-type"],
    // Those that deployment.yaml uses. `unencrypted` exists too: it hands on what it gets.
    adapterTypes: ["openai", "anthropic", "unstructured"],
    addressFlags: ["--workload-address"],
    portFlags: ["--workload-port"],
    loopbackNames: ["localhost"],
  },
  attestationAgent: {
    images: ["attestation-agent"],
    names: ["^attestation-agent(-|$)"],
    // Not confirmed, as above.
    programs: ["/bin/attestation-agent"],
    preludes: [],
    driverFlags: ["--gpu-driver-versions"],
    // Form of the versions in deployment.yaml: 595.58.03 and 96.00.9F.00.04.
    driverVersion: "^[0-9]+(\\.[0-9]+){1,3}$",
    vbiosFlags: ["--gpu-vbios-versions"],
    vbiosVersion: "^[0-9A-Fa-f]{2}(\\.[0-9A-Fa-f]{2}){4}$",
    visible: [{ name: "NVIDIA_VISIBLE_DEVICES", values: ["all"] }],
  },
  diskMounter: {
    images: ["disk-mounter"],
    names: ["^disk-mounter(-|$)"],
    programs: ["/bin/disk-mounter"],
    // workload-kimi's mounter of v1.40.0 sets this before it runs the program.
    preludes: ["echo 2000000 > /proc/sys/vm/min_free_kbytes"],
    // disk-mounter.sh: device and folder follow from its arguments; that the claim bears the model's name is deployment.yaml's way.
    device: "/dev/modelweights-$(model)-$(index)",
    folder: "/mnt/modelweights-$(model)-$(index)",
    claim: "$(model)",
  },
  servers: [
    { images: ["vllm-openai"], names: ["^workload-[a-z0-9-]+-[0-9]+$"], disk: true },
    { images: ["unstructured-api"], names: ["^unstructured-api$"], disk: false },
  ],
  // The Contrast Coordinator, its sidecars, and the secret service.
  others: ["coordinator", "secret-service", "initializer", "service-mesh-proxy"],
  // vLLM's documented arguments and variables; not confirmed against v0.20.0, the release of the images.
  promptLogs: {
    flags: [
      { name: "--enable-log-requests" },
      { name: "--enable-log-outputs" },
      { name: "--no-disable-log-requests" },
      { name: "--log-level", values: ["debug", "trace"] },
      { name: "--uvicorn-log-level", values: ["debug", "trace"] },
    ],
    env: [
      { name: "VLLM_LOGGING_LEVEL", values: ["debug", "trace"] },
      { name: "VLLM_LOGGING_CONFIG_PATH" },
      { name: "VLLM_DEBUG_LOG_API_SERVER_RESPONSE", values: ["1", "true"] },
      { name: "VLLM_TRACE_FUNCTION", values: ["1", "true"] },
    ],
    files: ["--config"],
  },
  remoteCode: ["--trust-remote-code"],
};

/**
 * What adjust-manifest.sh makes of Contrast's SANs, in its order. It selects entries by text in their WorkloadSecretID;
 * here the object's name is looked at. It takes the instance from the label app.kubernetes.io/instance of
 * secret-service, which in v1.40.0 is what follows "continuum-" in the namespace.
 */
export const privatemodeSans: readonly SanEdit[] = [
  {
    name: "secret-service",
    // The first name becomes the certificate's common name: root of the secret service's etcd.
    first: ["root"],
    last: [
      "secret-service-internal.$(namespace).svc.cluster.local",
      "*.secret-service-headless.$(namespace).svc.cluster.local",
      "$(instance).secret.privatemode.ai",
      "secret.privatemode.ai",
    ],
  },
  { name: "workload-", first: ["continuum-etcd-client"], last: [] },
  { name: "unstructured", first: ["continuum-etcd-client"], last: [] },
];
