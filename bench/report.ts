// What a bench says, on the terminal and, with --record, at the end of docs/benchmarks.md with date, commit and machine.
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const said: string[] = []

/** Prints lines and keeps them for the record. */
export function say(text = ''): void {
  console.log(text)
  said.push(text)
}

/** What a figure cannot be read without. */
export function machineLine(kafka: string): string {
  const gib = Math.round(totalmem() / 2 ** 30)
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${cpus().length} x ${model}, ${gib} GiB, node ${process.version}, Kafka: ${kafka}`
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ', with changes'
    return `${git('rev-parse', '--short', 'HEAD')}${changed}`
  } catch {
    return 'no commit'
  }
}

/** Appends all that was said, under a heading of its own. */
export function recordRun(command: string): void {
  const heading = `## ${new Date().toISOString().slice(0, 10)}, commit ${commit()}`
  const block = ['```', ...said.join('\n').trim().split('\n'), '```'].join('\n')
  appendFileSync(join(root, 'docs', 'benchmarks.md'), `\n${heading}\n\n\`${command}\`\n\n${block}\n`)
}
