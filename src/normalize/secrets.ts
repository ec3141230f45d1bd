// Which secrets a Secrets Manager request names, each as one value `account:region:name`, however it was written: name,
// full ARN, ARN without its random suffix. Pure. Without this folding, counts of distinct secrets count spellings.
// Request shapes: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
import { capped } from './capped-text.ts'
import { filled, parametersOf } from './cloudtrail.ts'

/** BatchGetSecretValue takes at most 20 ids; no other request names more than one. */
const mostSecrets = 20

// An account, a region and a name of at most 512 characters, the limit of CreateSecret, fit; what a caller makes up may not.
const mostLength = 640

const none: readonly string[] = []

/**
 * Distinct ids of the secrets that a request names, at most 20, in the order of the request; empty for other services.
 *
 * A name belongs to the account and region that were called, an ARN to its own. Secrets Manager appends a hyphen and six
 * random characters to the name in an ARN and accepts the ARN without them, so such an ending is cut. The ambiguity is
 * AWS's own: a name that itself ends so (`db-backup`) is read wrongly in an ARN without suffix, and AWS advises against
 * such names: https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html
 */
export function secretsOf(
  eventSource: string,
  eventName: string,
  requestParameters: unknown,
  account: string,
  region: string,
): readonly string[] {
  if (eventSource !== 'secretsmanager.amazonaws.com') return none
  const parameters = parametersOf(requestParameters)
  if (parameters === null) return none
  const found: string[] = []
  const add = (value: unknown): void => {
    const id = filled(value)
    if (id === null || found.length === mostSecrets) return
    const secret = capped(secretId(id, account, region), mostLength)
    if (!found.includes(secret)) found.push(secret)
  }
  add(parameters.secretId)
  if (Array.isArray(parameters.secretIdList)) parameters.secretIdList.slice(0, 2 * mostSecrets).forEach(add)
  // Some records before February 2024 spell the id this way.
  add(parameters.aRN)
  add(parameters.arn)
  if (eventName === 'CreateSecret') add(parameters.name)
  return found
}

function secretId(id: string, account: string, region: string): string {
  const arn = /^arn:[^:]*:secretsmanager:([^:]*):([^:]*):secret:(.+)$/s.exec(id)
  if (arn === null) return `${account}:${region}:${id}`
  const [, arnRegion = '', arnAccount = '', name = ''] = arn
  return `${arnAccount}:${arnRegion}:${name.replace(/(?<=.)-[A-Za-z0-9]{6}$/s, '')}`
}
