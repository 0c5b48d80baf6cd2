/** The inference proxy: it decrypts prompts and hands them on (Privatemode v1.40.0, inference-proxy). */
import { type Answers, skip } from "../../claims/answer.ts";
import { type Problem, ruled } from "./safety-answer.ts";
import type { safety } from "./safety-claims.ts";
import type { Recognised, SafetyCase } from "./safety-types.ts";
import { argumentsOf, type Values, valuesOf } from "./safety-words.ts";

type A = Answers<typeof safety>;
const none = "no GPU, server or inference proxy in this workload";

export type Read = Values | { readonly reason: string };
export const proxiesOf = (c: SafetyCase): Recognised[] => c.containers.filter((x) => x.role === "inference-proxy");

function read(c: SafetyCase, { container }: Recognised, flags: readonly string[]): Read {
  const given = argumentsOf(c, container, c.rules.inferenceProxy);
  return "reason" in given ? given : valuesOf(given.words, flags);
}
export const adapterTypesOf = (c: SafetyCase, proxy: Recognised): Read =>
  read(c, proxy, c.rules.inferenceProxy.adapterTypeFlags);
export const addressesOf = (c: SafetyCase, proxy: Recognised): Read =>
  read(c, proxy, c.rules.inferenceProxy.addressFlags);

const textOf = ({ container }: Recognised, r: Read): string =>
  `${container.name}: ${"reason" in r ? r.reason : r.values.join(" and ") || "nothing"}`;

export function adapterType(c: SafetyCase): A["kata.safety.adapter_type"] {
  const known = c.rules.inferenceProxy.adapterTypes;
  const proxies = proxiesOf(c).map((proxy) => ({ proxy, types: adapterTypesOf(c, proxy) }));
  const servers = c.containers.filter((x) => x.role === "server").length;
  const needed = c.serving ? Math.max(1, servers) : 0;
  // A proxy that ends before the servers start is none.
  const have = proxies.filter(({ proxy }) => proxy.byImage && proxy.container.role !== "init").length;
  const problems = proxies.flatMap(
    ({ proxy, types }): Problem<"adapter-type-unknown" | "adapter-type-missing" | "adapter-type-unreadable">[] => {
      const text = textOf(proxy, types);
      if ("reason" in types) return [{ code: "adapter-type-unreadable", text, open: true }];
      if (types.state === "missing") return [{ code: "adapter-type-missing", text }];
      // The proxy takes several types, in one argument separated by commas or in several.
      const unknown = types.values.flatMap((v) => v.split(",")).filter((type) => !known.includes(type));
      if (unknown.length > 0) return [{ code: "adapter-type-unknown", text }];
      return types.state === "doubtful" ? [{ code: "adapter-type-unreadable", text, open: true }] : [];
    },
  );
  const count = `${have} prox${have === 1 ? "y" : "ies"} for ${servers} server${servers === 1 ? "" : "s"}${c.gpu ? " with a GPU" : ""}`;
  return ruled(c, {
    rule: `a proxy before each server, adapter types among ${known.join(", ")}`,
    found: c.serving ? [count, ...proxies.map(({ proxy, types }) => textOf(proxy, types))] : [],
    none,
    problems: have < needed ? [...problems, { code: "adapter-type-missing", text: count }] : problems,
    code: "adapter-type-missing",
  });
}

const octet = "(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])";
/** An unbracketed ::1 with a port would be another address. */
const loopback = new RegExp(`^(?:127(?:\\.${octet}){3}(?::[0-9]{1,5})?|\\[::1\\](?::[0-9]{1,5})?|::1)$`);

/** Host and port, or a URL of them without user and query. */
function isLoopback(address: string, names: readonly string[]): boolean {
  const host = address.replace(/^https?:\/\//, "").replace(/\/[\w./-]*$/, "");
  return loopback.test(host) || names.includes(host.replace(/:[0-9]{1,5}$/, ""));
}

export function workloadAddress(c: SafetyCase): A["kata.safety.workload_address"] {
  const names = c.rules.inferenceProxy.loopbackNames;
  const proxies = proxiesOf(c).map((proxy) => ({ proxy, address: addressesOf(c, proxy) }));
  if (c.serving && proxies.length === 0) return skip("not asked: no inference proxy; see kata.safety.adapter_type");
  const problems = proxies.flatMap(
    ({ proxy, address }): Problem<"address-not-loopback" | "address-missing" | "address-unreadable">[] => {
      const text = textOf(proxy, address);
      if ("reason" in address) return [{ code: "address-unreadable", text, open: true }];
      if (address.state === "missing" || address.values.includes("")) return [{ code: "address-missing", text }];
      if (!address.values.every((a) => isLoopback(a, names))) return [{ code: "address-not-loopback", text }];
      const port = read(c, proxy, c.rules.inferenceProxy.portFlags);
      if (!("reason" in port) && !port.values.every((p) => /^[0-9]{1,5}$/.test(p)))
        return [{ code: "address-not-loopback", text: `${text} port ${port.values.join(" and ")}` }];
      return address.state === "doubtful" ? [{ code: "address-unreadable", text, open: true }] : [];
    },
  );
  return ruled(c, {
    rule: `127.0.0.0/8, ::1${names.map((name) => ` or ${name}`).join("")}`,
    found: proxies.map(({ proxy, address }) => textOf(proxy, address)),
    none,
    problems,
    code: "address-missing",
  });
}
