// The pure parts are not a step slower than when bench/baseline.json was written, by ratios to a baseline of the same run
// (bench/regression.ts), and the command that says so notices when they are.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..', '..')

async function regression(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(root, 'bench', 'regression.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

test('no part has become slower by more than the factor', async t => {
  const { code, output } = await regression([])
  t.diagnostic(output)
  assert.equal(code, 0, output)
  assert.equal(output.match(/^ok /gm)?.length, 3)
})

test('against a baseline that was three times as fast, the command fails and names the part', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'trailwarden-baseline-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const stored = JSON.parse(readFileSync(join(root, 'bench', 'baseline.json'), 'utf8')) as Record<string, number>
  const file = join(folder, 'baseline.json')
  writeFileSync(file, JSON.stringify({ ...stored, normalize: stored['normalize']! / 3 }))
  const { code, output } = await regression(['--baseline', file])
  assert.equal(code, 1, output)
  assert.match(output, /^SLOWER normalize: /m)
})
