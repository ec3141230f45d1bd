// What it means when TLS, authentication or authorization fails: the code of our table and a sentence with the way out.
// Pure. None of these goes away by trying again, so each is said once and ends the process; a broken connection that
// kafkajs reports as a failed authentication is told apart, because that one does go away.

import type { ErrorCode } from '../errors.ts'

/** A server that does not let us in, or that we must not talk to. */
export interface Refusal {
  readonly code: Extract<ErrorCode, 'TW_TLS_FAILED' | 'TW_AUTHENTICATION_FAILED' | 'TW_NOT_AUTHORIZED'>
  /** Goes behind `what we did: `. */
  readonly reason: string
}

/** As much of an error as the verdict needs. */
interface Failure {
  readonly name?: string
  readonly message: string
  /** A name from Node's TLS, or a number of the Kafka protocol. */
  readonly code?: unknown
  /** `host:port`, on kafkajs' connection errors. */
  readonly broker?: unknown
}

// Codes: https://nodejs.org/api/tls.html#x509-certificate-error-codes. The registry's library keeps the message only.
const tlsFaults: readonly { readonly codes: RegExp; readonly message: RegExp; readonly sentence: string }[] = [
  {
    codes: /^CERT_HAS_EXPIRED$/,
    message: /certificate has expired/i,
    sentence: 'the certificate has expired and has to be renewed',
  },
  {
    codes: /^CERT_NOT_YET_VALID$/,
    message: /certificate is not yet valid/i,
    sentence: 'the certificate is not valid yet; compare the clocks',
  },
  {
    codes: /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    message: /does not match certificate's altnames/i,
    sentence: 'the certificate is for another host name; use a name that is in it, or have it issued for this one',
  },
  {
    codes:
      /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE)$/,
    message: /self[- ]signed certificate|unable to (get (local )?issuer certificate|verify the first certificate)/i,
    sentence: 'the certificate comes from an authority that is not trusted here; name that authority in the CA file',
  },
  {
    codes: /^ERR_SSL_\S*_ALERT_\w+$/,
    message: /\balert (bad certificate|certificate \w+|unknown ca|handshake failure|protocol version)/i,
    sentence: 'our side was refused; give a client certificate that the server trusts, or use its TLS version',
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)$/,
    message: /wrong version number|packet length too long/i,
    sentence: 'the port does not speak TLS',
  },
  {
    codes: /^(CERT_|CRL_|INVALID_(CA|PURPOSE)|PATH_LENGTH_)\w*$/,
    message: /(?!)/,
    sentence: 'the certificate is not valid',
  },
]

/** Why a TLS handshake failed for good, or null where that is not what happened. */
export function tlsRefusal({ message, code }: Failure): string | null {
  const named = typeof code === 'string' ? code : ''
  return tlsFaults.find(fault => fault.codes.test(named) || fault.message.test(message))?.sentence ?? null
}

/** https://kafka.apache.org/protocol#protocol_error_codes: authorization, and what the refused thing is. */
const forbidden: ReadonlyMap<number, string> = new Map([
  [29, 'a topic'],
  [30, 'the consumer group'],
  [31, 'the cluster'],
  [53, 'the transactional id'],
])
const unsupportedMechanism = 33
const saslAuthenticationFailed = 58
// kafkajs wraps whatever happens during authentication, a lost connection too.
const interrupted = /failed: (Closed connection|Connection |Not connected|Request |read |write |connect )/

/** The refusal behind a failed call, outermost error first, or null where the failure is of another kind. */
export function refusalOf(errors: readonly Failure[]): Refusal | null {
  for (const error of errors) {
    const tls = typeof error.code === 'string' ? tlsRefusal(error) : null
    if (tls !== null) {
      const broker = typeof error.broker === 'string' ? `broker ${error.broker}: ` : ''
      return { code: 'TW_TLS_FAILED', reason: `${broker}${tls} (${String(error.code)})` }
    }
  }
  for (const { name, message, code } of errors) {
    if (code === unsupportedMechanism || code === saslAuthenticationFailed || name === 'KafkaJSSASLAuthenticationError')
      return interrupted.test(message) ? null : { code: 'TW_AUTHENTICATION_FAILED', reason: withoutStop(message) }
    const thing = typeof code === 'number' ? forbidden.get(code) : undefined
    if (thing !== undefined)
      return {
        code: 'TW_NOT_AUTHORIZED',
        reason: `the brokers do not let this user use ${thing} (${withoutStop(message)})`,
      }
  }
  return null
}

function withoutStop(message: string): string {
  return message.replace(/\.$/, '')
}
