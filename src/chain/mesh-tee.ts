/** What a mesh certificate's values mean to the TEE that they are of. */
import { commonName } from "../crypto/certificate.ts";
import { decodeChain } from "../dcap/chain.ts";
import { decodePck, pckName } from "../dcap/pck.ts";
import { PmError } from "../errors.ts";
import type { MeshTee } from "../verifiers/contrast/mesh-entry.ts";
import { expectedMeasurement } from "./ap-measurement.ts";

/** The first certificate is the PCK certificate; the Coordinator has judged the path, and the mesh CA vouches for that. */
function platformOf(pem: Uint8Array): ReturnType<MeshTee["platformOf"]> {
  try {
    const [leaf] = decodeChain(pem, "PCK chain", false);
    if (leaf === undefined || commonName(leaf.subject) !== pckName)
      return { problem: `the first certificate is not an ${pckName}` };
    const { piid, sgxType, configuration } = decodePck(leaf);
    return {
      piid,
      sgxType,
      smtEnabled: configuration?.smtEnabled,
      dynamicPlatform: configuration?.dynamicPlatform,
    };
  } catch (error) {
    if (error instanceof PmError) return { problem: error.message };
    throw error;
  }
}

export const meshTee: MeshTee = { expectedMeasurement, platformOf };
