/** The API key from a file or stdin: never from an argument, which every process on the machine can read. */
import { readInput } from "../input.ts";
import { ApiKey } from "../sources/secret.ts";

/** @throws PmError PM_USAGE that does not repeat the content */
export async function loadApiKey(path: string): Promise<ApiKey> {
  const { bytes } = await readInput(path, "an API key", 16 * 1024);
  return new ApiKey(Buffer.from(bytes).toString("utf8"));
}
