/** The report as one JSON document; docs/report.schema.json is its schema. */
import type { Report } from "./report.ts";
import { safeJson } from "./text.ts";

/** Two spaces, members in the order in which they were made, one newline at the end. */
export const reportJson = (report: Report): string => `${safeJson(JSON.stringify(report, null, 2))}\n`;
