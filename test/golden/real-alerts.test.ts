// What the shipped rules say about real trails, where they are present beside the repository: exactly the alerts that
// test/fixtures/README.md explains, and none that nobody can explain. Runs `replay` as a user does.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Alert } from '../../src/alerts/alert.ts'
import { startCli } from '../harness/line.ts'

const data = join(import.meta.dirname, '..', '..', '..', 'shared', 'data')

async function created(folder: string): Promise<string[]> {
  const { code, stdout, stderr } = await startCli(['replay', '--json', join(data, folder)]).finished
  assert.equal(code, 0, stderr)
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Omit<Alert, 'firstSeen'> & { firstSeen: string })
    .filter(alert => alert.activity === 'CREATE')
    .map(alert => `${alert.ruleId} ${alert.principal.name} ${alert.firstSeen}`)
}

const skip = existsSync(data) ? false : `no data at ${data}`

describe('alerts on real trails', () => {
  test('invictus: the twenty secrets of the attack, and not the Terraform refreshes around it', { skip }, async () => {
    assert.deepEqual(await created('invictus'), ['secretsmanager-distinct-secrets bert-jan 2023-07-10T11:57:51.000Z'])
  })

  test('stratus: the two Secrets Manager techniques', { skip }, async () => {
    assert.deepEqual(await created('stratus'), [
      'secretsmanager-batch-retrieval christophe 2024-07-31T12:29:16.000Z',
      'secretsmanager-distinct-secrets christophe 2024-07-31T12:36:48.000Z',
    ])
  })
})
