// Logger: what the shell needs of a logger, and no more; pino has this shape. Fields stand before the sentence.
// Secrets and principals never go into either.

type LogLine = (fields: Readonly<Record<string, unknown>>, sentence: string) => void

export interface Logger {
  readonly debug: LogLine
  readonly info: LogLine
  readonly warn: LogLine
  readonly error: LogLine
}
