/** Start-up of the bundled `pm` against `node -e 0`, warm compile cache (design: 2.8, 3 and 4.5 times). */
import { guestFiles } from "./fixture.ts";
import { bin, type Command, type Row, wallMinimums } from "./measure.ts";

const rounds = 20;

export function startup(folder: string): Row[] {
  const node: Command = { name: "node -e 0", args: ["-e", "0"], status: 0 };
  const commands = [
    { name: "pm --version", args: [bin, "--version"], status: 0, target: 2.8 },
    { name: "pm explain snp.policy.debug", args: [bin, "explain", "snp.policy.debug"], status: 0, target: 3 },
    { name: "pm snp verify, the whole command", args: [bin, ...guestFiles(folder).args], status: 0, target: 4.5 },
  ];
  wallMinimums([node, ...commands], 2); // fills the compile cache
  const best = wallMinimums([node, ...commands], rounds);
  const base = best.get(node.name) ?? Number.NaN;
  return commands.map(({ name, target }) => ({
    what: `${name} / node -e 0, minimum of ${rounds}`,
    ratio: (best.get(name) ?? Number.NaN) / base,
    target,
  }));
}
