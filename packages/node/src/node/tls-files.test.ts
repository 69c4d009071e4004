import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from './errors.ts'
import { parseNodeOptions } from './parse-options.ts'

const fixtures = join(import.meta.dirname, '../endpoint/mqtt/test/fixtures')
const cert = join(fixtures, 'cert.pem')
const key = join(fixtures, 'key.pem')
let directory: string
let otherKey: string
let lockedKey: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'w3b-tls-'))
  const { privateKey } = generateKeyPairSync('ed25519')
  otherKey = join(directory, 'other.pem')
  writeFileSync(otherKey, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  lockedKey = join(directory, 'locked.pem')
  const encryption = { cipher: 'aes-256-cbc', passphrase: 'x' }
  writeFileSync(lockedKey, privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function fields(tlsCert: string, tlsKey: string): string[] {
  try {
    parseNodeOptions({ tlsCert, tlsKey }, {})
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.fault.problems.map(({ field }) => field)
    throw error
  }
}

describe('certificate and key', () => {
  it('are taken when they belong together', () => {
    expect(fields(cert, key)).toEqual([])
  })

  it.each([
    ['swapped', () => [key, cert], ['--tls-cert', '--tls-key']],
    ['of another certificate', () => [cert, otherKey], ['--tls-key']],
    ['encrypted', () => [cert, lockedKey], ['--tls-key']],
    ['no PEM', () => [import.meta.filename, key], ['--tls-cert']],
    ['a directory', () => [cert, directory], ['--tls-key']],
    ['not there', () => [join(directory, 'none.pem'), key], ['--tls-cert']],
  ] as const)('are refused by the name of the flag when they are %s', (_, files, wanted) => {
    const [certFile = '', keyFile = ''] = files()
    expect(fields(certFile, keyFile)).toEqual(wanted)
  })
})
