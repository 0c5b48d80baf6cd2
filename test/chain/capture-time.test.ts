/** The time of capture against what the evidence rests on, and against today's collateral only where that is what was judged by. */
import { expect, it } from "vitest";
import { captureTime } from "../../src/chain/capture-time.ts";

const path = { name: "Intel SGX PCK Certificate", from: "2023-01-01T00:00:00Z", to: "2030-01-01T00:00:00Z" };
const signer = {
  name: "Intel SGX TCB Signing",
  from: "2025-05-06T09:25:00Z",
  to: "2032-05-06T00:00:00Z",
  signer: true,
};
const seen = (issuer: string, thisUpdate: string, nextUpdate: string) => ({
  ...{ issuer, number: "1", thisUpdate, nextUpdate, from: "a file", offered: true, given: false },
});
const around = { from: "2024-11-20T00:00:00Z", to: "2024-12-20T00:00:00Z" };
const today = { from: "2026-05-01T00:00:00Z", to: "2026-06-01T00:00:00Z" };
const capturedAt = new Date("2024-12-01T00:00:00Z");
const ask = (refreshed: boolean, windows: readonly (typeof path)[], dates: typeof around) => {
  const cpu = {
    windows,
    crls: [seen("Intel SGX Root CA", dates.from, dates.to)],
    documents: [seen("TCB info", dates.from, dates.to)],
  } as unknown as Parameters<typeof captureTime>[1]["cpu"];
  const plan = { capturedAt, now: new Date("2026-05-10T00:00:00Z"), refreshed };
  return captureTime(plan, { cpu, blocked: undefined });
};

it("does not hold evidence to the dates of the certificate that signed today's documents", () => {
  expect(ask(true, [path, signer], today)).toMatchObject({ status: "pass" });
});

it("holds it to them, and to each list and document, where the recorded ones are judged by", () => {
  const old = { ...signer, from: "2018-05-21T00:00:00Z" };
  expect(ask(false, [path, old], around)).toMatchObject({ status: "pass" });
  expect(ask(false, [path, signer], around)).toMatchObject({
    status: "fail",
    code: "capture-time",
    reason: "outside the validity of Intel SGX TCB Signing",
  });
  expect(ask(false, [path, old], today)).toMatchObject({
    status: "fail",
    reason: "outside the window of the revocation lists and documents",
  });
});

it("holds it to the certificates of its own path in either case", () => {
  for (const refreshed of [true, false])
    expect(
      ask(
        refreshed,
        [
          { ...path, to: "2024-11-30T00:00:00Z" },
          { ...signer, from: path.from },
        ],
        around,
      ),
    ).toMatchObject({
      status: "fail",
      reason: "outside the validity of Intel SGX PCK Certificate",
    });
});

it("says nothing where only the signer's certificate is left", () => {
  expect(ask(true, [signer], today).status).toBe("skip");
});
