// A command's context for tests of what stands between the command line and the loops.
import type { CommandContext } from '../../../src/commands/command.ts'
import { loadConfig } from '../../../src/config.ts'

export interface LoggedLine {
  readonly level: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly sentence: string
}

/** A context with this environment; what is logged is kept. */
export function contextOf(
  env: Readonly<Record<string, string>>,
  stop: AbortSignal,
): { context: CommandContext; logged: LoggedLine[] } {
  const logged: LoggedLine[] = []
  const line = (level: string) => (fields: Readonly<Record<string, unknown>>, sentence: string) =>
    void logged.push({ level, fields, sentence })
  const silent = { write: () => undefined, isTerminal: false, columns: 80 }
  const context: CommandContext = {
    positionals: [],
    options: {},
    config: loadConfig({ flags: {}, env }),
    env,
    out: silent,
    err: silent,
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    stop,
    version: '1',
  }
  return { context, logged }
}
