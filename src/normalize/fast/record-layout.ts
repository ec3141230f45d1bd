// What stands where in a CloudTrail record, and the table of its keys as the scan reads it (assembly/record-scan.ts has
// the same offsets and kinds). Fields are known by their slots; the scan says for each slot where it found the field.
// Pure.

const kinds = { text: 0, word: 1, flag: 2, json: 3, object: 4, stop: 5 } as const
type Kind = keyof typeof kinds
type Level = 'record' | 'identity' | 'context' | 'issuer' | 'attributes'

// `word`: decisions are taken on the bytes, so a text whose bytes are not its text ends the fast path. `stop`: with such a
// key the object may be something else than a record.
const layout: Readonly<Record<Level, Readonly<Record<string, Kind | readonly [Kind, Level]>>>> = {
  record: {
    ...{ eventVersion: 'word', eventTime: 'word', eventSource: 'word', eventName: 'word', awsRegion: 'word' },
    ...{ eventID: 'text', sharedEventID: 'text', eventType: 'word', eventCategory: 'text', requestID: 'text' },
    ...{ recipientAccountId: 'word', sourceIPAddress: 'text', userAgent: 'text', vpcEndpointId: 'text' },
    ...{ errorCode: 'word', errorMessage: 'text', readOnly: 'flag', managementEvent: 'flag' },
    ...{ requestParameters: 'json', responseElements: 'json', additionalEventData: 'json' },
    ...{ userIdentity: ['object', 'identity'], '@timestamp': 'stop', '@version': 'stop', insightDetails: 'stop' },
  },
  identity: {
    ...{ type: 'text', principalId: 'text', arn: 'text', accountId: 'text', accessKeyId: 'text', userName: 'text' },
    ...{ invokedBy: 'text', sourceIdentity: 'text', sessionContext: ['object', 'context'] },
  },
  context: { sourceIdentity: 'text', sessionIssuer: ['object', 'issuer'], attributes: ['object', 'attributes'] },
  issuer: { type: 'text', principalId: 'text', arn: 'text', accountId: 'text', userName: 'text' },
  attributes: { creationDate: 'text', mfaAuthenticated: 'flag' },
}

// What the scan writes as the start of a field that is no text and no JSON.
export const yes = -3
export const no = -4

// Offsets in a key: the text `"name":` in 32 bytes, the mask of those that count, then numbers of 32 bits.
const longestName = 28
const mask = 32
const width = 64
const slot = 68
const kind = 72
const below = 76
const other = 84
const keyBytes = 88
/** A level is a key before the first, and behind it the first of its keys by length of the name. */
const levelBytes = keyBytes + 4 * 32

const levels = Object.keys(layout) as Level[]
const fields = levels.flatMap(level => Object.entries(layout[level]).map(([name, entry]) => ({ level, name, entry })))
const slots = new Map(fields.map(({ level, name }, index) => [`${level}.${name}`, index]))

/** The slot of a field, such as `record.eventTime` or `issuer.principalId`. */
export function slotOf(field: string): number {
  const slot = slots.get(field)
  if (slot === undefined) throw new Error(`The scan has no field ${field}.`)
  return slot
}

/** How many slots there are. */
export const slotCount = fields.length

/** Bytes of the table of keys. */
export const tableBytes = levels.length * levelBytes + fields.length * keyBytes

/** Writes the table of keys to `start`; the level of a record comes first. */
export function writeTable(memory: Buffer, start: number): void {
  memory.fill(0, start, start + tableBytes)
  const levelAt = (level: Level) => start + levels.indexOf(level) * levelBytes
  let key = start + levels.length * levelBytes
  for (const [index, { level, name, entry }] of fields.entries()) {
    if (name.length > longestName) throw new Error(`The scan has no room for the name ${name}.`)
    const text = `"${name}":`
    const [own, inside] = typeof entry === 'string' ? [entry, level] : entry
    memory.write(text, key, 'latin1')
    memory.fill(0xff, key + mask, key + mask + text.length)
    memory.writeUInt32LE(text.length, key + width)
    memory.writeUInt32LE(index, key + slot)
    memory.writeUInt32LE(kinds[own], key + kind)
    memory.writeUInt32LE(levelAt(inside), key + below)
    const byLength = levelAt(level) + keyBytes + 4 * name.length
    memory.writeUInt32LE(memory.readUInt32LE(byLength), key + other)
    memory.writeUInt32LE(key, byLength)
    key += keyBytes
  }
}
