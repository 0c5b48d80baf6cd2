/** The auditor's profile: what to audit and what to demand. It belongs to the auditor; nothing secret is in it. */
import * as v from "valibot";

const hexOf = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`), `must be ${bytes * 2} hex digits`),
    v.transform((s) => s.toLowerCase()),
  );
const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/, "must be a date such as 2026-11-22"));
const instant = v.pipe(v.string(), v.isoTimestamp("must be an RFC 3339 time such as 2026-11-22T00:00:00Z"));
const text = v.pipe(v.string(), v.minLength(1, "must not be empty"));
const svn = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255));
const url = v.pipe(v.string(), v.url("must be a URL"), v.regex(/^https?:\/\//, "must begin with http:// or https://"));

/** Each entry names one claim of one subject, who answers for it, and until when. */
const waiver = v.strictObject({ claim: text, subject: text, reason: text, owner: text, expires: instant });

/** Form of a profile file. Unknown members are refused: a misspelt demand would otherwise be no demand. */
export const profileSchema = v.strictObject({
  version: v.literal(1),
  /** The built-in profile whose facts hold where this file says nothing. */
  service: v.picklist(["contrast", "privatemode"]),
  coordinator: v.optional(
    v.strictObject({
      url: v.optional(url),
      /** `v1` only for Coordinators that offer it; judged by its own form, never fallen back from. */
      api: v.optional(v.picklist(["attest", "v1"])),
      /** Value of the Privatemode-Version header. */
      clientVersion: v.optional(text),
      /** SHA-256 of the root CA's SubjectPublicKeyInfo, where it is known from before. */
      rootCaKeySha256: v.optional(hexOf(32)),
    }),
  ),
  contrastVersion: v.optional(v.pipe(v.string(), v.regex(/^v\d+\.\d+$/, "must be like v1.20"))),
  history: v.optional(v.picklist(["any", "exactly-one"])),
  manifest: v.optional(
    v.strictObject({
      /** Who vouches for the expected manifest. */
      reference: v.picklist(["pinned", "published", "recomputed", "explained"]),
      /** Path of the manifest that the auditor holds, relative to this file. */
      file: v.optional(text),
      sha256: v.optional(hexOf(32)),
      /** Date on which the pin was taken over on first sight. */
      firstUse: v.optional(day),
      /** Where the audited party publishes it, when not at the service's usual place. */
      url: v.optional(url),
    }),
  ),
  /** Launch measurements that somebody apart from the manifest vouches for. */
  measurements: v.optional(v.array(hexOf(48))),
  /** Floor under the manifest's own minimum. */
  minimumTcb: v.optional(v.strictObject({ bootloader: svn, tee: svn, snp: svn, microcode: svn, fmc: v.optional(svn) })),
  /** Product lines that are acceptable; absent: all that pm knows. */
  products: v.optional(v.pipe(v.array(v.picklist(["Milan", "Genoa", "Turin"])), v.minLength(1, "must not be empty"))),
  /** Findings that this auditor demands. */
  promote: v.optional(v.array(text)),
  waivers: v.optional(v.array(waiver)),
});
export type ProfileFile = v.InferOutput<typeof profileSchema>;

/** The typed form, or the first problem with the path of the member at fault. */
export function parseProfileFile(
  value: unknown,
): { readonly file: ProfileFile } | { readonly path: readonly (string | number)[]; readonly message: string } {
  const parsed = v.safeParse(profileSchema, value);
  if (parsed.success) return { file: parsed.output };
  const [issue] = parsed.issues;
  return { path: (issue.path ?? []).map((p) => p.key as string | number), message: issue.message };
}
