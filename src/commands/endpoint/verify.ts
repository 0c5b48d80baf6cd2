import { Args, Flags } from "@oclif/core";
import type { EndpointPins } from "../../audit/endpoint-pins.ts";
import { hex } from "../../bytes/hex.ts";
import { BaseCommand, type Printed } from "../../command.ts";
import { usage } from "../../errors.ts";
import { type CollateralValues, collateralFlags, collateralSettings, hexFlag } from "../../flags.ts";
import { readInput } from "../../input.ts";

const evidence = "EVIDENCE";
const expected = "EXPECTED VALUES";
const file = (path: string, what: string) => readInput(path, what, 4 * 1024 * 1024);

interface PinFlags extends CollateralValues {
  readonly bundle?: string | undefined;
  readonly profile?: string | undefined;
  readonly manifest?: string | undefined;
  readonly "mesh-ca"?: string | undefined;
  readonly "contrast-version"?: string | undefined;
}

export default class EndpointVerify extends BaseCommand {
  static override summary = "Verify the certificate of an endpoint in a Contrast mesh.";
  static override description =
    "Asks whether the mesh CA signed the certificate, and whether its host data, names, WorkloadSecretID, measurement, " +
    "TCB and chip are those of one entry of the manifest. The certificate is taken from a live TLS 1.3 handshake, a file, " +
    "or a recorded exchange of keys with Privatemode's secret service, whose signature and name are then demanded too. " +
    "Mesh CA and manifest are files that you hold, or those of a run that `pm verify --save` recorded: it is judged " +
    "again, and nothing of the endpoint is asked unless it verifies.";
  static override examples = [
    "<%= config.bin %> <%= command.id %> secret.example:443 --mesh-ca mesh-ca.pem --manifest manifest.json --san secret.example",
    "<%= config.bin %> <%= command.id %> --certificate chain.pem --bundle today.tar --profile pm.yaml --workload-secret-id ID",
    "<%= config.bin %> <%= command.id %> --exchange exchange.json --mesh-ca mesh-ca.pem --manifest manifest.json --offline --json",
  ];
  static override args = {
    endpoint: Args.string({ description: "HOST:PORT of a live endpoint; no data is sent to it." }),
  };
  static override flags = {
    certificate: Flags.string({
      description: "Certificate, DER, or a PEM chain with the leaf first; or -.",
      helpGroup: evidence,
      helpValue: "FILE",
    }),
    exchange: Flags.string({
      description: "Recorded secret exchange: JSON with the bodies request and response; or -.",
      helpGroup: evidence,
      helpValue: "FILE",
    }),
    bundle: Flags.string({
      description: "Recorded run of pm verify that attested the mesh CA and the manifest.",
      helpGroup: evidence,
      helpValue: "BUNDLE",
      dependsOn: ["profile"],
      exclusive: ["mesh-ca", "contrast-version"],
    }),
    profile: Flags.string({
      description: "The profile to judge the bundle by: a file, or contrast, privatemode.",
      helpGroup: evidence,
      helpValue: "FILE|NAME",
      dependsOn: ["bundle"],
    }),
    "mesh-ca": Flags.string({
      description: "Certificate of the mesh CA, PEM: the only root.",
      helpGroup: expected,
      helpValue: "FILE",
      dependsOn: ["manifest"],
    }),
    manifest: Flags.string({
      description: "The manifest that you expect, as a file that you hold.",
      helpGroup: expected,
      helpValue: "FILE",
    }),
    san: Flags.string({
      description: "Name that must be there, letter by letter; secret.privatemode.ai with --exchange.",
      helpGroup: expected,
      helpValue: "NAME",
    }),
    "workload-secret-id": Flags.string({
      description: "WorkloadSecretID that must be there; that of Privatemode's secret service with --exchange.",
      helpGroup: expected,
      helpValue: "ID",
    }),
    "public-key-sha256": Flags.string({
      description: "SHA-256 of the public key that you drew for the exchange, 64 hex digits.",
      helpGroup: expected,
      helpValue: "HEX",
      dependsOn: ["exchange"],
    }),
    "contrast-version": Flags.string({
      description: "Manifest rules of this Contrast version; v1.20 when left out.",
      helpGroup: expected,
      helpValue: "V",
    }),
    at: collateralFlags.at,
    offline: collateralFlags.offline,
    "insecure-trust-root": Flags.file({
      description: "TEST ONLY: trust this root certificate in place of AMD's.",
      helpGroup: "TRUST AND TIME",
      helpValue: "FILE",
      dependsOn: ["bundle"],
    }),
    timeout: Flags.string({
      description: "Limit of the TLS handshake; at most and by default 20.",
      helpGroup: "TRUST AND TIME",
      helpValue: "SECONDS",
    }),
  };

  async run(): Promise<Printed> {
    const { args, flags } = await this.parse(EndpointVerify);
    if ([args.endpoint, flags.certificate, flags.exchange].filter((given) => given !== undefined).length !== 1)
      throw usage("name exactly one of HOST:PORT, --certificate and --exchange");
    const { auditEndpoint, parsePeer } = await import("../../audit/endpoint.ts");
    const { offline, at, timeoutMs } = await collateralSettings(flags);
    const key = flags["public-key-sha256"];
    const peer = args.endpoint === undefined ? undefined : { peer: parsePeer(args.endpoint), name: args.endpoint };
    const report = await auditEndpoint({
      evidence:
        peer !== undefined
          ? { kind: "live", ...peer }
          : flags.certificate !== undefined
            ? { kind: "certificate", input: await file(flags.certificate, "a certificate") }
            : { kind: "exchange", input: await file(flags.exchange ?? "", "a recorded exchange") },
      pins: await this.#pins(flags),
      san: flags.san,
      workloadSecretId: flags["workload-secret-id"],
      publicKeySha256: key === undefined ? undefined : hex(hexFlag(key, 32, "--public-key-sha256")),
      ...(at === undefined ? {} : { at }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      offline,
      now: new Date(),
      toolVersion: this.config.version,
    });
    return this.report(report, flags);
  }

  async #pins(flags: PinFlags): Promise<EndpointPins> {
    const { bundle: path, manifest, "mesh-ca": meshCa } = flags;
    if (path === undefined) {
      if (meshCa === undefined || manifest === undefined)
        throw usage(
          "no mesh CA and manifest to judge by",
          "name --mesh-ca and --manifest, or a recorded run with --bundle and --profile",
        );
      return {
        kind: "files",
        meshCa: await file(meshCa, "a mesh CA certificate"),
        manifest: await file(manifest, "a Contrast manifest"),
        contrastVersion: flags["contrast-version"],
      };
    }
    const { openTarget } = await import("../../audit/target.ts");
    const { profile, bundle, name } = await openTarget(path, flags);
    if (bundle === undefined) throw usage(`--bundle ${path}: is no bundle`, "pm verify --save makes one");
    return {
      kind: "bundle",
      bundle,
      settings: {
        ...(await collateralSettings(flags)),
        profile,
        target: name,
        toolVersion: this.config.version,
        now: new Date(),
        requireFresh: false,
        refreshCollateral: false,
        firstUse: true,
        notice: (text) => this.logToStderr(`pm: ${text}`),
      },
    };
  }
}
