// What a verb is to the command line: a name, its options, and a function from a context to an exit code.
// One file per verb stands beside this one; cli.ts holds the table of them.
import type { Config, SettingName } from '../config.ts'
import type { Logger } from '../logger.ts'

/** An option of a verb, besides the settings it takes as flags. */
export interface Option {
  readonly type: 'boolean' | 'string'
  readonly doc: string
  /** Shown in help after the flag, e.g. `<file>`. */
  readonly value?: string
  readonly multiple?: true
}

/** A text sink that can be slower than we are. */
export interface Output {
  /** Resolves when more may be written. */
  write(text: string): Promise<void> | void
  readonly isTerminal: boolean
  readonly columns: number
}

/** Everything a verb may touch. */
export interface CommandContext {
  readonly positionals: readonly string[]
  /** Options by name; strings, or arrays of them where `multiple`. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly config: Config
  /** The environment; settings come through `config`. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: Output
  readonly err: Output
  readonly log: Logger
  /** Aborted on the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal
  readonly version: string
}

/** A verb. `run` resolves to an exit code (0 ok, 1 findings) or throws a TrailwardenError. */
export interface Command {
  readonly name: string
  /** Arguments after the name, for usage. */
  readonly usage: string
  readonly summary: string
  readonly details: string
  readonly examples: readonly string[]
  readonly options: Readonly<Record<string, Option>>
  /** Settings that matter to this verb, shown in its help; every setting is accepted as a flag everywhere. */
  readonly settings: readonly SettingName[]
  run(context: CommandContext): Promise<number>
}

/** The text of a single-valued option. */
export function textOption(context: Pick<CommandContext, 'options'>, name: string): string | undefined {
  const value = context.options[name]
  return typeof value === 'string' ? value : undefined
}
