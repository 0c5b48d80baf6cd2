import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { claimsDocument } from "../scripts/claims-document.ts";
import { entries, questionOf, registered } from "../src/catalogues.ts";
import { explain } from "../src/explain.ts";

const sentence = /^[^\s].*[.?!]$/s;
const machine = /\/work\b|\/tmp\/|localhost:\d|registry\.npmjs/;

describe("the catalogues", () => {
  test("are all registered with at least one question each", () => {
    for (const { verifier, catalogues } of registered)
      for (const c of catalogues) expect(Object.keys(c).length, verifier).toBeGreaterThan(0);
  });

  test("name each id once, or the same question under it", () => {
    const all = registered.flatMap(({ catalogues }) => catalogues.flatMap((c) => Object.entries(c)));
    for (const [id, question] of all) expect(question, id).toBe(questionOf(id));
    expect(new Set(entries.map((e) => e.id)).size).toBe(entries.length);
  });

  test("begin each id with the verifier and spell it <verifier>.<object>.<property>", () => {
    for (const { id, verifier } of entries) {
      expect(id.startsWith(`${verifier}.`), id).toBe(true);
      expect(id).toMatch(/^[a-z]+(\.[a-z0-9]+(_[a-z0-9]+)*){1,3}$/);
    }
  });

  test("spell each reason code as codes do, and use it for one claim or two", () => {
    for (const { verifier } of registered) {
      const own = entries.filter((e) => e.verifier === verifier);
      const codes = own.flatMap((e) => Object.keys(e.question.codes).map((code) => ({ code, id: e.id })));
      for (const [code, same] of Map.groupBy(codes, (c) => c.code)) {
        expect(code).toMatch(/^([a-z0-9]+(-[a-z0-9]+)*|[A-Z0-9]+(_[A-Z0-9]+)*)$/);
        expect(same.map((c) => c.id).length, `${code}: ${same.map((c) => c.id).join(", ")}`).toBeLessThanOrEqual(2);
      }
    }
  });

  test.each(entries.map((e) => [e.id, e.question] as const))("%s says all that an auditor needs", (id, q) => {
    expect(q.asks, "asks").toMatch(/^[A-Z].*\?$/s);
    for (const field of ["stops", "todo"] as const) expect(q[field], `${id} ${field}`).toMatch(sentence);
    expect(q.spec.trim(), "spec").not.toBe("");
    for (const [code, text] of Object.entries(q.codes)) expect(text, code).toMatch(sentence);
    for (const text of [q.asks, q.spec, q.stops, q.todo, ...Object.values(q.codes)]) {
      expect(text).not.toMatch(machine);
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]|\bTODO\b|\bTBD\b/u);
    }
  });

  test("are explained, every id and every code", () => {
    for (const { id, question } of entries) {
      expect(explain(id).kind).toBe("claim");
      for (const code of Object.keys(question.codes)) {
        const found = explain(code);
        expect(found.kind === "code" && found.claims.some((c) => c.claim.id === id), code).toBe(true);
      }
    }
  });

  test("are what docs/claims.md holds", () => {
    const text = readFileSync(new URL("../docs/claims.md", import.meta.url), "utf8");
    expect(text === claimsDocument(registered, entries), "docs/claims.md is stale: npm run docs").toBe(true);
  });
});
