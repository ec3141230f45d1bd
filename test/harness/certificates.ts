// Certificates for tests, made by openssl on the spot: an authority, and leaves that are good, expired or for another
// host. Nothing of this is a fixture, so no private key ever stands in the repository.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** PEM files of a certificate and its key. */
export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  /** Key and certificate in one file, as a PEM key store of Kafka wants it. */
  readonly storeFile: string
}

/** What a certificate says; good for a day, or expired a day ago. */
export interface Subject {
  /** The distinguished name is `CN=<name>`. */
  readonly name: string
  /** As openssl writes them: `DNS:localhost,IP:127.0.0.1`. Default: those two. */
  readonly hosts?: string
  readonly expired?: boolean
}

/** A certificate authority of its own. */
export interface Authority {
  readonly caFile: string
  issue(subject: Subject): Certificate
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Makes an authority in `folder`. Throws where there is no openssl of version 3. */
export function certificateAuthority(folder: string, name = 'test-authority'): Authority {
  mkdirSync(folder, { recursive: true })
  const file = (file: string) => join(folder, file)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const caFile = file('ca.pem')
  const ca = ['-CA', caFile, '-CAkey', file('ca.key')]
  openssl(
    ...['req', '-x509', ...newKey, '-keyout', file('ca.key'), '-out', caFile, '-days', '2', '-subj', `/CN=${name}`],
    ...['-addext', 'basicConstraints=critical,CA:TRUE'],
  )
  return {
    caFile,
    issue({ name, hosts = 'DNS:localhost,IP:127.0.0.1', expired = false }) {
      const own = (kind: string) => file(`${name}${expired ? '-expired' : ''}.${kind}`)
      const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${hosts}`]
      openssl('req', '-new', ...newKey, '-keyout', own('key'), '-out', own('csr'), ...names)
      const days = ['-days', expired ? '-1' : '1', '-copy_extensions', 'copy']
      openssl('x509', '-req', '-in', own('csr'), ...ca, ...days, '-out', own('pem'))
      writeFileSync(own('store.pem'), readFileSync(own('key'), 'utf8') + readFileSync(own('pem'), 'utf8'))
      return { certFile: own('pem'), keyFile: own('key'), storeFile: own('store.pem') }
    },
  }
}

/** The same key, encrypted with a password. */
export function encryptedKey(keyFile: string, password: string): string {
  const out = `${keyFile}.encrypted`
  execFileSync('openssl', ['pkey', '-in', keyFile, '-aes256', '-passout', `pass:${password}`, '-out', out])
  return out
}
