// Runs the command line inside the test process, with streams that are kept and an environment of its own.
import { Writable } from 'node:stream'
import { main } from '../../src/cli.ts'

/** What a run left behind. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A stream that keeps what is written to it. */
export function kept(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}

/** `trailwarden <argv>` with nothing of this process' environment. */
export async function trailwarden(
  argv: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly stop?: AbortSignal } = {},
): Promise<Outcome> {
  const [out, err] = [kept(), kept()]
  const stop = options.stop ?? new AbortController().signal
  const code = await main(argv, { stdout: out.stream, stderr: err.stream, env: options.env ?? {}, stop })
  return { code, stdout: out.text(), stderr: err.text() }
}

/** The JSON lines of a text. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Record<string, unknown>)
}
