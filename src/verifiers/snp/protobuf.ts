/** The wire format is shared with the other verifiers whose evidence comes as protobuf. */
export { decodeMessage, type FieldKind, type FieldRule, type Message } from "../../bytes/protobuf.ts";
