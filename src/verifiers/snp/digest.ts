/** SHA-256 as lower-case hex: how certificates and signed bytes are named in answers. */
import { createHash } from "node:crypto";
import { hex } from "../../bytes/hex.ts";

export const sha256 = (bytes: Uint8Array): string => hex(createHash("sha256").update(bytes).digest());
