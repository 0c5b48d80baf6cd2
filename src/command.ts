/** What every command shares: `--json`, `--output`, reading a file or stdin within a limit. No logic worth testing alone. */
import { Command, Flags, type Interfaces } from "@oclif/core";
import { PmError, usage } from "./errors.ts";
import type { Report } from "./report/report.ts";

/** Where a result goes: a form, and a file when it is not stdout. */
export interface Output {
  readonly format: "human" | "json";
  readonly path?: string;
}

/** What a command returns; `main.ts` alone prints it and turns it into the exit status. */
export interface Result {
  readonly exitCode: number;
  /** One JSON document. */
  json(): string;
  /** For people; `width` in columns, colour only where a terminal shows it. */
  text(view: { readonly width: number; readonly color: boolean }): string;
}
export interface Printed extends Result {
  readonly outputs: readonly Output[];
}

export const isPrinted = (value: unknown): value is Printed =>
  typeof value === "object" &&
  value !== null &&
  "exitCode" in value &&
  Number.isInteger(value.exitCode) &&
  "outputs" in value &&
  "json" in value;

type Named = Record<string, unknown>;

export abstract class BaseCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: "Print one JSON document on stdout.", helpGroup: "OUTPUT" }),
    output: Flags.string({
      description: "Form and, after =, a file: human, json. Can be repeated.",
      helpGroup: "OUTPUT",
      helpValue: "FORMAT[=PATH]",
      multiple: true,
      exclusive: ["json"],
    }),
  };

  /**
   * oclif would take an argument that is missing from stdin: an API key meant for `--api-key-file -` would become the
   * TARGET, and stand in messages and reports.
   */
  protected override async parse<F extends Named, B extends Named, A extends Named>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    for (const argument of Object.values<{ ignoreStdin?: boolean }>(options?.args ?? {})) argument.ignoreStdin = true;
    return super.parse(options, argv);
  }

  /** Hands a result over together with where the flags want it. */
  protected print(result: Result, flags: { json?: boolean; output?: string[] | undefined }): Printed {
    const outputs = (flags.output ?? [flags.json ? "json" : "human"]).map(parseOutput);
    return { ...result, outputs };
  }

  /** A judging command's whole ending. */
  protected async report(report: Report, flags: { json?: boolean; output?: string[] | undefined }): Promise<Printed> {
    const { renderReport } = await import("./report/human.ts");
    const { reportJson } = await import("./report/json.ts");
    return this.print(
      { exitCode: report.exitCode, json: () => reportJson(report), text: (view) => renderReport(report, view) },
      flags,
    );
  }

  /** A command that hands over nothing decided nothing; without this it would end as help does, with 0. */
  protected override async _run<T>(): Promise<T> {
    const result: unknown = await super._run<T>();
    if (!isPrinted(result)) throw new PmError("PM_BUG", "the command ended without a result");
    return result as T;
  }

  /** `main.ts` prints errors too, in the form that the flags ask for. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }
}

function parseOutput(text: string): Output {
  const at = text.indexOf("=");
  const format = at < 0 ? text : text.slice(0, at);
  if (format !== "human" && format !== "json")
    throw usage(
      `--output: unknown form "${format}"`,
      "known forms: human, json; for example --output json=report.json",
    );
  return at < 0 ? { format } : { format, path: text.slice(at + 1) };
}
