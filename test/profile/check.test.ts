/** What `pm profile check` says of an explained manifest's values, and what `pm profile init` asks for. */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { profileNotes } from "../../src/profile/check.ts";
import type { HeldDeployment } from "../../src/profile/deployment.ts";
import { initialProfile, profileText } from "../../src/profile/init.ts";
import { decodeProfile } from "../../src/profile/load.ts";
import { composeProfile } from "../../src/profile/profile.ts";
import type { ProfileFile } from "../../src/profile/schema.ts";

const deployment: HeldDeployment = {
  file: { name: "deployment.yaml", sha256: "0".repeat(64), bytes: new Uint8Array() },
  policies: undefined,
  references: { rules: [], sidecars: new Map(), imageConfigs: new Map(), envRegexes: [], sources: new Map() },
};
const hex = (bytes: number): string => "a".repeat(2 * bytes);
/** Decoded from text, as a profile is. */
function notesOf(more: object): string[] {
  const value = { version: 1, service: "contrast", manifest: { reference: "explained" }, ...more };
  const file: ProfileFile = decodeProfile({ name: "pm.yaml", bytes: Buffer.from(JSON.stringify(value)) });
  const profile = composeProfile("contrast", { name: "pm.yaml", sha256: "0".repeat(64), file, deployment }, {});
  return profileNotes(profile, new Date(0)).map((n) => n.field);
}
const snpTop = {
  measurements: [hex(48)],
  minimumTcb: { bootloader: 1, tee: 0, snp: 1, microcode: 1 },
  products: ["Genoa"],
};
const snpValues = { guestPolicy: {}, platformInfo: {}, minimumMitigationVector: 0, chipIds: [hex(64)] };
const tdx = { mrTd: hex(48), mrSeam: hex(48), rtmrs: [hex(48), hex(48), hex(48), hex(48)] };
const tdxValues = { tdx: [tdx], minTcbEvaluationDataNumber: 18, piids: [hex(16)] };
const explaining = /^(minimumTcb|products|manifestValues\..*)$/;

describe("an explained manifest", () => {
  test("for which the profile names all that its TEE needs", () => {
    expect(notesOf({ ...snpTop, manifestValues: snpValues }).filter((f) => explaining.test(f))).toEqual([]);
    expect(notesOf({ manifestValues: tdxValues }).filter((f) => explaining.test(f))).toEqual([]);
  });
  test("for which it names nothing", () => {
    expect(notesOf({}).filter((f) => explaining.test(f))).toEqual([
      ...["minimumTcb", "products", "manifestValues.guestPolicy", "manifestValues.platformInfo"],
      ...["manifestValues.minimumMitigationVector", "manifestValues.chipIds"],
    ]);
  });
  test.each(Object.keys(snpValues))("without %s", (name) => {
    const values = Object.fromEntries(Object.entries(snpValues).filter(([member]) => member !== name));
    const notes = notesOf({ ...snpTop, manifestValues: values });
    expect(notes.filter((f) => explaining.test(f))).toEqual([`manifestValues.${name}`]);
  });
  test.each(["minTcbEvaluationDataNumber", "piids"])("of TDX, without %s", (name) => {
    const values = Object.fromEntries(Object.entries(tdxValues).filter(([member]) => member !== name));
    expect(notesOf({ manifestValues: values }).filter((f) => explaining.test(f))).toEqual([`manifestValues.${name}`]);
  });
  test("that may name any machine", () => {
    const { chipIds: _, ...values } = snpValues;
    const notes = notesOf({ ...snpTop, manifestValues: values, relaxations: { anyMachine: true } });
    expect(notes.filter((f) => explaining.test(f))).toEqual([]);
  });
});

test("a fresh profile names each value that an explained manifest needs, as a comment", () => {
  for (const service of ["contrast", "privatemode"] as const) {
    const text = profileText(initialProfile({ service }));
    expect(parse(text)).toEqual({ version: 1, service });
    for (const member of ["minimumTcb", "products", ...Object.keys(snpValues)]) expect(text).toContain(` ${member}: `);
  }
});
