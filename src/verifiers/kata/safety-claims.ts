/** Is what a workload may run safe? A policy that equals the deployment file proves transcription; these ask about the file. */
import { catalogue } from "../../claims/question.ts";

const kubernetes = "Kubernetes API, PodSpec and Container";
const rules = "the service's rules in the auditor's profile";

/** Owed by each confidential workload of a service whose rules are known. */
export const safety = catalogue("kata", {
  "kata.safety.roles": {
    asks: "Is each container of the workload recognised by its image, so that the rules for its role were asked?",
    spec: `${rules}; ${kubernetes}, image`,
    stops: "A container that reads prompts under an image that no rule speaks of.",
    todo: "Find out what the container is for. Name its image in the profile's rules, as a server where it reads prompts.",
    owed: "always",
    codes: { "role-unknown": "No rule names the container's image, or only its name looks like one that is known." },
  },
  "kata.safety.adapter_type": {
    asks: "Stands an inference proxy before each server, and names each proxy only adapter types that are known to decrypt inside the pod?",
    spec: `${rules}; Privatemode v1.40.0, inference-proxy, --adapter-type`,
    stops: "Prompts that cross the cluster unencrypted: the adapter type unencrypted exists.",
    todo: "Demand a deployment file with a known adapter type. One that you have reviewed is added to the profile's rules.",
    owed: "always",
    codes: {
      "adapter-type-unknown": "A proxy names an adapter type that is not among the known ones.",
      "adapter-type-missing": "A proxy names no adapter type, or a server, or a pod with a GPU, has no proxy.",
      "adapter-type-unreadable":
        "The proxy's command or arguments cannot be read in one way, or something beside its program may run.",
    },
  },
  "kata.safety.workload_address": {
    asks: "Does each inference proxy hand decrypted prompts to a loopback address only?",
    spec: `${rules}; RFC 1122, 3.2.1.3; RFC 4291, 2.5.3; Privatemode v1.40.0, inference-proxy, --workload-address`,
    stops: "Prompts that leave the confidential pod in the clear.",
    todo: "Demand 127.0.0.1 or ::1 as the workload address.",
    owed: "always",
    codes: {
      "address-not-loopback": "The workload address, or what its port makes of it, is no loopback address.",
      "address-missing": "A proxy names no workload address.",
      "address-unreadable":
        "The proxy's command or arguments cannot be read in one way, or something beside its program may run.",
    },
  },
  "kata.safety.gpu_versions": {
    asks: "Does each attestation agent name the GPU driver and VBIOS versions that it accepts, each of them a version?",
    spec: `${rules}; Privatemode v1.40.0, attestation-agent, --gpu-driver-versions, --gpu-vbios-versions`,
    stops: "An agent that accepts any firmware, old ones with known holes too.",
    todo: "Demand lists of exact versions, and compare them with NVIDIA's bulletins.",
    owed: "always",
    codes: {
      "gpu-versions-missing": "An agent has no list of driver or of VBIOS versions, or an empty one.",
      "gpu-version-wrong": "An entry of a list is no version.",
      "gpu-versions-unreadable":
        "The agent's command or arguments cannot be read in one way, or something beside its program may run.",
    },
  },
  "kata.safety.gpu_agent": {
    asks: "Does a pod with a GPU run the attestation agent, which sees all GPUs, to its end as an init container, before a server or proxy starts?",
    spec: `${rules}; ${kubernetes}, initContainers, resources; Contrast v1.20 documentation, GPU runtime classes`,
    stops: "Prompts handed to a GPU that nobody attested, or that the host stands in for.",
    todo: "Demand the attestation agent as an init container of the pod, without restartPolicy Always.",
    owed: "always",
    codes: {
      "gpu-agent-missing": "A pod with a GPU has no attestation agent among its init containers.",
      "gpu-agent-blind": "A variable hides GPUs from the agent, which has nothing to attest then.",
      "gpu-agent-late": "A server or proxy starts before the agent has ended.",
      "gpu-agent-unreadable": "The agent runs another command, or has arguments that the rules do not know.",
    },
  },
  "kata.safety.disks": {
    asks: "Is each disk given to a disk mounter alone, with a root hash, and read by servers through its volume: mounted read-only, or receiving the mounter's mounts (HostToContainer) and sending none?",
    spec: `${rules}; ${kubernetes}, volumeDevices, volumeMounts; Privatemode v1.40.0, disk-mounter`,
    stops: "Weights that the host chose: a disk without dm-verity, or a model from elsewhere.",
    todo: "Compare the container that the message names with the disk mounters of the source's deployment file.",
    owed: "always",
    codes: {
      "disk-device-elsewhere": "A container that is no disk mounter holds a block device.",
      "disk-arguments": "A disk mounter's arguments are not model, index and root hash.",
      "disk-device-missing": "A disk mounter holds no device, or several.",
      "disk-volume-writable": "Another container may write to a disk mounter's volume, or mount over it.",
      "disk-missing": "A model server mounts no volume of a disk mounter.",
      "disk-model-elsewhere":
        "No argument of a model server names a path in a disk mounter's volume, another volume lies over one, or a path goes upwards.",
      "disk-unreadable":
        "A disk mounter's or model server's command or arguments cannot be read in one way, or name files that the host keeps.",
    },
  },
  "kata.safety.host_volumes": {
    asks: "Is no volume that the host shares writable, and none a path of the host, where an emptyDir counts as the guest's own (kata.container.mounts asks where the policy puts it)?",
    spec: `${kubernetes}, volumes, volumeMounts`,
    stops: "Prompts written where the host reads them, or files that the host exchanges under a running program.",
    todo: "Find out what the volume is for. Demand an emptyDir, or a read-only mount.",
    owed: "always",
    codes: {
      "host-path-volume": "The pod has a volume of kind hostPath.",
      "host-volume-writable": "A container may write to a volume that the host keeps.",
      "host-volume-unknown": "A container mounts a volume of a kind that pm does not judge.",
    },
  },
  "kata.safety.prompt_logs": {
    asks: "Does no argument or variable of a container that can read prompts switch their logging on?",
    spec: `${rules}; vLLM, serving arguments and environment variables`,
    stops: "Prompts in log lines, which the host may read.",
    todo: "Demand a deployment file without the argument. What a program logs without being asked only its source shows.",
    owed: "always",
    codes: {
      "prompt-logs-on":
        "An argument or a variable switches on the logging of requests, or a level at which they are logged.",
      "prompt-logs-unreadable": "Arguments or variables come from outside the deployment file.",
    },
  },
  "kata.safety.remote_code": {
    asks: "Does no container run code that comes with the model?",
    spec: `${rules}; vLLM, serving arguments, --trust-remote-code`,
    stops: "Program code on a model disk, which nobody looks for there.",
    todo: "Review the Python files on the model's disk: its root hash pins them.",
    owed: "advisory",
    codes: { "remote-code": "A container runs code that comes with the model." },
  },
  "kata.source.known": {
    asks: "Is each file that a command checks by its SHA-256 before it runs or reads it one that the auditor holds?",
    spec: `FIPS 180-4, SHA-256; ${kubernetes}, command, args`,
    stops: "Code under a hash that nobody has a text for: patches, sitecustomize, lock files.",
    todo: "Take the file from the source at its commit, read it, and give it among the profile's deployment.sources.",
    owed: "always",
    codes: {
      "source-hash-only": "A command checks a file by a SHA-256, and no file with it was given.",
      "source-hash-unreadable":
        "A command checks a digest that is not in the deployment file, a list of them in a file, or by another algorithm than SHA-256.",
    },
  },
});

/** What these rules leave open, whatever they answer. */
export const notProvenBySafety: readonly string[] = [
  "Programs: that a proxy, agent or disk mounter does what its arguments say, only its source shows.",
  "Addresses: a server that listens on all addresses can be reached past its proxy wherever the pod's network permits; where a workload address is a name, /etc/hosts, a file of the host's, says what it stands for.",
  "Logs: what programs log without an argument that switches it on was not looked at.",
  "Files of the host's: a command that checks one by its SHA-256 and then reads it reads what the host has put there by then; a copy that is checked is safe.",
  "Scripts: a shell script can be written so that no search for arguments or hashes finds what it does; read the commands of the deployment file.",
];
