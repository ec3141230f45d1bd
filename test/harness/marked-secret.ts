// A secret that the processes of the tests have and must not write anywhere: the password of a registry, which takes any
// user where it asks for none.
import { randomBytes } from 'node:crypto'

const user = 'trailwarden'
const secret = `canary-${randomBytes(12).toString('hex')}`
const withoutPadding = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '')
const spellings = [secret, withoutPadding(secret), withoutPadding(`${user}:${secret}`)]

/** The secret as settings, to lie beneath those of the test. */
export const markedSecret: Readonly<Record<string, string>> = {
  SCHEMA_REGISTRY_USERNAME: user,
  SCHEMA_REGISTRY_PASSWORD: secret,
}

/** Whether a process has written its secret, in whatever spelling. */
export function tellsSecret(written: string): boolean {
  return spellings.some(spelling => written.includes(spelling))
}
