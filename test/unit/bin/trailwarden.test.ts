// bin/trailwarden.mjs as a user meets it: exit codes, pipes, an old Node, an installation without sources.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const checkout = join(import.meta.dirname, '..', '..', '..')
const installed = mkdtempSync(join(tmpdir(), 'bin-test-'))
cpSync(join(checkout, 'bin'), join(installed, 'bin'), { recursive: true })
mkdirSync(join(installed, 'dist'))
writeFileSync(join(installed, 'package.json'), '{"type":"module"}')
writeFileSync(
  join(installed, 'dist', 'cli.js'),
  `export async function main(argv) {
    if (argv[0] === 'throw') throw new Error('a bug')
    if (argv[0] === 'linger') setInterval(() => {}, 1000)
    if (argv[0] === 'flood') for (let i = 0; i < 100_000; i++) process.stdout.write('line ' + i + '\\n')
    else console.log(JSON.stringify(argv))
    return 1
  }`,
)
after(() => {
  rmSync(installed, { recursive: true })
})

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

async function run(root: string, args: string[], nodeFlags: string[] = []): Promise<Outcome> {
  return await new Promise(resolve => {
    const argv = [...nodeFlags, join(root, 'bin', 'trailwarden.mjs'), ...args]
    const child = execFile(process.execPath, argv, { maxBuffer: 1 << 24 }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr })
    })
  })
}

/** Makes this Node claim to be another one. */
const claiming = (version: string) => [
  '--import',
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`,
]

test('arguments go in, output and exit code come out', async () => {
  assert.deepEqual(await run(installed, ['replay', '--json', 'a b']), {
    code: 1,
    stdout: '["replay","--json","a b"]\n',
    stderr: '',
  })
})

test('everything written to a pipe arrives', async () => {
  const { stdout } = await run(installed, ['flood'])
  assert.ok(stdout.endsWith('line 99999\n'))
})

test('a reader that stops early gets no stack trace', async () => {
  const child = spawn(process.execPath, [join(installed, 'bin', 'trailwarden.mjs'), 'flood'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  child.stdout.once('data', () => {
    child.stdout.destroy()
  })
  await new Promise(resolve => child.once('close', resolve))
  assert.equal(stderr, '')
})

test('a stdout that cannot be written is exit code 3, not a finding', { skip: !existsSync('/dev/full') }, async () => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [join(installed, 'bin', 'trailwarden.mjs'), 'flood'], {
    stdio: ['ignore', full, 'pipe'],
  })
  let stderr = ''
  child.stderr!.on('data', chunk => (stderr += String(chunk)))
  const code = await new Promise(resolve => child.once('close', resolve))
  closeSync(full)
  assert.equal(code, 3)
  assert.match(stderr, /^trailwarden: cannot write to stdout: ENOSPC/)
})

test('a connection left open does not keep a finished process alive', async () => {
  assert.equal((await run(installed, ['linger'])).code, 1)
})

test('a reader slower than the linger time still gets everything', async () => {
  const child = spawn(process.execPath, [join(installed, 'bin', 'trailwarden.mjs'), 'flood'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await sleep(2_500)
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  assert.ok(text.endsWith('line 99999\n'))
})

test('a failure of the command line itself is exit code 3', async () => {
  const { code, stderr } = await run(installed, ['throw'])
  assert.equal(code, 3)
  assert.match(stderr, /a bug/)
})

test('an installation on an old Node says what it needs, exit code 2', async () => {
  for (const version of ['14.21.3', '20.20.2', '22.17.1']) {
    const { code, stdout, stderr } = await run(installed, [], claiming(version))
    assert.deepEqual([code, stdout], [2, ''])
    assert.equal(stderr, `trailwarden: needs Node.js 22.18 or newer, this is ${version}\n`)
  }
  for (const version of ['22.18.0', '24.0.0', '26.1.0'])
    assert.equal((await run(installed, [], claiming(version))).code, 1)
})

test('a checkout on an old Node goes on with the one it brings along', async () => {
  const { code, stdout } = await run(checkout, ['--help'], claiming('20.20.2'))
  assert.equal(code, 0)
  assert.match(stdout, /trailwarden/)
})

test('without anything to run it says how to build', async () => {
  rmSync(join(installed, 'dist'), { recursive: true })
  const { code, stderr } = await run(installed, [])
  assert.equal(code, 2)
  assert.match(stderr, /npm run build/)
})
