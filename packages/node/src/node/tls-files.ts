import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { ConfigProblem } from './errors.ts'

/**
 * What is wrong with a certificate and its key, named by the flags they come from. Asked before the node writes anything:
 * the TLS library would speak of its own insides, and only when the ports open.
 */
export function tlsProblems({ certFile, keyFile }: { certFile: string; keyFile: string }): ConfigProblem[] {
  const cert = readAs(certFile, (text) => {
    createSecureContext({ cert: text })
    return new X509Certificate(text)
  })
  const key = readAs(keyFile, createPrivateKey)
  const problems: ConfigProblem[] = []
  if (!cert) problems.push({ field: '--tls-cert', value: certFile, wanted: 'a file with a PEM certificate chain' })
  if (!key) problems.push({ field: '--tls-key', value: keyFile, wanted: 'a file with a PEM private key, unencrypted' })
  if (cert && key && !cert.checkPrivateKey(key))
    problems.push({ field: '--tls-key', value: keyFile, wanted: `the private key of the certificate ${certFile}` })
  return problems
}

function readAs<T>(file: string, parse: (text: string) => T): T | undefined {
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
