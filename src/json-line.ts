// One JSON value as one line that is safe to show: what `--json` prints and what a JSON topic holds.
// Pure. The value is unchanged for whoever parses the line; only its spelling differs from JSON.stringify.

// JSON.stringify leaves these as they are. A C1 control (U+009B) drives a terminal as ESC [ does, and some line readers
// end a line at U+0085, U+2028 and U+2029. Inside a JSON document they occur in strings only, so \u escapes are exact.
const unsafe = /[\u007f-\u009f\u2028\u2029]/g

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/**
 * The value as JSON on one line, without the line feed: well-formed Unicode (lone surrogates are escaped), no control
 * characters, no line or paragraph separators. Numbers that JSON cannot hold (NaN, infinities) become `null`.
 */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(unsafe, escaped)
}
