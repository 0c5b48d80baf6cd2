/** What the runtime puts where policy_data has a placeholder: values of our own choice, and the policy's own `common`. */
import { unsupported } from "../../../errors.ts";
import type { Tree } from "../tree.ts";
import { sample } from "./sample.ts";

/** Lower-case hex, as containerd's identifiers are. */
const idOf = (digit: string): string => digit.repeat(64);
export const sandboxId: string = idOf("0");
/** Identifier of the container's first instance; later ones are other containers as far as the agent can tell. */
export const bundleId = (index: number): string => (index + 1).toString(16).padStart(4, "0").repeat(16);
export const otherBundleId: string = idOf("f");

const ours: Readonly<Record<string, string>> = {
  "sandbox-id": sandboxId,
  "node-name": "node-1",
  "host-name": "host-1",
  "pod-ip": "10.0.0.7",
  "host-ip": "10.0.0.1",
  "pod-uid": "uid-1",
  "resource-field": "1",
  "todo-annotation": "x",
};

const longest = 65_536;
const deepest = 8;

export class Placeholders {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  /** @param common policy_data.common; its texts stand for themselves */
  static of(common: Tree | undefined): Placeholders {
    const texts = (common?.members() ?? []).flatMap((m): [string, string][] =>
      m.value.node.kind === "string" ? [[m.name, m.value.string()]] : [],
    );
    return new Placeholders(new Map([...texts, ...Object.entries(ours)]));
  }

  with(more: Readonly<Record<string, string>>): Placeholders {
    return new Placeholders(new Map([...this.#values, ...Object.entries(more)]));
  }

  /** Placeholders that are not known stay: only the engine knows whether the policy minds. @throws PmError too long */
  literal(text: string): string {
    let filled = text;
    for (let round = 0; round < deepest; round++) {
      const before = filled;
      filled = before.replace(/\$\(([\w-]+)\)/g, (whole, name: string) => this.#values.get(name) ?? whole);
      if (filled.length > longest) throw unsupported(`a placeholder of policy_data makes a text over ${longest} bytes`);
      if (filled === before) break;
    }
    return filled;
  }

  /** A text that the filled pattern should match; one that is not held at its start is taken as it is. @throws PmError */
  matching(text: string): string {
    const filled = this.literal(text);
    if (!filled.startsWith("^")) return filled.endsWith("$") ? filled.slice(0, -1) : filled;
    const found = sample(filled);
    if (found === undefined) throw unsupported(`no text found that matches ${filled.slice(0, 200)}`);
    return found;
  }
}
