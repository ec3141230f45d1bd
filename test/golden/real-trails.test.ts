// The normalizer on real CloudTrail, where it is present beside the repository: nothing is refused, every event is found.
// Without the data the tests are skipped, and say so.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import { collect } from '../unit/normalize/options.ts'

const data = fileURLToPath(new URL('../../../shared/data/', import.meta.url))

function eventsOf(folder: string, suffix: string): { files: number; events: CloudTrailEvent[]; rejected: number } {
  const names = readdirSync(`${data}${folder}`).filter(name => name.endsWith(suffix))
  const found = names.map(name => collect(readFileSync(`${data}${folder}/${name}`)))
  const rejected = found.reduce((sum, file) => sum + file.rejected.length, 0)
  return { files: names.length, events: found.flatMap(file => file.events), rejected }
}

function tally<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

const skip = existsSync(data) ? false : `no data at ${data}`

describe('real trails', () => {
  test('the attack on 123837392027 (invictus) is 2900 events in 55 files, none refused', { skip }, () => {
    const { files, events, rejected } = eventsOf('invictus', '.json.gz')
    assert.deepEqual({ files, events: events.length, rejected }, { files: 55, events: 2900, rejected: 0 })
    assert.deepEqual(tally(events.map(event => event.sourceKind)), new Map([['RECORDS_ARRAY', 2900]]))

    // 42 service events without a type and 34 of AWSService have no ARN; none of them is unknown.
    const kinds = tally(events.map(event => event.principal.kind))
    assert.deepEqual(Object.fromEntries(kinds), { USER: 2748, ROLE: 76, SERVICE: 76 })
    assert.equal(tally(events.map(event => event.principal.key)).get('123837392027/unknown'), undefined)
    // Of 60 reads of secrets 40 are a Terraform refresh and 20 the attack: the same 20 secrets.
    const reads = events.filter(event => event.eventName === 'GetSecretValue')
    assert.equal(reads.length, 60)
    assert.equal(tally(reads.flatMap(event => event.secrets)).size, 20)
    // EC2's "Client.UnauthorizedOperation" is most of the denials.
    assert.equal(events.filter(event => event.errorCode === 'Client.UnauthorizedOperation').length, 44)
    assert.ok(events.every(event => event.errorCode !== 'Client.UnauthorizedOperation' || event.outcome === 'DENIED'))
  })

  test('the detonation logs (stratus) are 310 events in 35 files, none refused', { skip }, () => {
    const { files, events, rejected } = eventsOf('stratus', '.json')
    assert.deepEqual({ files, events: events.length, rejected }, { files: 35, events: 310, rejected: 0 })
    // A federated session is its issuer: the IAM user who called GetFederationToken.
    const federated = events.filter(event => event.principal.kind === 'FEDERATED')
    assert.deepEqual(
      federated.map(event => event.principal),
      [
        {
          key: '742491224508/user/AIDAN7SEM6PEVTNQR8M4',
          kind: 'FEDERATED',
          name: 'stratus-red-team-user-federation-user',
        },
      ],
    )
    // Sessions of roles are their role, those of Identity Center their person; no other session name is in a key.
    const assumed = events.filter(event => event.userIdentity.type === 'AssumedRole')
    assert.deepEqual(Object.fromEntries(tally(assumed.map(event => event.principal.kind))), { ROLE: 64, SSO: 4 })
    for (const { principal, userIdentity } of assumed) {
      const role = `${userIdentity.accountId}/role/${userIdentity.sessionIssuer?.principalId}`
      assert.equal(principal.key, principal.kind === 'SSO' ? `sso/${userIdentity.sessionName}` : role)
    }
  })
})
