// An OAuth 2 token endpoint with its keys (JWKS) on 127.0.0.1: client credentials in, RS256 tokens out. What a broker's
// OAUTHBEARER validator needs to be tested for real.
import { createSign, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A running endpoint. */
export interface TokenEndpoint {
  readonly tokenUrl: string
  readonly jwksUrl: string
  /** How many tokens were given and how many requests were refused. */
  readonly given: number
  readonly refused: number
  close(): Promise<void>
}

/** What the tokens say. */
export interface TokenOptions {
  readonly clientId: string
  readonly clientSecret: string
  readonly audience: string
  readonly lifetimeS: number
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Starts an endpoint for one client; the subject of its tokens is the client id. */
export async function startTokenEndpoint(options: TokenOptions): Promise<TokenEndpoint> {
  const { clientId, clientSecret, audience, lifetimeS } = options
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' }
  const wanted = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  let [given, refused] = [0, 0]

  const token = (): string => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: 'test', sub: clientId, aud: audience, scope: 'kafka', iat: now, exp: now + lifetimeS }
    const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: 'test' })}.${part(claims)}`
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`
  }

  const server = createServer((request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url === '/jwks') return answer(200, { keys: [jwk] })
    if (request.headers.authorization !== wanted) {
      refused++
      return answer(401, { error: 'invalid_client', error_description: `not ${request.headers.authorization}` })
    }
    given++
    return answer(200, { access_token: token(), token_type: 'Bearer', expires_in: lifetimeS })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    tokenUrl: `${root}/token`,
    jwksUrl: `${root}/jwks`,
    get given() {
      return given
    },
    get refused() {
      return refused
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
