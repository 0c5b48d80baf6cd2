/** TCB statuses and how two of them meet (spec notes tdx.md 4.3; Intel's convergence, not the worse of two names). */

/** Statuses that Intel gives to levels, those that only the whole evaluation can have, and what is not one of them. */
export const tcbStatuses = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
  "NotSupported",
  "Unknown",
] as const;
export type TcbStatus = (typeof tcbStatuses)[number];

/** What an auditor can accept by name; the last three never. */
export const acceptable: readonly TcbStatus[] = tcbStatuses.slice(0, 8);

const levelStatuses: readonly TcbStatus[] = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
];
/**
 * Status of a level; a word that Intel does not use is Unknown, which is refused. Levels of a module or quoting enclave
 * are only known with UpToDate, OutOfDate and Revoked; the others are read there too, and never make anything better.
 */
export const levelStatus = (word: string): TcbStatus => levelStatuses.find((s) => s === word) ?? "Unknown";

/** In the order in which they win over everything else. */
const terminal: readonly TcbStatus[] = ["Unknown", "NotSupported", "Revoked"];
export const isTerminal = (status: TcbStatus): boolean => terminal.includes(status);

/** The platform's status under the status of one of its components, TDX module or quoting enclave: all that either lacks. */
export function converge(platform: TcbStatus, component: TcbStatus): TcbStatus {
  for (const end of terminal) if (platform === end || component === end) return end;
  const both = [platform, component];
  if (component === "UpToDate") return platform;
  const old = both.some(outOfDate);
  const configuration = both.some(needsConfiguration);
  if (old) return configuration ? "OutOfDateConfigurationNeeded" : "OutOfDate";
  const hardening = both.some((s) => s === "SWHardeningNeeded" || s === "ConfigurationAndSWHardeningNeeded");
  if (configuration) return hardening ? "ConfigurationAndSWHardeningNeeded" : "ConfigurationNeeded";
  return hardening ? "SWHardeningNeeded" : "Unknown";
}

export const outOfDate = (status: TcbStatus): boolean =>
  status === "OutOfDate" || status === "OutOfDateConfigurationNeeded";
export const needsConfiguration = (status: TcbStatus): boolean =>
  [
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDateConfigurationNeeded",
    "TDRelaunchAdvisedConfigurationNeeded",
  ].includes(status);
/** Four statuses that are neither out of date nor the end. */
export const current = (status: TcbStatus): boolean =>
  ["UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"].includes(status);
