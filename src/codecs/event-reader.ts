// CloudTrailEvent from the bytes of topics/cloudtrail.events.v1/value.avsc, field by field: what avsc gives, in a third of
// the time. Reads only records that ../codecs/event-walk.ts has found whole, so nothing here looks for ends or damage.
// What the rules do not read is stepped over and null (test/property/event-dispatch.property.test.ts holds the rest).
import { detectionMembers } from './cloudtrail-event.ts'
import { outcomes, principalKinds, sourceKinds } from '../normalize/event.ts'
import type { CloudTrailEvent, SessionIssuer, UserIdentity } from '../normalize/event.ts'
import type { EventMember } from '../rules/rule.ts'
import { KnownTexts } from './known-texts.ts'

const issuerMembers = ['type', 'principalId', 'arn', 'accountId', 'userName'] as const
const identityMembers = [
  'type',
  'principalId',
  'arn',
  'accountId',
  'accessKeyId',
  'userName',
  'invokedBy',
  'sourceIdentity',
  'sessionIssuer',
  'sessionName',
  'mfaAuthenticated',
  'sessionCreated',
] as const satisfies readonly (keyof UserIdentity)[]
/** In the order of the schema, which is the order in which {@link EventReader.read} goes through the bytes. */
const members = [
  ...['eventTime', 'eventSource', 'eventName', 'awsRegion', 'outcome', 'principal', 'recipientAccountId', 'eventId'],
  ...['sharedEventId', 'eventVersion', 'eventType', 'eventCategory', 'sourceIPAddress', 'userAgent', 'errorCode'],
  ...['errorMessage', 'readOnly', 'managementEvent', 'vpcEndpointId', 'requestId', 'userIdentity'],
  ...['requestParameters', 'responseElements', 'additionalEventData', 'secrets', 'sourceKind'],
]

interface RecordSchema {
  readonly fields: readonly { readonly name: string; readonly type: unknown }[]
}

/** What puts events in order: whose they are, when they happened, and what tells those of one time apart. */
export interface EventPlace {
  readonly principal: string
  /** Epoch milliseconds. */
  readonly time: number
  readonly account: string
  readonly id: string
}

/** Reads events for rules that read some members. */
export class EventReader {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  /** Where the texts of a field are known; null for one that nobody reads. */
  readonly #fields: Readonly<Record<TextField, KnownTexts | null>>

  private constructor(needed: ReadonlySet<EventMember> | null) {
    const read = needed === null ? null : new Set<string>([...detectionMembers, ...needed])
    const isRead = (name: TextField) => read === null || read.has(name.startsWith('principal.') ? 'principal' : name)
    this.#fields = Object.fromEntries(textFields.map(name => [name, isRead(name) ? new KnownTexts() : null])) as Record<
      TextField,
      KnownTexts | null
    >
  }

  /** A reader of what `needed` names and detection needs besides (null: everything), or null for another schema. */
  static of(schema: object, needed: ReadonlySet<EventMember> | null): EventReader | null {
    const names = (of: unknown) => (of as RecordSchema).fields.map(({ name }) => name).join()
    const { fields } = schema as RecordSchema
    const identity = fields.find(({ name }) => name === 'userIdentity')?.type as RecordSchema | undefined
    const issuer = identity?.fields.find(({ name }) => name === 'sessionIssuer')?.type as readonly unknown[] | undefined
    const isKnown =
      names(schema) === members.join() &&
      names(identity) === identityMembers.join() &&
      names(issuer?.[1]) === issuerMembers.join()
    return isKnown ? new EventReader(needed) : null
  }

  /** The event whose Avro begins at `start`; it is whole, and nothing follows it that belongs to it. */
  read(bytes: Buffer, start: number): CloudTrailEvent {
    this.#bytes = bytes
    this.#at = start
    const fields = this.#fields
    return {
      eventTime: this.#long(),
      eventSource: this.#text(fields.eventSource) ?? '',
      eventName: this.#text(fields.eventName) ?? '',
      awsRegion: this.#text(fields.awsRegion) ?? '',
      outcome: outcomes[this.#long()] ?? 'ERROR',
      principal: {
        key: this.#text(fields['principal.key']) ?? '',
        kind: principalKinds[this.#long()] ?? 'UNKNOWN',
        name: this.#text(fields['principal.name']) ?? '',
      },
      recipientAccountId: this.#text(fields.recipientAccountId) ?? '',
      eventId: this.#fresh(),
      sharedEventId: this.#optional(fields.sharedEventId),
      eventVersion: this.#optional(fields.eventVersion),
      eventType: this.#optional(fields.eventType),
      eventCategory: this.#optional(fields.eventCategory),
      sourceIPAddress: this.#optional(fields.sourceIPAddress),
      userAgent: this.#optional(fields.userAgent),
      errorCode: this.#optional(fields.errorCode),
      errorMessage: this.#optional(fields.errorMessage),
      readOnly: this.#flag(),
      managementEvent: this.#flag(),
      vpcEndpointId: this.#optional(fields.vpcEndpointId),
      requestId: this.#optional(fields.requestId),
      userIdentity: this.#identity(),
      requestParameters: this.#optional(fields.requestParameters),
      responseElements: this.#optional(fields.responseElements),
      additionalEventData: this.#optional(fields.additionalEventData),
      secrets: this.#secrets(),
      sourceKind: sourceKinds[this.#long()] ?? 'UNKNOWN',
    }
  }

  /** The place of the event whose Avro begins at `start`, which is whole. */
  place(bytes: Buffer, start: number): EventPlace {
    this.#bytes = bytes
    this.#at = start
    const fields = this.#fields
    const time = this.#long()
    for (let texts = 3; texts > 0; texts--) this.#text(null)
    this.#long() // outcome
    const principal = this.#text(fields['principal.key']) ?? ''
    this.#long() // kind
    this.#text(null)
    return { principal, time, account: this.#text(fields.recipientAccountId) ?? '', id: this.#fresh() }
  }

  #identity(): UserIdentity {
    const fields = this.#fields
    return {
      type: this.#optional(fields['userIdentity.type']),
      principalId: this.#optional(fields['userIdentity.principalId']),
      arn: this.#optional(fields['userIdentity.arn']),
      accountId: this.#optional(fields['userIdentity.accountId']),
      accessKeyId: this.#optional(fields['userIdentity.accessKeyId']),
      userName: this.#optional(fields['userIdentity.userName']),
      invokedBy: this.#optional(fields['userIdentity.invokedBy']),
      sourceIdentity: this.#optional(fields['userIdentity.sourceIdentity']),
      sessionIssuer: this.#present() ? this.#issuer() : null,
      sessionName: this.#optional(fields['userIdentity.sessionName']),
      mfaAuthenticated: this.#flag(),
      sessionCreated: this.#present() ? this.#long() : null,
    }
  }

  #issuer(): SessionIssuer | null {
    const texts = this.#fields['userIdentity.sessionIssuer']
    const issuer = {
      type: this.#optional(texts),
      principalId: this.#optional(texts),
      arn: this.#optional(texts),
      accountId: this.#optional(texts),
      userName: this.#optional(texts),
    }
    return texts === null ? null : issuer
  }

  #long(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++]!
    const odd = byte & 1
    let value = (byte & 0x7f) >> 1
    for (let factor = 64; byte > 0x7f; factor *= 128) {
      byte = bytes[this.#at++]!
      value += (byte & 0x7f) * factor
    }
    return odd === 1 ? -1 - value : value
  }

  #text(texts: KnownTexts | null): string | null {
    const size = this.#long()
    const start = this.#at
    this.#at = start + size
    return texts === null ? null : texts.read(this.#bytes, start, this.#at)
  }

  /** A text that no other event has. */
  #fresh(): string {
    const size = this.#long()
    const start = this.#at
    this.#at = start + size
    return this.#bytes.toString('utf8', start, this.#at)
  }

  #optional(texts: KnownTexts | null): string | null {
    return this.#present() ? this.#text(texts) : null
  }

  #present(): boolean {
    return this.#bytes[this.#at++] !== 0
  }

  #flag(): boolean | null {
    return this.#present() ? this.#bytes[this.#at++] === 1 : null
  }

  #secrets(): string[] {
    const secrets: string[] = []
    for (let left = this.#long(); left > 0; left = this.#long())
      while (left-- > 0) secrets.push(this.#text(this.#fields.secrets) ?? '')
    return secrets
  }
}

type TextField = (typeof textFields)[number]
const textFields = [
  'eventSource',
  'eventName',
  'awsRegion',
  'principal.key',
  'principal.name',
  'recipientAccountId',
  'sharedEventId',
  'eventVersion',
  'eventType',
  'eventCategory',
  'sourceIPAddress',
  'userAgent',
  'errorCode',
  'errorMessage',
  'vpcEndpointId',
  'requestId',
  'userIdentity.type',
  'userIdentity.principalId',
  'userIdentity.arn',
  'userIdentity.accountId',
  'userIdentity.accessKeyId',
  'userIdentity.userName',
  'userIdentity.invokedBy',
  'userIdentity.sourceIdentity',
  'userIdentity.sessionIssuer',
  'userIdentity.sessionName',
  'requestParameters',
  'responseElements',
  'additionalEventData',
  'secrets',
] as const
