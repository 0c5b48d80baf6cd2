/** The questions of `pm policy check`: does each policy say what the deployment file says, and is what it allows safe? */
import { catalogue } from "../../claims/question.ts";
import { kata } from "./claims.ts";

const kubernetes = "Kubernetes API, workload resources";
const genpolicy = "Kata Containers, genpolicy, policy_data";
const contrast = "Contrast v1.20 documentation";

/** What the deployment file itself owes. */
export const deployment = catalogue("kata", {
  "kata.deployment.format": {
    asks: "Is the deployment file Kubernetes YAML that every reader takes the same way?",
    spec: `YAML 1.2; ${kubernetes}`,
    stops: "A file that says one thing to the auditor and another to the tool that made the policies.",
    todo: "Mend the place that the message names, or take the file from the source again.",
    owed: "always",
    codes: {
      "deployment-malformed": "The file is no YAML, or an object in it breaks the form of its kind.",
    },
  },
  "kata.deployment.workloads": {
    asks: "Does the deployment file hold at least one confidential workload, and each of them once?",
    spec: `${contrast}, generate, runtime class; manifest, WorkloadSecretID`,
    stops: "A comparison with nothing, which would find nothing wrong.",
    todo: "Name the deployment file from which the policies were made. A confidential pod has a runtimeClassName that begins with contrast-cc.",
    owed: "always",
    codes: {
      "no-workload": "No object of the file runs under a confidential runtime class.",
      "workload-twice": "Two objects of the file have the same WorkloadSecretID.",
    },
  },
});

/** What the manifest owes beside its own form. */
export const manifestKeys = catalogue("kata", {
  "kata.manifest.explained": {
    asks: "Is each policy of the manifest explained by exactly one workload of the deployment file?",
    spec: `${contrast}, manifest, Policies`,
    stops: "A policy that nobody explains lets somebody else join the mesh and receive its secrets.",
    todo: "Find out what the policy behind the key allows: get its body and read it. Do not trust the deployment before that.",
    owed: "always",
    codes: {
      "key-unexplained": "The manifest has a policy for which the deployment file has no workload.",
      "key-shared": "One policy of the manifest stands for several workloads of the deployment file.",
    },
    waivable: false,
  },
});

const identity = catalogue("kata", {
  "kata.workload.policy_found": {
    asks: "Has the manifest exactly one policy for this workload, and is its body at hand?",
    spec: `${contrast}, manifest, WorkloadSecretID`,
    stops: "A workload that runs under a policy which nobody has looked at.",
    todo: "Compare the WorkloadSecretID with the manifest's entries; give the body as a .toml file in the folder, or a bundle that holds it.",
    owed: "always",
    codes: {
      "policy-missing": "No entry of the manifest has this WorkloadSecretID.",
      "policy-several": "Several entries of the manifest have this WorkloadSecretID.",
      "body-not-at-hand": "None of the bodies that were given has the manifest's key as its digest.",
    },
  },
  "kata.workload.role": {
    asks: "Is the role that the manifest gives to the workload the one that its annotation asks for?",
    spec: `${contrast}, manifest, Role`,
    stops: "A workload that may pass for the Coordinator.",
    todo: "Demand a manifest in which only the Coordinator has the role coordinator.",
    owed: "always",
    codes: { "role-differs": "The manifest's role is not that of the annotation contrast.edgeless.systems/pod-role." },
  },
  "kata.workload.sans": {
    asks: "Does the manifest give the workload the names that Contrast derives, with the service's known additions, and no other?",
    spec: `${contrast}, manifest, SANs; the service's additions stand in its built-in profile`,
    stops: "A workload whose certificate bears the name of another one: clients would hand it their secrets.",
    todo: "Find out what the further name is for. The profile of the service knows the additions that its operator makes; use it with --profile.",
    owed: "always",
    codes: { "sans-differ": "The manifest's SANs are not the derived ones." },
  },
});

/** Owed by a workload whose annotation holds a policy: a file that `contrast generate` wrote. */
const annotation = catalogue("kata", {
  "kata.annotation.equal": {
    asks: "Is the policy in the deployment file's own annotation the body that the manifest names?",
    spec: "Kata Containers, initdata specification, annotation",
    stops: "A deployment file that was published beside another policy than the one in force.",
    todo: "Generate the policies again from this file, or take the file that belongs to this manifest.",
    owed: "always",
    codes: {
      "annotation-differs": "The annotation holds another document.",
      "annotation-malformed": "The annotation is not base64 of one gzip member.",
    },
  },
});

const policyText = catalogue("kata", {
  "kata.rules.known": {
    asks: "Is the text of the policy's rules one that the auditor knows?",
    spec: `Kata Containers, genpolicy, rules; ${contrast}, policies`,
    stops: "Rules that let through what the data forbid: everything else here judges the data alone.",
    todo: "Take the rules from a release that you trust and give their digest with --rules-sha256; `pm policy hash` prints the digest of a policy's rules.",
    owed: "always",
    codes: {
      "rules-unknown": "The digest of the rules is not among those that were given, or none was given.",
      "rules-lax": "The rules allow a request by default that no policy may allow.",
    },
  },
  "kata.policy_data.single": {
    asks: "Is policy_data defined once, behind the rules, with nothing in the rules that defines or replaces it?",
    spec: "Open Policy Agent, policy language, rules; Kata Containers, genpolicy",
    stops: "Data shown to the auditor while the guest's engine reads other data.",
    todo: "Do not use the policy. Ask the operator why its rules speak of policy_data in this way.",
    owed: "always",
    codes: {
      "policy-data-rival": "The rules hold a further definition of policy_data, or something that replaces it.",
    },
    waivable: false,
  },
  "kata.policy_data.format": {
    asks: "Is policy_data written as genpolicy writes it, with no member that pm does not know?",
    spec: genpolicy,
    stops: "A member that pm passes over while the rules give it a meaning.",
    todo: "Find out which release wrote the member, and what its rules do with it.",
    owed: "always",
    codes: {
      "policy-data-malformed": "policy_data is no JSON document of genpolicy's form, or is not there.",
      "policy-data-unknown": "policy_data has a member that pm does not know.",
    },
  },
  "kata.policy_data.common": {
    asks: "Do the names that policy_data uses for paths and patterns stand for what genpolicy's defaults say?",
    spec: `${genpolicy}, common`,
    stops:
      "A placeholder that was widened: each mount and variable that is written with it would let in more than it shows.",
    todo: "Compare the values with the settings of the release that made the policy.",
    owed: "always",
    codes: {
      "common-open": "A placeholder stands for a pattern that lets anything in.",
      "common-unknown": "A placeholder, or its value, is one that pm does not know.",
    },
  },
  "kata.containers.complete": {
    asks: "Has the policy the deployment file's containers in their order, and no other apart from the sandbox and the sidecars that were named?",
    spec: `${genpolicy}, containers; ${contrast}, generate`,
    stops: "A further container, which the host may start inside the confidential pod.",
    todo: "Find out what a further container is for. One that Contrast adds is named with --sidecar-image NAME=REF, from the release's list.",
    owed: "always",
    codes: {
      "container-extra": "The policy allows a container that the deployment file does not have.",
      "container-missing": "The policy lacks a container of the deployment file.",
      "container-order": "The containers are the same in another order.",
    },
  },
  "kata.containers.sandbox": {
    asks: "Is the first container the sandbox, allowed to run nothing but the pause program?",
    spec: `${genpolicy}, containers, first entry`,
    stops: "A program of the host's choice in the place of the sandbox, which no deployment file mentions.",
    todo: "Do not use the policy unless you know why its sandbox differs.",
    owed: "always",
    codes: { "sandbox-differs": "The first container is no sandbox, or may do more than pause." },
  },
});

const requests = catalogue("kata", {
  "kata.requests.exec": {
    asks: "May the host start no program in a running container by the request defaults?",
    spec: `${genpolicy}, request_defaults, ExecProcessRequest`,
    stops: "kubectl exec by whoever runs the host: a shell beside the prompts.",
    todo: "Demand a policy with empty defaults for ExecProcessRequest.",
    owed: "always",
    codes: { "exec-allowed": "The request defaults allow programs to be started in running containers." },
    waivable: false,
  },
  "kata.requests.copy": {
    asks: "May the host copy files only to where shared volumes are kept?",
    spec: `${genpolicy}, request_defaults, CopyFileRequest`,
    stops: "A file written over a program or its configuration inside the guest.",
    todo: "Demand a policy whose CopyFileRequest holds nothing but $(sfprefix).",
    owed: "always",
    codes: { "copy-open": "CopyFileRequest lets in paths other than those of shared volumes." },
  },
  "kata.requests.env_regex": {
    asks: "Are all patterns by which the host may add environment variables known, or accepted by the auditor?",
    spec: `${genpolicy}, request_defaults, CreateContainerRequest, allow_env_regex`,
    stops: "A variable that changes a program, such as LD_PRELOAD or a proxy's address, set by the host.",
    todo: "See which variables the pattern lets in. Where that is harmless, accept it with --env-regex PATTERN.",
    owed: "always",
    codes: {
      "env-regex-open": "A pattern lets in variables of any name or value.",
      "env-regex-unknown": "A pattern is none of genpolicy's and was not accepted.",
    },
  },
  "kata.requests.others": {
    asks: "Are the remaining requests of the host, such as writing to a container's input, refused by default?",
    spec: `${genpolicy}, request_defaults`,
    stops: "Input or mounts that the host gives to a running container.",
    todo: "Demand a policy in which these defaults are false.",
    owed: "always",
    codes: {
      "request-allowed": "A request is allowed by default.",
      "request-unknown": "The request defaults have a member that pm does not know.",
    },
  },
  "kata.requests.logs": {
    asks: "Is the host kept from reading what containers print?",
    spec: `${genpolicy}, request_defaults, ReadStreamRequest`,
    stops: "Prompts in a log line reaching whoever runs the host.",
    todo: "Check that no container prints what it is given: the arguments that switch request logs off.",
    owed: "advisory",
    codes: { "logs-readable": "The host may read what containers print." },
  },
});

/** What each workload of the deployment file owes: the questions about its policy body, too. */
export const workload = { ...identity, ...kata, ...policyText, ...requests };
export const annotatedWorkload = { ...workload, ...annotation };

/** What each container of the deployment file, and each sidecar that was named, owes. */
export const container = catalogue("kata", {
  "kata.container.image": {
    asks: "Does the policy pin the image digest that the deployment file names?",
    spec: `${genpolicy}, image; ${contrast}, policies, images`,
    stops: "Another program under the right name.",
    todo: "Find out which image the digest in the policy belongs to, and why the file names another.",
    owed: "always",
    codes: {
      "image-differs": "The policy pins another digest.",
      "image-unpinned": "The deployment file or the policy names the image without a digest.",
      "image-names-differ": "The places in which the policy names the image do not name the same digest.",
    },
  },
  "kata.container.repository": {
    asks: "Does the policy name the image by the same repository and tag as the deployment file?",
    spec: `${contrast}, policies, images`,
    stops: "Nothing by itself: the guest compares digests only. It tells where the image was taken from.",
    todo: "Check that both repositories hold the same image, and who may write to them.",
    owed: "advisory",
    codes: { "repository-differs": "The digest is the same under another repository or tag." },
  },
  "kata.container.pod": {
    asks: "Is the container bound to the workload's namespace, as an ordinary container?",
    spec: `${genpolicy}, OCI.Annotations`,
    stops: "A policy that was made for the same pod elsewhere.",
    todo: "Check for which namespace the policy was made.",
    owed: "always",
    codes: { "namespace-differs": "The policy names another namespace, or another type of container." },
  },
  "kata.container.args": {
    asks: "Are command and arguments the deployment file's, word by word, after Kubernetes' expansion?",
    spec: `${kubernetes}, command, args; OCI image configuration, Entrypoint, Cmd`,
    stops: "Other arguments: another model, another disk's root hash, a switch that turns a check off.",
    todo: "Compare the two lists. Where the image's own entry point is used, give its configuration with --image-config REF=FILE.",
    owed: "always",
    codes: {
      "args-differ": "The words differ in number, order or content.",
      "args-open": "A word holds $(node-name): public rules of genpolicy take any text for such a word.",
      "args-unknown": "A part of the arguments is not in the deployment file, and its source was not given.",
    },
  },
  "kata.container.env": {
    asks: "Is each environment variable that the policy allows the deployment file's, the image's, or one that Kubernetes adds, and none missing?",
    spec: `${kubernetes}, env; OCI image configuration, Env`,
    stops: "A variable that changes what the program does.",
    todo: "Find out where the variable comes from. The image's own are known with --image-config REF=FILE.",
    owed: "always",
    codes: {
      "env-missing": "The policy lacks a variable of the deployment file or of the image.",
      "env-differs": "The policy has another value for a variable.",
      "env-surplus": "The policy allows a variable that nobody explains.",
      "env-unknown": "A variable's value is not in the deployment file, and its source was not given.",
    },
  },
  "kata.container.capabilities": {
    asks: "Has the container exactly the capabilities that its security context asks for?",
    spec: `${kubernetes}, securityContext; ${genpolicy}, Capabilities`,
    stops: "A container that may load modules, trace others or mount what it likes.",
    todo: "Demand a policy with the capabilities of the deployment file.",
    owed: "always",
    codes: { "capabilities-differ": "The policy has a capability more or less." },
  },
  "kata.container.privileges": {
    asks: "Are privilege escalation, the read-only root, the terminal and shared processes as the deployment file says?",
    spec: `${kubernetes}, securityContext, tty; ${genpolicy}, NoNewPrivileges, Root, Terminal, sandbox_pidns`,
    stops: "A program that gains rights, or changes its own image, where the deployment file forbids it.",
    todo: "Demand a policy with the security context of the deployment file.",
    owed: "always",
    codes: { "privileges-differ": "One of these settings is not the deployment file's." },
  },
  "kata.container.root": {
    asks: "Is the container's root file system mounted where the guest puts what it made out of the image?",
    spec: `${genpolicy}, OCI.Root.Path`,
    stops: "A root file system out of a folder of the host, under the name and digest of the right image.",
    todo: "Do not use the policy: find out what its Root.Path stands for.",
    owed: "always",
    codes: { "root-differs": "Root.Path is none of those that genpolicy writes." },
  },
  "kata.container.devices": {
    asks: "Does the container receive exactly the block devices of its volumeDevices?",
    spec: `${kubernetes}, volumeDevices; ${genpolicy}, devices`,
    stops: "A device of the host in a container that nobody knows of.",
    todo: "Find out what the device is for.",
    owed: "always",
    codes: { "devices-differ": "The policy has a device more or less." },
  },
  "kata.container.mounts": {
    asks: "Is each mount one of the deployment file or of Kubernetes' own, none missing, and none a writable volume that the host shares?",
    spec: `${kubernetes}, volumeMounts; ${genpolicy}, Mounts, storages`,
    stops: "Files that the host puts before a program, or that it reads where the program believes them to be private.",
    todo: "Find out what the mount is for. What is written to a shared volume is in the host's hands.",
    owed: "always",
    codes: {
      "mount-unexpected": "The policy has a mount or a storage that nobody explains.",
      "mount-missing": "The policy lacks a mount of the deployment file.",
      "mount-source": "A mount has another source or type than its kind of volume has.",
      "mount-host-path": "The volume is a path of the host.",
      "mount-shared-writable": "The container may write to a volume that the host shares.",
      "mount-unknown": "The volume is of a kind that pm does not judge.",
    },
  },
  "kata.container.user": {
    asks: "Does the container run as the user, and where one is stated the group, of the deployment file or the image?",
    spec: `${kubernetes}, securityContext, runAsUser, runAsGroup; OCI image configuration, User`,
    stops: "A program that runs as root where it should not.",
    todo: "Where the image's own user is used, give its configuration with --image-config REF=FILE.",
    owed: "always",
    codes: {
      "user-differs": "The policy has another user or group.",
      "user-unknown": "Neither the deployment file nor a given image configuration says the number of the user.",
    },
  },
  "kata.container.cwd": {
    asks: "Is the working directory that of the deployment file or the image?",
    spec: `${kubernetes}, workingDir; OCI image configuration, WorkingDir`,
    stops: "A program that takes its files from another folder.",
    todo: "Where the image's own working directory is used, give its configuration with --image-config REF=FILE.",
    owed: "always",
    codes: {
      "cwd-differs": "The policy has another working directory.",
      "cwd-unknown": "Neither the deployment file nor a given image configuration says the working directory.",
    },
  },
  "kata.container.exec": {
    asks: "May the host start only the commands of the container's own probes and hooks in it?",
    spec: `${kubernetes}, probes, lifecycle; ${genpolicy}, exec_commands`,
    stops: "A shell beside the program.",
    todo: "Demand a policy whose exec_commands are the deployment file's probes.",
    owed: "always",
    codes: { "exec-commands-differ": "The policy allows another command than those of the probes and hooks." },
    waivable: false,
  },
});

/** Owed by a container whose image the auditor named apart from the deployment file. */
export const sidecarContainer = {
  ...container,
  ...catalogue("kata", {
    "kata.container.sidecar": {
      asks: "Is the sidecar's image the one of the Contrast release, as the auditor named it?",
      spec: `${contrast}, generate, initializer and service mesh`,
      stops: "An initializer that hands the mesh's keys to somebody else: it sees them first.",
      todo: "Take the sidecar's image from the release's own list, and compare the two digests.",
      owed: "always",
      codes: { "sidecar-image-differs": "The sidecar's image is not the one that was named." },
    },
  }),
};
