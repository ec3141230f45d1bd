// Principal and userIdentity of a scanned record. Sessions of roles and IAM users are read from the bytes; any other
// identity is parsed and goes through principal.ts and user-identity.ts, so that their rules stand in one place.
// Pure. What the two short ways claim is held against the general mapping by test/property/fast-path.property.test.ts.
import type { JsonObject } from '../cloudtrail.ts'
import { principalKinds } from '../event.ts'
import type { Principal, UserIdentity } from '../event.ts'
import { principalOf } from '../principal.ts'
import type { PrincipalOptions } from '../principal.ts'
import { userIdentityOf } from '../user-identity.ts'
import type { AvroSlab } from './avro-slab.ts'
import { slotOf } from './record-layout.ts'
import { isDigit } from './record-scan.ts'
import type { RecordScan } from './record-scan.ts'

const identity = slotOf('record.userIdentity')
const recipient = slotOf('record.recipientAccountId')
const additional = slotOf('record.additionalEventData')
const type = slotOf('identity.type')
const principalId = slotOf('identity.principalId')
const arn = slotOf('identity.arn')
const accountId = slotOf('identity.accountId')
const accessKeyId = slotOf('identity.accessKeyId')
const userName = slotOf('identity.userName')
const invokedBy = slotOf('identity.invokedBy')
const sources = [slotOf('identity.sourceIdentity'), slotOf('context.sourceIdentity')]
const issuer = {
  type: slotOf('issuer.type'),
  principalId: slotOf('issuer.principalId'),
  arn: slotOf('issuer.arn'),
  accountId: slotOf('issuer.accountId'),
  userName: slotOf('issuer.userName'),
}
const issuerSlots = Object.values(issuer)
const ownSlots = [type, principalId, arn, accountId, accessKeyId, userName, invokedBy]
const created = slotOf('attributes.creationDate')
const mfaAuthenticated = slotOf('attributes.mfaAuthenticated')

const assumedRole = Buffer.from('AssumedRole')
const iamUser = Buffer.from('IAMUser')
const ssoRole = Buffer.from('AWSReservedSSO_')
const roleSegment = Buffer.from('/role/')
const userSegment = Buffer.from('/user/')
const roleKind = principalKinds.indexOf('ROLE')
const userKind = principalKinds.indexOf('USER')
const colon = 0x3a
// What principal-key.ts caps.
const longestKey = 512
const longestName = 256

/** Writes one record's principal, then (elsewhere in the record) its userIdentity. */
export class IdentityWriter {
  /** Where the key of the record stands in the slab. */
  keyStart = 0
  keyEnd = 0
  readonly #slab: AvroSlab
  readonly #options: PrincipalOptions
  #parsed: { principal: Principal; identity: UserIdentity } | null = null
  /** First colon of principalId, -1 where the identity has no session name. */
  #colon = -1

  constructor(slab: AvroSlab, options: PrincipalOptions) {
    this.#slab = slab
    this.#options = options
  }

  /** Writes `principal`. */
  principal(scan: RecordScan): void {
    this.#parsed = null
    this.#colon = -1
    if (!scan.has(identity) || hasAny(scan, sources)) this.#parse(scan)
    else if (this.#isRole(scan))
      this.#key(scan, issuer.accountId, roleSegment, issuer.principalId, roleKind, issuer.userName)
    else if (this.#isUser(scan)) this.#key(scan, accountId, userSegment, principalId, userKind, userName)
    else this.#parse(scan)
  }

  /** Writes `userIdentity`, after {@link principal} of the same record. */
  identity(scan: RecordScan): void {
    const slab = this.#slab
    if (this.#parsed !== null) return this.#object(this.#parsed.identity)
    for (const slot of ownSlots) this.#field(scan, slot)
    slab.byte(0) // sourceIdentity
    if (hasAny(scan, issuerSlots)) {
      slab.byte(2)
      for (const slot of issuerSlots) this.#field(scan, slot)
    } else slab.byte(0)
    if (this.#colon === -1) slab.byte(0)
    else {
      slab.byte(2)
      slab.slice(scan.bytes, this.#colon + 1, scan.end(principalId))
    }
    slab.optionalFlag(scan.flag(mfaAuthenticated))
    slab.optionalLong(scan.time(created))
  }

  /** A session of a role that is no Identity Center role, with what AWS writes into every such record. */
  #isRole(scan: RecordScan): boolean {
    if (!scan.is(type, assumedRole) || !isPlain(scan, principalId)) return false
    const found = scan.bytes.indexOf(colon, scan.start(principalId))
    if (found === -1 || found >= scan.end(principalId) - 1) return false
    if (!isId(scan, issuer.principalId) || !isAccount(scan, issuer.accountId)) return false
    if (!isName(scan, issuer.userName) || startsWith(scan, issuer.userName, ssoRole)) return false
    this.#colon = found
    return true
  }

  /** A user with AWS's own id, whether the call was made with long-lived keys or with a session of the user. */
  #isUser(scan: RecordScan): boolean {
    if (!scan.is(type, iamUser)) return false
    return isId(scan, principalId) && isAccount(scan, accountId) && isName(scan, userName)
  }

  #key(scan: RecordScan, account: number, middle: Buffer, id: number, kind: number, name: number): void {
    const slab = this.#slab
    const { bytes } = scan
    slab.size(scan.end(account) - scan.start(account) + middle.length + scan.end(id) - scan.start(id))
    this.keyStart = slab.position
    slab.raw(bytes, scan.start(account), scan.end(account))
    slab.raw(middle, 0, middle.length)
    slab.raw(bytes, scan.start(id), scan.end(id))
    this.keyEnd = slab.position
    slab.size(kind)
    slab.slice(bytes, scan.start(name), scan.end(name))
  }

  #parse(scan: RecordScan): void {
    const userIdentity = parsed(scan, identity)
    const principal = principalOf(
      { userIdentity, recipientAccountId: scan.text(recipient), additionalEventData: parsed(scan, additional) },
      this.#options,
    )
    this.#parsed = { principal, identity: userIdentityOf(userIdentity) }
    const slab = this.#slab
    const size = Buffer.byteLength(principal.key)
    slab.text(principal.key)
    this.keyEnd = slab.position
    this.keyStart = slab.position - size
    slab.size(principalKinds.indexOf(principal.kind))
    slab.text(principal.name)
  }

  #field(scan: RecordScan, slot: number): void {
    if (!scan.has(slot)) this.#slab.byte(0)
    else if (scan.isUnusual(slot)) this.#slab.optionalText(scan.text(slot))
    else {
      this.#slab.byte(2)
      this.#slab.slice(scan.bytes, scan.start(slot), scan.end(slot))
    }
  }

  #object(value: UserIdentity): void {
    const slab = this.#slab
    slab.optionalText(value.type)
    slab.optionalText(value.principalId)
    slab.optionalText(value.arn)
    slab.optionalText(value.accountId)
    slab.optionalText(value.accessKeyId)
    slab.optionalText(value.userName)
    slab.optionalText(value.invokedBy)
    slab.optionalText(value.sourceIdentity)
    if (value.sessionIssuer === null) slab.byte(0)
    else {
      slab.byte(2)
      slab.optionalText(value.sessionIssuer.type)
      slab.optionalText(value.sessionIssuer.principalId)
      slab.optionalText(value.sessionIssuer.arn)
      slab.optionalText(value.sessionIssuer.accountId)
      slab.optionalText(value.sessionIssuer.userName)
    }
    slab.optionalText(value.sessionName)
    slab.optionalFlag(value.mfaAuthenticated)
    slab.optionalLong(value.sessionCreated)
  }
}

function hasAny(scan: RecordScan, slots: readonly number[]): boolean {
  for (const slot of slots) if (scan.has(slot)) return true
  return false
}

function parsed(scan: RecordScan, slot: number): JsonObject | undefined {
  if (!scan.has(slot)) return undefined
  return JSON.parse(scan.bytes.toString('utf8', scan.start(slot), scan.end(slot))) as JsonObject
}

/** Present, not empty, and its bytes are its text. */
function isPlain(scan: RecordScan, slot: number): boolean {
  return scan.has(slot) && !scan.isUnusual(slot) && scan.end(slot) > scan.start(slot)
}

/** Letters and digits, as all ids that AWS issues: such a segment stands for itself in a key. */
function isId(scan: RecordScan, slot: number): boolean {
  if (!isPlain(scan, slot) || scan.end(slot) - scan.start(slot) > longestKey / 4) return false
  for (let at = scan.start(slot); at < scan.end(slot); at++) {
    const byte = scan.bytes[at]!
    if (!(isDigit(byte) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a))) return false
  }
  return true
}

function isAccount(scan: RecordScan, slot: number): boolean {
  if (!isPlain(scan, slot) || scan.end(slot) - scan.start(slot) > longestKey / 4) return false
  for (let at = scan.start(slot); at < scan.end(slot); at++) if (!isDigit(scan.bytes[at])) return false
  return true
}

/** A name that is displayed as it stands: plain bytes are printable ASCII. */
function isName(scan: RecordScan, slot: number): boolean {
  return isPlain(scan, slot) && scan.end(slot) - scan.start(slot) <= longestName
}

function startsWith(scan: RecordScan, slot: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++)
    if (scan.bytes[scan.start(slot) + index] !== text[index]) return false
  return true
}
