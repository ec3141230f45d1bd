// Tokens for SASL/OAUTHBEARER: from an OAuth 2 token endpoint (client credentials, RFC 6749 section 4.4) or signed for
// Amazon MSK with the AWS credentials at hand. kafkajs asks for one at every (re)authentication; a token is reused for
// most of its life and fetched once for all connections that wait. Tokens and secrets go into no error and no log.

import { asTrailwardenError, twError } from '../errors.ts'
import type { TlsFiles } from './connection.ts'
import { tlsRefusal } from './refusals.ts'

/** A token for one user of the cluster. Times in epoch milliseconds. */
export interface BearerToken {
  readonly value: string
  readonly expiresAt: number
}

/** Where and as whom to fetch tokens. */
export interface TokenEndpoint {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string
  readonly audience?: string
  readonly tls?: TlsFiles
}

const timeoutMs = 10_000
// RFC 6749 leaves the lifetime out where it is known otherwise; then five minutes are assumed.
const defaultLifetimeS = 300
// As the Java client's sasl.login.refresh.window.factor: the last fifth is left for clocks that differ.
const reusedFor = 0.8
// kafkajs renews a session ten seconds before its token ends. A session that begins with less than that would be renewed
// with every request, which brokers take for an illegal state: they allow one renewal a second.
const shortestSessionMs = 15_000

/**
 * The newest token of `fetch`, asked for again when four fifths of its life are over or less than fifteen seconds are left.
 * Failures are not kept.
 */
export function reusingToken(fetch: () => Promise<BearerToken>, now: () => number = Date.now): () => Promise<string> {
  let kept: { readonly value: string; readonly until: number } | null = null
  let pending: Promise<string> | null = null
  return () => {
    if (kept !== null && now() < kept.until) return Promise.resolve(kept.value)
    pending ??= fetch()
      .then(({ value, expiresAt }) => {
        const begin = now()
        kept = { value, until: Math.min(begin + (expiresAt - begin) * reusedFor, expiresAt - shortestSessionMs) }
        return value
      })
      .finally(() => {
        pending = null
      })
    return pending
  }
}

/**
 * Fetches a token. Rejects with TW_AUTHENTICATION_FAILED where the endpoint refuses, TW_TLS_FAILED where its certificate
 * is not good, TW_BROKER_UNAVAILABLE where it does not answer.
 */
export async function tokenFrom(endpoint: TokenEndpoint, now: () => number = Date.now): Promise<BearerToken> {
  const { url, clientId, clientSecret, scope, audience, tls } = endpoint
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) body.set('scope', scope)
  if (audience !== undefined) body.set('audience', audience)
  // RFC 6749 section 2.3.1: both are form-encoded before they become a user and a password.
  const user = Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')
  const headers = {
    accept: 'application/json',
    authorization: `Basic ${user}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  // Node's HTTP client takes a while to load, and few clusters want a token.
  const { httpRequest, httpsAgent } = await import('./http-request.ts')
  const agent = httpsAgent(tls)
  const what = `The token endpoint ${url}`
  let answer
  try {
    answer = await httpRequest({
      ...{ method: 'POST', url, headers, body: body.toString(), timeoutMs },
      ...(agent ? { agent } : {}),
    })
  } catch (error) {
    const fault = error as Error
    const refused = tlsRefusal(fault)
    if (refused !== null) throw twError('TW_TLS_FAILED', `${what}: ${refused}.`, error)
    throw twError('TW_BROKER_UNAVAILABLE', `${what} does not answer: ${fault.message}`, error)
  } finally {
    agent?.destroy()
  }
  if (answer.status >= 500) throw twError('TW_BROKER_UNAVAILABLE', `${what} answers with status ${answer.status}.`)
  const token = parsed(answer.text)
  if (answer.status !== 200 || typeof token['access_token'] !== 'string') {
    // Only the error code of RFC 6749 section 5.2: a description may repeat what was sent.
    const code = token['error']
    const reason = typeof code === 'string' && /^[a-z_]{1,50}$/.test(code) ? ` (${code})` : ''
    throw twError('TW_AUTHENTICATION_FAILED', `${what} gives no token, status ${answer.status}${reason}.`)
  }
  const lifetime = Number(token['expires_in'])
  const lifetimeS = Number.isFinite(lifetime) && lifetime > 0 ? lifetime : defaultLifetimeS
  return { value: token['access_token'], expiresAt: now() + lifetimeS * 1000 }
}

/**
 * Signs a token for Amazon MSK with the credentials of the AWS default chain (environment, profile, web identity, instance).
 * Rejects with TW_CONFIG_INVALID where the signer is not installed, TW_AUTHENTICATION_FAILED without credentials.
 */
export async function mskToken(region: string): Promise<BearerToken> {
  const signer = await import('aws-msk-iam-sasl-signer-js').catch((error: unknown) => {
    throw twError('TW_CONFIG_INVALID', 'aws-msk-iam needs the package aws-msk-iam-sasl-signer-js; install it.', error)
  })
  try {
    const { token, expiryTime } = await signer.generateAuthToken({ region })
    return { value: token, expiresAt: expiryTime }
  } catch (error) {
    const { message } = asTrailwardenError(error)
    throw twError('TW_AUTHENTICATION_FAILED', `Signing a token for MSK in ${region}: ${message}`, error)
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
