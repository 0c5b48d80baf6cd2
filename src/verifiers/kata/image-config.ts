/** OCI image configuration (OCI Image Format Specification v1.1, config): what a container is started with by default. */
import { firstRepeated, readJson } from "../../bytes/json.ts";
import { malformed } from "../../errors.ts";
import { Tree } from "./tree.ts";

export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  /** "/" when the image says nothing. */
  readonly workingDir: string;
  /** As written: user or UID, optionally `:` and group or GID; empty when the image says nothing. */
  readonly user: string;
  /** Paths of VOLUME instructions. */
  readonly volumes: readonly string[];
}

export const imageConfigCode = "image-config-malformed";
const maxConfigBytes = 4 * 1024 * 1024;

/**
 * @throws PmError PM_EVIDENCE_MALFORMED (image-config-malformed)
 */
export function decodeImageConfig(bytes: Uint8Array, what = "image config"): ImageConfig {
  const { root, place } = readJson(bytes, { what, reasonCode: imageConfigCode, maxBytes: maxConfigBytes });
  const twice = firstRepeated(root);
  if (twice !== undefined) throw malformed(`${what}: a member stands twice at ${twice}`, imageConfigCode);
  const top = new Tree(root, { what, code: imageConfigCode, place });
  // An image manifest or index handed over by mistake has no rootfs; its silence must not pass for an empty config.
  if (top.get("rootfs") === undefined) throw top.fail("no rootfs: not the configuration of an image");
  const config = top.get("config");
  return {
    entrypoint: config?.strings("Entrypoint") ?? [],
    cmd: config?.strings("Cmd") ?? [],
    env: config?.strings("Env") ?? [],
    workingDir: config?.text("WorkingDir") || "/",
    user: config?.text("User") ?? "",
    volumes:
      config
        ?.get("Volumes")
        ?.members()
        .map((m) => m.name) ?? [],
  };
}
