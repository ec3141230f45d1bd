// The fleet reads what its processes wrote: a secret in a log is found, whatever became of the process.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fleet } from '../../chaos/fleet.ts'
import { Random } from '../../harness/simulator.ts'

async function telltales(t: { after(clean: () => void): void }, says: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const program = join(folder, 'program.mjs')
  writeFileSync(
    program,
    `console.log(${says}); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)`,
  )
  const note = () => undefined
  const fleet = new Fleet({ program, env: {}, folder, random: new Random(1), freezeMs: 0, least: 1, most: 1, note })
  fleet.add()
  for (let i = 0; i < 200 && readFileSync(join(folder, 'worker-1.log'), 'utf8') === ''; i++) await sleep(50)
  await fleet.stop()
  assert.deepEqual(fleet.unexpected, [])
  return fleet.telltales
}

test('a password in a log is told, in base64 too; a log without one is not', async t => {
  assert.deepEqual(await telltales(t, 'process.env.SCHEMA_REGISTRY_PASSWORD'), ['worker-1'])
  const header = 'btoa(process.env.SCHEMA_REGISTRY_USERNAME + ":" + process.env.SCHEMA_REGISTRY_PASSWORD)'
  assert.deepEqual(await telltales(t, `'Basic ' + ${header}`), ['worker-1'])
  assert.deepEqual(await telltales(t, '"Started."'), [])
})
