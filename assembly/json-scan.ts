// The grammar of JSON over bytes in memory: where a value ends, without making it. The floor of the fast path, which must
// never take what JSON.parse refuses; what it finds unusual it only notes, and the caller decides.
// AssemblyScript, compiled by `npm run build:scan`. A zero byte stands behind the input: no token holds one, so whatever
// runs into it ends there, and no function needs to know where the input ends. Every function returns 0 for what is no JSON.

/** The string has an escape, a control character 0x7f or a byte beyond ASCII: its bytes are not its text. */
export let unusual: bool = false
/** JSON.stringify of the parsed value would give exactly these bytes. */
export let canonical: bool = true
/** A line feed stands between tokens. */
export let newline: bool = false

export const quote: u8 = 0x22
const backslash: u8 = 0x5c

// A value nested deeper goes the general way, which knows how to refuse what nobody can walk.
const deepest: i32 = 64
// More keys than this in one object are not compared with each other; the object is then written by JSON.stringify.
const mostKeys: i32 = 16

/** Start and end of the keys of all objects that are open. */
const keyPlaces: usize = memory.data(64 * 16 * 8, 16)
let keys: i32 = 0

/** Notes of a new record. */
export function forgetNewline(): void {
  newline = false
}

/** Address of the closing quote of a string that begins at `from`, behind its opening quote. */
export function endOfString(from: usize): usize {
  unusual = false
  let at = from
  while (true) {
    // Sixteen bytes at a time. One more makes 0x7f and all beyond ASCII negative, so that one comparison finds them and
    // the control characters.
    const bytes = v128.load(at)
    const special = v128.or(
      i8x16.lt_s(i8x16.add(bytes, i8x16.splat(1)), i8x16.splat(0x21)),
      v128.or(i8x16.eq(bytes, i8x16.splat(quote)), i8x16.eq(bytes, i8x16.splat(backslash))),
    )
    const places = i8x16.bitmask(special)
    if (places == 0) {
      at += 16
      continue
    }
    at += ctz(places)
    const byte = load<u8>(at)
    if (byte == quote) return at
    if (byte < 0x20) return 0
    unusual = true
    const width: usize = byte == backslash ? escapeWidth(at) : 1
    if (width == 0) return 0
    at += width
  }
}

/** Bytes of the escape at `at`, 0 where it is none. */
function escapeWidth(at: usize): usize {
  switch (load<u8>(at, 1)) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 2
    case 0x75: {
      for (let digit = at + 2; digit < at + 6; digit++) if (!isHex(load<u8>(digit))) return 0
      return 6
    }
    default:
      return 0
  }
}

function isHex(byte: u8): bool {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}

function isDigit(byte: u8): bool {
  return byte >= 0x30 && byte <= 0x39
}

/** First address at or after `from` that is no JSON white space. */
export function skipWhite(from: usize): usize {
  let at = from
  while (true) {
    const byte = load<u8>(at)
    if (byte > 0x20) return at
    if (byte == 0x0a) newline = true
    else if (byte != 0x20 && byte != 0x0d && byte != 0x09) return at
    canonical = false
    at++
  }
}

/**
 * Address behind the value at `at`. Afterwards `canonical` is false where the bytes are not what JSON.stringify would
 * write: white space, escapes, numbers that are not plain integers, keys that objects reorder or drop.
 */
export function endOfValue(at: usize): usize {
  keys = 0
  canonical = true
  return valueAt(at, 0)
}

/** The same of a value whose spelling is of no interest. */
export function skipValue(at: usize): usize {
  keys = 0
  canonical = false
  return valueAt(at, 0)
}

function valueAt(at: usize, depth: i32): usize {
  switch (load<u8>(at)) {
    case 0x22: {
      const end = endOfString(at + 1)
      if (unusual) canonical = false
      return end == 0 ? 0 : end + 1
    }
    case 0x7b:
      return depth == deepest ? 0 : objectAt(at + 1, depth + 1)
    case 0x5b:
      return depth == deepest ? 0 : arrayAt(at + 1, depth + 1)
    case 0x74:
      return trueAt(at)
    case 0x66:
      return falseAt(at)
    case 0x6e:
      return nullAt(at)
    default:
      return numberAt(at)
  }
}

/** Address behind `true` if it stands at `at`. */
export function trueAt(at: usize): usize {
  return load<u32>(at) == 0x65757274 ? at + 4 : 0
}

/** Address behind `false` if it stands at `at`. */
export function falseAt(at: usize): usize {
  return load<u32>(at) == 0x736c6166 && load<u8>(at, 4) == 0x65 ? at + 5 : 0
}

/** Address behind `null` if it stands at `at`. */
export function nullAt(at: usize): usize {
  return load<u32>(at) == 0x6c6c756e ? at + 4 : 0
}

function numberAt(from: usize): usize {
  let at = from
  const negative = load<u8>(at) == 0x2d
  if (negative) at++
  const zero = load<u8>(at) == 0x30
  if (zero) at++
  else {
    if (!isDigit(load<u8>(at))) return 0
    at = skipDigits(at)
  }
  // Fifteen digits are exact in a double; -0 is written as 0.
  if (at - from > 15 || (negative && zero)) canonical = false
  if (load<u8>(at) == 0x2e) {
    canonical = false
    if (!isDigit(load<u8>(++at))) return 0
    at = skipDigits(at)
  }
  if ((load<u8>(at) | 0x20) == 0x65) {
    canonical = false
    const sign = load<u8>(++at)
    if (sign == 0x2b || sign == 0x2d) at++
    if (!isDigit(load<u8>(at))) return 0
    at = skipDigits(at)
  }
  return at
}

function skipDigits(from: usize): usize {
  let at = from
  while (isDigit(load<u8>(at))) at++
  return at
}

function arrayAt(from: usize, depth: i32): usize {
  let at = skipWhite(from)
  if (load<u8>(at) == 0x5d) return at + 1
  while (true) {
    at = valueAt(at, depth)
    if (at == 0) return 0
    at = skipWhite(at)
    const byte = load<u8>(at)
    if (byte == 0x5d) return at + 1
    if (byte != 0x2c) return 0
    at = skipWhite(at + 1)
  }
}

function objectAt(from: usize, depth: i32): usize {
  const first = keys
  let at = skipWhite(from)
  if (load<u8>(at) == 0x7d) return at + 1
  while (true) {
    if (load<u8>(at) != quote) return 0
    const start = at + 1
    const end = endOfString(start)
    if (end == 0) return 0
    if (canonical) noteKey(start, end, first)
    at = skipWhite(end + 1)
    if (load<u8>(at) != 0x3a) return 0
    at = valueAt(skipWhite(at + 1), depth)
    if (at == 0) return 0
    at = skipWhite(at)
    const byte = load<u8>(at)
    if (byte == 0x7d) {
      keys = first
      return at + 1
    }
    if (byte != 0x2c) return 0
    at = skipWhite(at + 1)
  }
}

/** A key given twice keeps its first place and its last value; one that reads as an index moves to the front. */
function noteKey(start: usize, end: usize, first: i32): void {
  if (unusual || isDigit(load<u8>(start)) || keys - first == mostKeys) {
    canonical = false
    return
  }
  for (let key = first; key < keys; key++) {
    const place = keyPlaces + ((<usize>key) << 3)
    const other = <usize>load<u32>(place)
    if (<usize>load<u32>(place, 4) - other == end - start && isSame(other, start, end)) {
      canonical = false
      return
    }
  }
  const place = keyPlaces + ((<usize>keys) << 3)
  store<u32>(place, <u32>start)
  store<u32>(place, <u32>end, 4)
  keys++
}

/** Whether what begins at `known` begins like the bytes from `start` to `end`. */
export function isSame(known: usize, start: usize, end: usize): bool {
  let other = known
  for (let at = start; at < end; at++) if (load<u8>(at) != load<u8>(other++)) return false
  return true
}
