// Finds the fields of a CloudTrail record in the bytes of its JSON: positions, no objects. The hot loop of the normalizer.
// AssemblyScript, compiled by `npm run build:scan` to src/normalize/fast/scan-module.ts. Which fields there are is told by
// src/normalize/fast/record-layout.ts, which writes the table of keys into this memory; results are read by record-scan.ts.
import {
  canonical,
  endOfString,
  endOfValue,
  falseAt,
  forgetNewline,
  isSame,
  newline,
  nullAt,
  quote,
  skipValue,
  skipWhite,
  trueAt,
  unusual,
} from './json-scan'

// Kinds of fields, starts of what is no text, keys and levels: as in src/normalize/fast/record-layout.ts.
const text: u32 = 0
/** Text that decides something: its bytes must be its text. */
const word: u32 = 1
const flag: u32 = 2
const json: u32 = 3
const object: u32 = 4
const absent: i32 = -1
const nothing: i32 = -2
const yes: i32 = -3
const no: i32 = -4

// A key: what a record has where it stands, `"name":`, as 32 bytes, the mask of those that count, and numbers.
const mask: usize = 32
const width: usize = 64
const slotOf: usize = 68
const kindOf: usize = 72
const belowOf: usize = 76
/** The key that followed this one the last time: CloudTrail writes its fields in one order, most of the time. */
const nextOf: usize = 80
/** Another key of the level whose name is as long. */
const otherOf: usize = 84
/** A level is a key before the first, and behind it the first of its keys by length of the name. */
const byLength: usize = 88
const longest: usize = 31

/** Fields that fit. */
export const mostSlots: i32 = 64
/** By slot, 32-bit each: where a field starts and ends, and 1 where its bytes are unusual. */
export const starts: usize = memory.data(64 * 4, 16)
export const ends: usize = memory.data(64 * 4, 16)
export const unusuals: usize = memory.data(64 * 4, 16)
/** Of the last scan: the next token behind the record; 1 for a line feed in the record; 1 for one before that token. */
export const found: usize = memory.data(3 * 4, 16)
/** Memory from here on is the caller's. */
export const free: usize = __heap_base

/** Address behind the JSON white space at `from`. */
export function tokenAt(from: usize): usize {
  return skipWhite(from)
}

/** Address behind the record that begins at `from`, of the level `level`; 0 where the general path has to look at it. */
export function scan(from: usize, level: usize): usize {
  for (let slot: usize = 0; slot < (<usize>mostSlots) << 2; slot += 16) v128.store(starts + slot, i32x4.splat(absent))
  if (load<u8>(from) != 0x7b) return 0
  forgetNewline()
  const end = members(from + 1, level)
  if (end == 0) return 0
  store<u32>(found, newline ? 1 : 0, 4)
  forgetNewline()
  store<u32>(found, <u32>skipWhite(end))
  store<u32>(found, newline ? 1 : 0, 8)
  return end
}

function members(from: usize, level: usize): usize {
  let before = level
  let at = skipWhite(from)
  if (load<u8>(at) == 0x7d) return at + 1
  while (true) {
    let key = <usize>load<u32>(before, nextOf)
    if (key != 0 && isAt(key, at)) {
      before = key
      at += <usize>load<u32>(key, width)
    } else {
      if (load<u8>(at) != quote) return 0
      const start = at + 1
      const end = endOfString(start)
      // An escape could spell the name of any field.
      if (end == 0 || unusual) return 0
      key = find(level, start, end)
      if (key != 0) {
        store<u32>(before, <u32>key, nextOf)
        before = key
      }
      at = skipWhite(end + 1)
      if (load<u8>(at) != 0x3a) return 0
      at++
    }
    at = skipWhite(at)
    at = key == 0 ? skipValue(at) : value(at, key)
    if (at == 0) return 0
    at = skipWhite(at)
    const byte = load<u8>(at)
    if (byte == 0x7d) return at + 1
    if (byte != 0x2c) return 0
    at = skipWhite(at + 1)
  }
}

/** Whether the key, its quotes and a colon stand at `at`. */
function isAt(key: usize, at: usize): bool {
  const first = v128.and(v128.xor(v128.load(at), v128.load(key)), v128.load(key, mask))
  const second = v128.and(v128.xor(v128.load(at, 16), v128.load(key, 16)), v128.load(key, mask + 16))
  return !v128.any_true(v128.or(first, second))
}

function find(level: usize, start: usize, end: usize): usize {
  if (end - start > longest) return 0
  let key = <usize>load<u32>(level + ((end - start) << 2), byLength)
  while (key != 0 && !isSame(key + 1, start, end)) key = <usize>load<u32>(key, otherOf)
  return key
}

function value(at: usize, key: usize): usize {
  const slot = (<usize>load<u32>(key, slotOf)) << 2
  // The last of two wins in JSON.parse; here the second ends the fast path.
  if (load<i32>(starts + slot) != absent) return 0
  store<i32>(starts + slot, nothing)
  const byte = load<u8>(at)
  const kind = load<u32>(key, kindOf)
  if (kind <= word && byte == quote) {
    const end = endOfString(at + 1)
    if (end == 0 || (kind == word && unusual)) return 0
    keep(slot, at + 1, end, unusual)
    return end + 1
  }
  if (kind > object) return 0
  if (byte == 0x6e) return nullAt(at)
  if (kind == flag) return flagAt(at, slot)
  if (kind == json) {
    if (byte != 0x7b && byte != 0x5b) return 0
    const end = endOfValue(at)
    if (end == 0) return 0
    keep(slot, at, end, !canonical)
    return end
  }
  if (kind == object && byte == 0x7b) {
    const end = members(at + 1, <usize>load<u32>(key, belowOf))
    if (end == 0) return 0
    keep(slot, at, end, false)
    return end
  }
  return 0
}

function keep(slot: usize, start: usize, end: usize, odd: bool): void {
  store<u32>(starts + slot, <u32>start)
  store<u32>(ends + slot, <u32>end)
  store<u32>(unusuals + slot, odd ? 1 : 0)
}

/** true, false, and their texts (mfaAuthenticated is always text); any other text is no flag. */
function flagAt(at: usize, slot: usize): usize {
  const asText = load<u8>(at) == quote
  const from = asText ? at + 1 : at
  let end = trueAt(from)
  const isTrue = end != 0
  if (!isTrue) end = falseAt(from)
  if (end == 0 || (asText && load<u8>(end) != quote)) return 0
  store<i32>(starts + slot, isTrue ? yes : no)
  return asText ? end + 1 : end
}
