// argv → command, exit code; nothing else. Results go to stdout, everything else to stderr.
// Exit: 0 ok, 1 findings or failed tests, 2 usage or configuration, 3 run time.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Writable } from 'node:stream'
import pino from 'pino'
import type { Command, Option, Output } from './commands/command.ts'
import { allCommands, commandNamed, verbs } from './commands/index.ts'
import { describeSettings, flagOf, loadConfig, secretsOf, settingNames, usersOf } from './config.ts'
import type { Config } from './config.ts'
import { asTrailwardenError, twError } from './errors.ts'
import { masking } from './redaction.ts'
import { boundYoungGeneration } from './young-generation.ts'

const common: Readonly<Record<string, Option>> = {
  help: { type: 'boolean', doc: 'Show this help.' },
  version: { type: 'boolean', doc: 'Show the version.' },
  debug: { type: 'boolean', doc: 'Show stack traces of failures.' },
  config: { type: 'string', value: '<file>', doc: 'YAML or JSON file of settings; flags and environment win over it.' },
}

// No part of ours logs these; should a library's object with one ever be logged, its value is not.
const secretFields = ['password', 'secret', 'token', 'authorization', 'passphrase', 'sasl', 'ssl'].flatMap(name => [
  name,
  `*.${name}`,
])

/** Streams and surroundings of one run; the defaults are those of the process. */
export interface Surroundings {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stop: AbortSignal
}

/** Runs one command line (without `node` and the script). Resolves to the exit code; never rejects. */
export async function main(argv: readonly string[], surroundings: Surroundings = ofProcess()): Promise<number> {
  const out = output(surroundings.stdout)
  // Until the configuration is read there is no secret to tell.
  let mask = (text: string) => text
  const err = output(surroundings.stderr, text => mask(text))
  try {
    return await dispatch(argv, surroundings, out, err, config => {
      mask = masking(secretsOf(config), usersOf(config))
    })
  } catch (thrown) {
    const error = asTrailwardenError(thrown)
    await err.write(`trailwarden: ${error.message}\n  ${error.code}: ${error.hint}\n`)
    if (argv.includes('--debug')) await err.write(`${stackOf(thrown)}\n`)
    return error.exit
  }
}

async function dispatch(
  argv: readonly string[],
  surroundings: Surroundings,
  out: Output,
  err: Output,
  configured: (config: Config) => void,
): Promise<number> {
  const version = packageVersion()
  const [verb, ...rest] = argv
  if (verb === '--version' || verb === '-v') {
    await out.write(`${version}\n`)
    return 0
  }
  if (verb === undefined || verb === 'help' || verb.startsWith('-')) {
    if (verb !== undefined && verb !== 'help' && verb !== '--help' && verb !== '-h')
      throw twError('TW_USAGE', `Unknown option ${verb}; a verb comes first.`)
    const asked = rest[0]
    const command = asked === undefined ? null : await commandNamed(asked)
    if (command === null && asked !== undefined && !asked.startsWith('-')) throw unknownVerb(asked)
    await (verb === undefined ? err : out).write(command === null ? await overview() : helpOf(command))
    return verb === undefined ? 2 : 0
  }
  // Before the verb is loaded, because loading it lets the young generation grow.
  if (verb === 'normalize' || verb === 'detect') boundYoungGeneration()
  const command = await commandNamed(verb)
  if (command === null) throw unknownVerb(verb)

  const { values, positionals } = parse(command, rest)
  if (values['help'] === true) {
    await out.write(helpOf(command))
    return 0
  }
  if (values['version'] === true) {
    await out.write(`${version}\n`)
    return 0
  }
  const { env, stop } = surroundings
  const flags = Object.fromEntries(
    settingNames.flatMap(name => {
      const value = values[flagOf(name)]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
  const config = loadConfig({ flags, env, file: values['config'] as string | undefined })
  configured(config)
  const write = (line: string) => void err.write(line)
  const log = pino({ level: config.LOG_LEVEL, base: { verb }, redact: secretFields }, { write })
  return command.run({ positionals, options: values, config, env, out, err, log, stop, version })
}

function unknownVerb(verb: string): Error {
  return twError('TW_USAGE', `Unknown verb ${JSON.stringify(verb)}. Verbs: ${verbs.join(', ')}.`)
}

function parse(command: Command, args: readonly string[]) {
  const options = { ...common, ...command.options }
  const table = Object.fromEntries([
    ...settingNames.map(name => [flagOf(name), { type: 'string' as const }]),
    ...Object.entries(options).map(([name, option]) => [
      name,
      { type: option.type, ...(option.multiple ? { multiple: true } : {}), ...(name === 'help' ? { short: 'h' } : {}) },
    ]),
  ]) as Record<string, { type: 'string' | 'boolean' }>
  try {
    return parseArgs({ args: [...args], options: table, allowPositionals: true, strict: true })
  } catch (error) {
    const message = error instanceof Error ? error.message.split('. To specify')[0] : String(error)
    throw twError('TW_USAGE', `${command.name}: ${message}`, error)
  }
}

async function overview(): Promise<string> {
  const commands = await allCommands()
  const width = Math.max(...commands.map(command => command.name.length))
  const rows = commands.map(command => `  ${command.name.padEnd(width)}  ${command.summary}`)
  return `trailwarden <verb> [arguments]\n\n${rows.join('\n')}\n\nEvery verb explains itself with --help.\n`
}

function helpOf(command: Command): string {
  const flags = Object.entries({ ...command.options, ...common }).map(
    ([name, option]) => [`--${name}${option.value ? ` ${option.value}` : ''}`, option.doc] as const,
  )
  const settings = describeSettings()
    .filter(row => command.settings.includes(row.name))
    .map(row => [row.flag, `${row.doc} [${row.name}${row.default === '' ? '' : `, default ${row.default}`}]`] as const)
  const width = Math.max(...[...flags, ...settings].map(([name]) => name.length))
  const table = (rows: readonly (readonly [string, string])[]) =>
    rows.map(([name, doc]) => `  ${name.padEnd(width)}  ${doc}`).join('\n')
  return [
    `trailwarden ${command.name} ${command.usage}`.trimEnd(),
    command.summary,
    ...(command.details === '' ? [] : [command.details]),
    `Examples:\n${command.examples.map(example => `  ${example}`).join('\n')}`,
    `Options:\n${table(flags)}`,
    ...(settings.length === 0 ? [] : [`Settings (flag, environment variable, or file):\n${table(settings)}`]),
  ]
    .join('\n\n')
    .concat('\n')
}

function output(stream: Surroundings['stdout'], mask: (text: string) => string = text => text): Output {
  return {
    isTerminal: stream.isTTY === true,
    columns: stream.columns ?? 120,
    write(text) {
      // What nobody can read any more (a closed pipe) is no reason to wait: there will be no drain.
      if (stream.destroyed || stream.write(mask(text)) || stream.destroyed) return undefined
      return new Promise<void>(resolve => {
        const done = () => {
          stream.off('drain', done)
          stream.off('close', done)
          resolve()
        }
        stream.on('drain', done)
        stream.on('close', done)
      })
    },
  }
}

function ofProcess(): Surroundings {
  const controller = new AbortController()
  const onSignal = (signal: NodeJS.Signals) => {
    // A second signal means "now": 128 + signal number, as shells report it.
    if (controller.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143)
    controller.abort(signal)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { stdout: process.stdout, stderr: process.stderr, env: process.env, stop: controller.signal }
}

function packageVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const cause = thrown.cause === undefined ? '' : `\nCaused by: ${stackOf(thrown.cause)}`
  return `${thrown.stack ?? thrown.message}${cause}`
}
