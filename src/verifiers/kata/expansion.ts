/** Kubernetes' own expansion of $(NAME) in args, command and env values (Kubernetes API, Container: command, args, env). */

export interface Expanded {
  readonly text: string;
  /** Names that were replaced although their value is not in the file. */
  readonly unknown: readonly string[];
}

/**
 * `$(NAME)` becomes the value of a variable that is known; any other `$(...)` stays as it is, so a shell's own survives.
 * `$$` becomes `$` and keeps what follows from being expanded. What was put in is not expanded again.
 * @param values name to value; undefined: the variable exists, its value is not in the file
 */
export function expand(input: string, values: ReadonlyMap<string, string | undefined>): Expanded {
  let text = "";
  const unknown: string[] = [];
  let at = 0;
  for (;;) {
    const dollar = input.indexOf("$", at);
    if (dollar < 0) return { text: text + input.slice(at), unknown };
    text += input.slice(at, dollar);
    const next = input[dollar + 1];
    const close = next === "(" ? input.indexOf(")", dollar + 2) : -1;
    if (next === "$") {
      text += "$";
      at = dollar + 2;
    } else if (close >= 0) {
      const name = input.slice(dollar + 2, close);
      const value = values.get(name);
      if (values.has(name) && value === undefined) unknown.push(name);
      text += value ?? input.slice(dollar, close + 1);
      at = close + 1;
    } else {
      text += "$";
      at = dollar + 1;
    }
  }
}
