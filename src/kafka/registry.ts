// Schema registry: ids and schemas through @kafkajs/confluent-schema-registry, and plain HTTP for what the library has
// no call for (compatibility of a subject, checks before registering). Any registry with Confluent's HTTP interface
// serves, under any path. Used at start and for schema ids not seen before, never per record.

import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { TrailwardenError, twError } from '../errors.ts'
import type { TlsFiles } from './connection.ts'
import { httpRequest, httpsAgent } from './http-request.ts'
import { tlsRefusal } from './refusals.ts'

/** Levels of Confluent's schema registry. */
export type Compatibility =
  'BACKWARD' | 'BACKWARD_TRANSITIVE' | 'FORWARD' | 'FORWARD_TRANSITIVE' | 'FULL' | 'FULL_TRANSITIVE' | 'NONE'

/** Where the registry is; user and password mean basic authentication, `tls` own authorities or a client certificate. */
export interface RegistrySettings {
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly tls?: TlsFiles
  /** Longest wait for an answer; default 10 000. */
  readonly timeoutMs?: number
  /** For tests: epoch milliseconds. */
  readonly now?: () => number
}

/**
 * What we ask of a registry. An unreachable or failing registry rejects with TW_REGISTRY_UNAVAILABLE, one that refuses us
 * with TW_AUTHENTICATION_FAILED or TW_NOT_AUTHORIZED, one whose certificate is not good with TW_TLS_FAILED.
 */
export interface SchemaRegistryClient {
  /** The Avro schema of an id (without `doc`s), or null where the registry has none; that answer is kept for 30 s. */
  schemaById(id: number): Promise<object | null>
  /** The id under which exactly this schema is registered; TW_SCHEMA_NOT_REGISTERED otherwise. */
  idOf(subject: string, schema: object): Promise<number>
  /** Registers (idempotent) under the given compatibility; TW_SCHEMA_INCOMPATIBLE where the registry refuses. */
  register(subject: string, schema: object, compatibility: Compatibility): Promise<number>
  /** The newest schema of a subject, or null for an unknown subject. */
  latest(subject: string): Promise<{ readonly id: number; readonly schema: object } | null>
  /** The level set for the subject itself, or null where it has none of its own. */
  compatibilityOf(subject: string): Promise<Compatibility | null>
  setCompatibility(subject: string, compatibility: Compatibility): Promise<void>
  /** Whether the registry would accept the schema; true for a subject without schemas. */
  isCompatible(subject: string, schema: object): Promise<boolean>
}

const defaultTimeoutMs = 10_000
// A poison flood must not become a flood of requests; a schema registered late is found within this time.
const unknownForMs = 30_000
const unknownsKept = 10_000
// How the library calls a schema that avsc cannot read.
const unreadable = /^ConfluentSchemaRegistry(InvalidSchema|Argument)Error$/
// Confluent's HTTP interface: 404 unknown, 409 incompatible, 422 invalid.
const notFound = 404
const conflict = 409
const unprocessable = 422
const unauthorized = 401
const forbidden = 403

/** A request of mappersmith, the library's HTTP client; its published types leave the time limit out. */
interface TimedRequest {
  enhance(extras: { readonly timeout: number }): unknown
}

/** A client; does not connect by itself. */
export function schemaRegistry(settings: RegistrySettings): SchemaRegistryClient {
  const { username, password, timeoutMs = defaultTimeoutMs, now = Date.now } = settings
  const base = settings.url.replace(/\/+$/, '')
  const auth = username === undefined ? undefined : { username, password: password ?? '' }
  // The library sets no time limit of its own: a registry that accepts and never answers would hold us for ever.
  const limited = () => ({ request: (request: TimedRequest) => request.enhance({ timeout: timeoutMs }) })
  const agent = httpsAgent(settings.tls)
  const host = { host: base, ...(auth ? { auth } : {}), ...(agent ? { agent } : {}) }
  const library = new SchemaRegistry({ ...host, retry: { retries: 2 }, middlewares: [limited as never] })
  const unknownUntil = new Map<number, number>()

  /** A library call; null for 404. The library reports network faults and its time limit as status 400. */
  async function ask<T>(what: string, call: () => Promise<T>): Promise<T | null> {
    try {
      return await call()
    } catch (error) {
      if (statusOf(error) === notFound) return null
      if (statusOf(error) === conflict || statusOf(error) === unprocessable) {
        throw twError('TW_SCHEMA_INCOMPATIBLE', `${what}: ${messageOf(error)}`, error)
      }
      throw faultOf(what, statusOf(error), error)
    }
  }

  function faultOf(what: string, status: number | null, error?: unknown): TrailwardenError {
    const who = username === undefined ? 'without a user' : `user ${username}`
    if (status === unauthorized)
      return twError('TW_AUTHENTICATION_FAILED', `${what}: the registry does not accept ${who} (401).`)
    if (status === forbidden) return twError('TW_NOT_AUTHORIZED', `${what}: the registry refuses it, ${who} (403).`)
    if (error === undefined) return twError('TW_REGISTRY_UNAVAILABLE', `${what}: status ${status}`)
    const refused = error instanceof Error ? tlsRefusal(error) : null
    if (refused !== null) return twError('TW_TLS_FAILED', `${what}: ${refused}.`, error)
    return twError('TW_REGISTRY_UNAVAILABLE', `${what}: ${messageOf(error)}`, error)
  }

  /** A request of our own; null for 404. */
  async function http(method: string, path: string, body?: object): Promise<unknown> {
    const headers: Record<string, string> = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
    if (auth) headers['authorization'] = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
    const what = `${method} ${path}`
    try {
      const call = { method, url: base + path, headers, timeoutMs, ...(agent ? { agent } : {}) }
      const { status, text } = await httpRequest({ ...call, ...(body ? { body: JSON.stringify(body) } : {}) })
      if (status === notFound) return null
      if (status < 200 || status > 299) throw faultOf(what, status)
      return JSON.parse(text) as unknown
    } catch (error) {
      throw error instanceof TrailwardenError ? error : faultOf(what, null, error)
    }
  }

  const avro = (schema: object) => ({ type: SchemaType.AVRO as const, schema: JSON.stringify(schema) })
  const config = (subject: string) => `/config/${encodeURIComponent(subject)}`

  async function schemaById(id: number): Promise<object | null> {
    const until = unknownUntil.get(id)
    if (until !== undefined && now() < until) return null
    const found = await ask(`Looking up schema ${id}`, async () => {
      try {
        return await library.getSchema(id)
      } catch (error) {
        // Registered, but no Avro schema that avsc can read: for us the same as unknown.
        if (error instanceof Error && unreadable.test(error.name)) return null
        throw error
      }
    })
    const schema = avroSchemaOf(found)
    if (schema) {
      unknownUntil.delete(id)
      return schema
    }
    unknownUntil.set(id, now() + unknownForMs)
    const oldest = unknownUntil.keys().next()
    if (unknownUntil.size > unknownsKept && !oldest.done) unknownUntil.delete(oldest.value)
    return null
  }

  async function setCompatibility(subject: string, compatibility: Compatibility): Promise<void> {
    const done = await http('PUT', config(subject), { compatibility })
    if (done === null) throw twError('TW_REGISTRY_UNAVAILABLE', `There is no subject ${subject} to configure.`)
  }

  async function compatibilityOf(subject: string): Promise<Compatibility | null> {
    const answer = (await http('GET', config(subject))) as { compatibilityLevel?: string } | null
    return (answer?.compatibilityLevel as Compatibility | undefined) ?? null
  }

  return {
    schemaById,
    compatibilityOf,
    setCompatibility,
    async idOf(subject, schema) {
      const what = `Looking up the schema of ${subject}`
      const id = await ask(what, async () => {
        try {
          return await library.getRegistryIdBySchema(subject, avro(schema))
        } catch (error) {
          // The library turns 404 into this class, without the status.
          if (error instanceof Error && error.name === 'ConfluentSchemaRegistryError') return null
          throw error
        }
      })
      if (id === null) throw twError('TW_SCHEMA_NOT_REGISTERED', `${subject} does not hold this version's schema.`)
      return id
    },
    async register(subject, schema, compatibility) {
      // The library refuses where the levels differ; a new subject gets its level from the library after registering.
      const level = await compatibilityOf(subject)
      if (level !== null && level !== compatibility) await setCompatibility(subject, compatibility)
      const done = await ask(`Registering the schema of ${subject}`, () =>
        library.register(avro(schema), { subject, compatibility: compatibility as never }),
      )
      if (!done) throw twError('TW_REGISTRY_UNAVAILABLE', `The registry has no place for subject ${subject}.`)
      return done.id
    },
    async latest(subject) {
      const id = await ask(`Looking up the newest schema of ${subject}`, () => library.getLatestSchemaId(subject))
      const schema = id === null ? null : await schemaById(id)
      return id === null || schema === null ? null : { id, schema }
    },
    async isCompatible(subject, schema) {
      const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions`
      const body = { schema: JSON.stringify(schema) }
      const answer = (await http('POST', path, body)) as { is_compatible?: boolean } | null
      return answer === null || answer.is_compatible === true
    },
  }
}

/** The schema of what the library parsed; null for a JSON or Protobuf schema, which has no avsc type behind it. */
function avroSchemaOf(found: unknown): object | null {
  const type = found as { schema?: unknown } | null
  if (typeof type?.schema !== 'function') return null
  const schema: unknown = (type as { schema(options: object): unknown }).schema({ exportAttrs: true })
  return typeof schema === 'object' ? schema : { type: schema }
}

function statusOf(error: unknown): number | null {
  const status = (error as { status?: unknown } | null)?.status
  return typeof status === 'number' ? status : null
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
