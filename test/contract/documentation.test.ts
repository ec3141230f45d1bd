// README and docs against the program: every command has a home that runs it, those that need no cluster run here with the
// package as installed, what is mentioned in passing exists, and every verb's help has examples that it understands.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { allCommands } from '../../src/commands/index.ts'
import { flagOf, settingNames } from '../../src/config.ts'
import { installBuilt } from '../chaos/installation.ts'
import type { Installation } from '../chaos/installation.ts'
import { trailwarden } from '../harness/command-line.ts'
import { layOut, runToEnd } from '../harness/documentation-run.ts'
import { commandsOn, homeOf, idleHomes, mentionsOn, pages, root } from '../harness/documentation.ts'

const commands = await allCommands()

const all = pages.flatMap(commandsOn)
const unique = [...new Map(all.map(command => [command.text, command])).values()]

test('there are commands to look at', () => {
  assert.ok(unique.length > 20, String(unique.length))
  assert.ok(all.some(({ page }) => page === 'README.md'))
})

test('every command of README and docs has a home that runs it (test/harness/documentation.ts)', () => {
  const homeless = all.filter(({ text }) => homeOf(text) === null)
  assert.deepEqual(
    homeless.map(({ page, line, text }) => `${page}:${line} ${text}`),
    [],
  )
})

test('every home is needed, and the tests that homes name exist and speak of the command', () => {
  assert.deepEqual(idleHomes(all.map(({ text }) => text)), [])
  for (const { text } of unique) {
    const home = homeOf(text)
    if (home?.kind === 'elsewhere') assert.ok(existsSync(join(root, home.by)), home.by)
  }
})

/** Verbs and flags of a command line that the program does not know. */
function unknownIn(text: string): string[] {
  const [first = '', ...words] =
    text
      .split(/\s*(?:\||&&|>|;)\s*/)
      .find(part => part.startsWith('trailwarden '))
      ?.split(/\s+/)
      .slice(1) ?? []
  if (first === '' || first.startsWith('-') || first.startsWith('<') || first === '…') return []
  // `topics apply|check`: alternatives of one word.
  const command = commands.find(({ name }) => name === first)
  if (command === undefined) return [`verb ${first}`]
  const known = new Set([
    ...['help', 'version', 'debug', 'config'],
    ...Object.keys(command.options),
    ...settingNames.map(flagOf),
  ])
  return words
    .map(word => /^\[?--([a-z][a-z-]*)/.exec(word)?.[1])
    .filter(flag => flag !== undefined && !known.has(flag))
    .map(flag => `flag --${flag} of ${first}`)
}

test('verbs and flags that are mentioned anywhere exist', () => {
  const mentioned = pages.flatMap(page => [...commandsOn(page), ...mentionsOn(page)])
  const unknown = mentioned.flatMap(({ page, line, text }) => unknownIn(text).map(what => `${page}:${line} ${what}`))
  assert.deepEqual(unknown, [])
  assert.deepEqual(unknownIn('trailwarden reply trail/'), ['verb reply'])
  assert.deepEqual(unknownIn('trailwarden replay --form x'), ['flag --form of replay'])
})

test('the help of every verb has examples, and the verb understands them', async () => {
  for (const command of commands) {
    assert.ok(command.examples.length > 0, command.name)
    assert.ok(
      command.examples.some(example => example.includes(`trailwarden ${command.name}`)),
      command.name,
    )
    const { code, stdout } = await trailwarden([command.name, '--help'])
    assert.equal(code, 0)
    for (const example of command.examples) {
      assert.ok(stdout.includes(`  ${example}\n`), example)
      for (const part of example.split(/\s*(?:\||&&|;)\s*/)) assert.deepEqual(unknownIn(part), [], example)
    }
  }
})

describe('offline', () => {
  let installation: Installation
  let folder = ''
  before(async () => {
    installation = await installBuilt()
    folder = join(installation.folder, 'work')
    layOut(folder)
  })
  after(() => installation.remove())

  for (const { page, line, text } of unique) {
    const home = homeOf(text)
    if (home?.kind !== 'offline') continue
    test(`${page}:${line} ${text}`, async t => {
      if (text.includes('| jq') && spawnSync('jq', ['--version']).error !== undefined)
        return t.skip('jq is not installed')
      const path = `${dirname(process.execPath)}:${installation.bin}`
      const { code, stdout, stderr } = await runToEnd(text, { folder, path })
      // `| head` closes the pipe early, which is no error.
      assert.equal(code, home.exit ?? 0, `${stdout.slice(0, 2000)}\n${stderr}`)
      if (home.shows) assert.match(stdout, home.shows)
      if (home.says) assert.match(stderr, home.says)
      const output = / (?:--report|--write|>) ?(\S+)/.exec(text)?.[1]
      if (output !== undefined) assert.ok(readdirSync(folder).includes(output), output)
    })
  }
})
