/** Completion scripts for shells, made from the commands as oclif knows them. They only list words: nothing is run. */

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export interface CompletionFlag {
  readonly name: string;
  readonly summary: string;
  /** Undefined: the flag takes no value. */
  readonly value: Completion | undefined;
}
/** What can stand at a place: these words, and names of files. */
export interface Completion {
  readonly words: readonly string[];
  readonly files: boolean;
}
export interface CompletionCommand {
  /** Words separated by a space; "" is `pm` itself. */
  readonly words: string;
  readonly summary: string;
  readonly flags: readonly CompletionFlag[];
  /** The command's argument. */
  readonly argument: Completion;
}

/** What oclif's manifest says of a command, as far as it is used. */
export interface OclifCommand {
  readonly id: string;
  readonly hidden?: boolean;
  readonly summary?: string | undefined;
  readonly args: Readonly<Record<string, { readonly name: string; readonly options?: unknown }>>;
  readonly flags: Readonly<
    Record<string, { readonly name: string; readonly type: string; readonly description?: string | undefined }>
  >;
}

const nothing: Completion = { words: [], files: false };
/** Arguments that are files; a TARGET can also be the name of a built-in profile. */
const fileArguments: Readonly<Record<string, readonly string[]>> = {
  file: [],
  report: [],
  target: ["contrast", "privatemode"],
};
const fileValue = /\b(FILE|DIR|BUNDLE)\b/;

const optionsOf = (x: object): string[] =>
  "options" in x && Array.isArray(x.options) ? x.options.filter((o) => typeof o === "string") : [];

function argumentOf(command: OclifCommand): Completion {
  const [first] = Object.values(command.args);
  if (first === undefined) return nothing;
  const words = fileArguments[first.name];
  return { words: [...(words ?? []), ...optionsOf(first)], files: words !== undefined };
}

function flagOf(flag: OclifCommand["flags"][string]): CompletionFlag {
  const help = "helpValue" in flag ? String(flag.helpValue) : "";
  const value = { words: optionsOf(flag), files: fileValue.test(help) };
  return {
    name: flag.name,
    summary: flag.description ?? "",
    value:
      flag.name === "output" ? { words: ["human", "json"], files: false } : flag.type === "option" ? value : undefined,
  };
}

/** All commands with `pm` itself and the topics, sorted by their words. */
export function completionCommands(
  commands: readonly OclifCommand[],
  topics: readonly { readonly name: string; readonly description?: string | undefined }[],
): CompletionCommand[] {
  const help: CompletionFlag = { name: "help", summary: "Show help.", value: undefined };
  const version: CompletionFlag = { name: "version", summary: "Show the version.", value: undefined };
  const own = commands
    .filter((c) => c.hidden !== true)
    .map(
      (c): CompletionCommand => ({
        words: c.id.replaceAll(":", " "),
        summary: c.summary ?? "",
        flags: [...Object.values(c.flags).map(flagOf), help],
        argument: argumentOf(c),
      }),
    );
  const known = new Set(own.map((c) => c.words));
  const inner = new Set(own.flatMap((c) => parents(c.words)).filter((words) => !known.has(words)));
  const all = [
    ...own,
    ...[...inner].map(
      (words): CompletionCommand => ({
        words,
        summary: topics.find((t) => t.name.replaceAll(":", " ") === words)?.description ?? "",
        flags: words === "" ? [help, version] : [help],
        argument: nothing,
      }),
    ),
  ];
  return all.sort((a, b) => (a.words < b.words ? -1 : 1));
}

/** "a b c" has the parents "", "a" and "a b". */
const parents = (words: string): string[] => words.split(" ").map((_, i, list) => list.slice(0, i).join(" "));

/** The words that can follow: those one longer than `words`. */
function childrenOf(words: string, all: readonly CompletionCommand[]): { word: string; summary: string }[] {
  const prefix = words === "" ? "" : `${words} `;
  return all
    .filter((c) => c.words !== "" && c.words.startsWith(prefix) && !c.words.slice(prefix.length).includes(" "))
    .map((c) => ({ word: c.words.slice(prefix.length), summary: c.summary }));
}

/** In single quotes, as bash, zsh and fish all read it; the texts are ours and have no backslash. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The part that bash and zsh share: sets `found` and `files` out of `command`, `prev` and `cur`. */
function table(all: readonly CompletionCommand[]): string {
  const answer = ({ words, files }: Completion): string =>
    `found=${quoted(words.join(" "))}; files=${files ? "yes" : ""}; return`;
  const values = all.flatMap((c) =>
    c.flags.flatMap((f) =>
      f.value === undefined ? [] : [`    ${quoted(`${c.words} --${f.name}`)}) ${answer(f.value)} ;;`],
    ),
  );
  const places = all.map((c) => {
    const flags = c.flags.map((f) => `--${f.name}`).join(" ");
    const words = [...childrenOf(c.words, all).map((child) => child.word), ...c.argument.words].join(" ");
    const files = c.argument.files ? "yes" : "";
    return `    ${quoted(c.words)}) case $cur in -*) found=${quoted(flags)} ;; *) found=${quoted(words)}; files=${files} ;; esac ;;`;
  });
  return `_pm_table() {
  found='' files=''
  case "$command $prev" in
${values.join("\n")}
  esac
  case $command in
${places.join("\n")}
  esac
}`;
}

const commandWords = (all: readonly CompletionCommand[]): string =>
  all
    .filter((c) => c.words !== "")
    .map((c) => quoted(c.words))
    .join("|");

const bash = (
  all: readonly CompletionCommand[],
): string => `# pm completion for bash. To use it now: source <(pm completion bash)
${table(all)}
_pm() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command='' found files next i
  # --flag=value arrives as three words.
  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${command:+$command }\${COMP_WORDS[i]}"
    case $next in
      ${commandWords(all)}) command=$next ;;
      *) break ;;
    esac
  done
  _pm_table
  COMPREPLY=($(compgen -W "$found" -- "$cur"))
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r next; do COMPREPLY+=("$next"); done < <(compgen -f -- "$cur")
  fi
}
complete -F _pm pm
`;

const zsh = (all: readonly CompletionCommand[]): string => `#compdef pm
# pm completion for zsh. To use it now: source <(pm completion zsh), after compinit
${table(all)}
_pm() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} command='' found files next i
  for ((i = 2; i < CURRENT; i++)); do
    next="\${command:+$command }\${words[i]}"
    case $next in
      (${commandWords(all)}) command=$next ;;
      (*) break ;;
    esac
  done
  _pm_table
  [[ -n $found ]] && compadd -- \${=found}
  [[ -n $files ]] && _files
}
compdef _pm pm
# As a file in fpath this text is the function, and is run at its first use.
if [[ $funcstack[1] == _pm ]]; then _pm; fi
`;

function fish(all: readonly CompletionCommand[]): string {
  const lines = all.flatMap((c) => {
    const at = `complete -c pm -n "__pm_at ${quoted(c.words)}"`;
    const described = (text: string): string => (text === "" ? "" : ` -d ${quoted(text)}`);
    const value = ({ words, files }: Completion): string =>
      ` ${files ? "-r -F" : "-x"}${words.length === 0 ? "" : ` -a ${quoted(words.join(" "))}`}`;
    return [
      ...childrenOf(c.words, all).map(({ word, summary }) => `${at} -a ${quoted(word)}${described(summary)}`),
      ...(c.argument.files ? [`${at} -F`] : []),
      ...(c.argument.words.length === 0 ? [] : [`${at} -a ${quoted(c.argument.words.join(" "))}`]),
      ...c.flags.map((f) => `${at} -l ${f.name}${f.value === undefined ? "" : value(f.value)}${described(f.summary)}`),
    ];
  });
  const names = all.filter((c) => c.words !== "").map((c) => quoted(c.words));
  return `# pm completion for fish. To use it now: pm completion fish | source
function __pm_at
  set -l tokens (commandline -opc)
  set -e tokens[1]
  set -l command ''
  for word in $tokens
    set -l next (string trim -- "$command $word")
    contains -- "$next" ${names.join(" ")}; or break
    set command "$next"
  end
  test "$command" = "$argv[1]"
end
complete -c pm -f
${lines.join("\n")}
`;
}

/** The whole script of a shell. */
export const completionScript = (shell: Shell, all: readonly CompletionCommand[]): string =>
  ({ bash, zsh, fish })[shell](all);
