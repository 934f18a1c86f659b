import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface Certificates {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** Who signs the certificates of an engine and of those that it lets in. PEM files `ca`, `engine` and `client` are in its folder. */
export interface Authority {
  readonly folder: string
  readonly client: Certificates
}

/** An authority of a test's own, with a certificate for an engine on the loopback and one for its client. */
export function makeAuthority(folder: string): Authority {
  mkdirSync(folder, { recursive: true })
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=authority',
  )
  for (const [name, use] of [
    ['engine', 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n'],
    ['client', 'extendedKeyUsage=clientAuth\n'],
  ] as const) {
    writeFileSync(path.join(folder, `${name}.ext`), use)
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const signed = [
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    ]
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signed)
  }
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
  return { folder, client: { ca: read('ca.pem'), certificate: read('client.pem'), key: read('client.key') } }
}
