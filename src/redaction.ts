// Keeps secrets out of what is written: every spelling of a secret in force becomes stars. The last line of defence; what
// writes logs and errors leaves secrets out by itself. Pure.

// Shorter ones are no secrets, and stars in place of every "a" would hide everything else.
const shortest = 4
const stars = '********'

/** A function that masks the secrets in a text: as they are, in JSON, in a URL, in base64 alone and behind a user name. */
export function masking(secrets: readonly string[], users: readonly string[] = []): (text: string) => string {
  const spellings = secrets
    .filter(secret => secret.length >= shortest)
    .flatMap(secret => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      base64(secret),
      ...users.map(user => base64(`${user}:${secret}`)),
    ])
  // Longest first: one secret may be a part of another.
  const sorted = [...new Set(spellings)].sort((a, b) => b.length - a.length)
  return text => sorted.reduce((masked, spelling) => masked.replaceAll(spelling, stars), text)
}

// Without padding, so that it is also found inside a longer encoding that begins with it.
function base64(text: string): string {
  return Buffer.from(text).toString('base64').replace(/=+$/, '')
}
