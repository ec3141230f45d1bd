// A scanned record to the Avro bytes of its CloudTrailEvent: the second half of the fast path. No object per field.
// Writes what event.ts and the Avro codec would give, to the byte (test/property/fast-path.property.test.ts); the order
// of fields is that of topics/cloudtrail.events.v1/value.avsc.
import { outcomeOf } from '../outcome.ts'
import { outcomes, sourceKinds } from '../event.ts'
import type { NormalizeContext, SourceKind } from '../event.ts'
import { secretsOf } from '../secrets.ts'
import { AvroSlab } from './avro-slab.ts'
import { IdentityWriter } from './identity-writer.ts'
import { slotOf } from './record-layout.ts'
import type { RecordScan } from './record-scan.ts'

const eventSource = slotOf('record.eventSource')
const eventName = slotOf('record.eventName')
const awsRegion = slotOf('record.awsRegion')
const recipient = slotOf('record.recipientAccountId')
const identityAccount = slotOf('identity.accountId')
const eventId = slotOf('record.eventID')
const errorCode = slotOf('record.errorCode')
const errorMessage = slotOf('record.errorMessage')
const beforeErrors = [
  'sharedEventID',
  'eventVersion',
  'eventType',
  'eventCategory',
  'sourceIPAddress',
  'userAgent',
].map(name => slotOf(`record.${name}`))
const readOnly = slotOf('record.readOnly')
const managementEvent = slotOf('record.managementEvent')
const vpcEndpointId = slotOf('record.vpcEndpointId')
const requestId = slotOf('record.requestID')
const requestParameters = slotOf('record.requestParameters')
const responseElements = slotOf('record.responseElements')
const additionalEventData = slotOf('record.additionalEventData')
const succeeded = outcomes.indexOf('SUCCESS')
const failed = outcomes.indexOf('ERROR')
const placeOfKind = Object.fromEntries(sourceKinds.map((kind, place) => [kind, place])) as Record<SourceKind, number>
const secretsManager = Buffer.from('secretsmanager.amazonaws.com')
const onlySecretId = Buffer.from('{"secretId":"')

// A byte that is no UTF-8 becomes three; numbers grow too (1e20 to 21 digits). Twenty secrets of 640 characters, a
// capped principal, lengths and enums fit into the rest.
const growth = 8
const fixedRoom = 48 << 10

/** A record for the events topic. */
export interface WrittenRecord {
  readonly key: Buffer
  readonly value: Buffer
}

/** Writes events of one schema id. */
export class EventWriter {
  readonly #slab = new AvroSlab()
  readonly #identity: IdentityWriter
  readonly #context: Omit<NormalizeContext, 'sourceKind'>
  readonly #schemaId: number
  /** Place of the outcome in its enum, by error code. */
  readonly #outcomes = new Map<string, number>()

  constructor(context: Omit<NormalizeContext, 'sourceKind'>, schemaId: number) {
    this.#context = context
    this.#schemaId = schemaId
    this.#identity = new IdentityWriter(this.#slab, context)
  }

  /**
   * The scanned record as key and value; null where the general path has to write it. `size` is the length of the record's
   * JSON in bytes. The slices hold until their memory is given back.
   */
  write(scan: RecordScan, size: number, kind: SourceKind): WrittenRecord | null {
    const slab = this.#slab
    slab.reserve(size * growth + fixedRoom)
    const start = slab.position
    slab.header(this.#schemaId)
    slab.long(scan.eventTime)
    slab.slice(scan.bytes, scan.start(eventSource), scan.end(eventSource))
    slab.slice(scan.bytes, scan.start(eventName), scan.end(eventName))
    this.#text(scan, awsRegion)
    slab.size(this.#outcome(scan))
    this.#identity.principal(scan)
    const account = filled(scan, recipient) ? recipient : identityAccount
    this.#text(scan, account)
    this.#text(scan, eventId)
    for (const slot of beforeErrors) this.#optional(scan, slot)
    this.#optionalFilled(scan, errorCode)
    this.#optionalFilled(scan, errorMessage)
    slab.optionalFlag(scan.flag(readOnly))
    slab.optionalFlag(scan.flag(managementEvent))
    this.#optional(scan, vpcEndpointId)
    this.#optional(scan, requestId)
    this.#identity.identity(scan)
    try {
      this.#json(scan, requestParameters, this.#context.keepRequestParameters)
      this.#json(scan, responseElements, this.#context.keepResponseElements)
      this.#json(scan, additionalEventData, this.#context.keepAdditionalEventData)
    } catch {
      return null
    }
    this.#secrets(scan, account)
    slab.size(placeOfKind[kind])
    const { keyStart, keyEnd } = this.#identity
    return { key: slab.bytes.subarray(keyStart, keyEnd), value: slab.bytes.subarray(start, slab.position) }
  }

  /** The memory of all records written since the last call, for {@link recycle} once nobody reads them. */
  detach(): Buffer[] {
    return this.#slab.detach()
  }

  /** Takes memory back that {@link detach} gave away. */
  recycle(memory: readonly Buffer[]): void {
    this.#slab.recycle(memory)
  }

  #outcome(scan: RecordScan): number {
    if (!filled(scan, errorCode)) return filled(scan, errorMessage) ? failed : succeeded
    const code = scan.latin1(errorCode)
    let outcome = this.#outcomes.get(code)
    if (outcome === undefined) {
      // Codes are some thousands; made-up ones must not grow the memory.
      if (this.#outcomes.size > 4096) this.#outcomes.clear()
      outcome = outcomes.indexOf(outcomeOf(code, null))
      this.#outcomes.set(code, outcome)
    }
    return outcome
  }

  /** A string of the schema without null: absent is empty. */
  #text(scan: RecordScan, slot: number): void {
    if (!scan.has(slot)) this.#slab.byte(0)
    else if (scan.isUnusual(slot)) this.#slab.text(scan.text(slot) ?? '')
    else this.#slab.slice(scan.bytes, scan.start(slot), scan.end(slot))
  }

  #optional(scan: RecordScan, slot: number): void {
    if (!scan.has(slot)) this.#slab.byte(0)
    else {
      this.#slab.byte(2)
      this.#text(scan, slot)
    }
  }

  #optionalFilled(scan: RecordScan, slot: number): void {
    if (filled(scan, slot)) this.#optional(scan, slot)
    else this.#slab.byte(0)
  }

  #json(scan: RecordScan, slot: number, keep: boolean): void {
    const slab = this.#slab
    if (!keep || !scan.has(slot)) slab.byte(0)
    else if (scan.isUnusual(slot)) slab.optionalText(JSON.stringify(parsed(scan, slot)))
    else {
      slab.byte(2)
      slab.slice(scan.bytes, scan.start(slot), scan.end(slot))
    }
  }

  #secrets(scan: RecordScan, account: number): void {
    const slab = this.#slab
    if (scan.is(eventSource, secretsManager) && scan.has(requestParameters)) {
      const source = 'secretsmanager.amazonaws.com'
      const parameters = onlySecret(scan) ?? parsed(scan, requestParameters)
      const region = scan.has(awsRegion) ? scan.latin1(awsRegion) : ''
      const secrets = secretsOf(source, scan.latin1(eventName), parameters, scan.text(account) ?? '', region)
      if (secrets.length > 0) {
        slab.size(secrets.length)
        for (const secret of secrets) slab.text(secret)
      }
    }
    slab.byte(0)
  }
}

/** `{"secretId":"…"}` and nothing else, which is what nearly every read looks like. */
function onlySecret(scan: RecordScan): { readonly secretId: string } | null {
  if (scan.isUnusual(requestParameters)) return null
  const start = scan.start(requestParameters)
  const end = scan.end(requestParameters)
  for (let index = 0; index < onlySecretId.length; index++) {
    if (scan.bytes[start + index] !== onlySecretId[index]) return null
  }
  const from = start + onlySecretId.length
  // Canonical JSON has no escaped quote: the first one ends the text.
  if (scan.bytes.indexOf(0x22, from) !== end - 2) return null
  return { secretId: scan.bytes.toString('latin1', from, end - 2) }
}

function parsed(scan: RecordScan, slot: number): unknown {
  return JSON.parse(scan.bytes.toString('utf8', scan.start(slot), scan.end(slot)))
}

function filled(scan: RecordScan, slot: number): boolean {
  return scan.has(slot) && scan.end(slot) > scan.start(slot)
}
