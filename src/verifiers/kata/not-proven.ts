/** What the policy language cannot guarantee, whatever a policy says; printed with every comparison of policies. */
export const notProvenByPolicies: readonly string[] = [
  "Start: a policy permits containers and forces none to start, in no order, and one may be started twice.",
  "Environment: a container may be started without a variable that its policy lists.",
  "Shared files: what ConfigMaps, Secrets and other volumes of the host hold is in no policy.",
  "Logs: what a container prints may be read by the host wherever ReadStreamRequest is true.",
  "Network: addresses, routes and service links are the host's, within the patterns of the policy.",
  "Rules: that the known rules enforce the data as pm reads it was not executed here.",
  "Groups, namespaces, masked paths, kernel settings, patterns for annotations and for passed-through devices, and cluster settings of a policy were not compared.",
  "Fields of the pod: what a variable takes from the pod's name, address or node is the host's choice.",
  "Initdata: what other entries than the policy hold, such as imagepuller.toml, was not compared with anything.",
  "Images: that a digest is built from the published source was not rebuilt, and image configurations are taken as given.",
];
