import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { createSiweMessage } from 'viem/siwe'
import { call } from './client.ts'

export type SiweFields = Parameters<typeof createSiweMessage>[0]

export function newWallet(): PrivateKeyAccount {
  return privateKeyToAccount(generatePrivateKey())
}

/** A signed login message. */
export async function signLogin(wallet: PrivateKeyAccount, fields: Partial<SiweFields> = {}) {
  const message = createSiweMessage({
    address: wallet.address,
    chainId: 4690,
    domain: 'localhost:3000',
    nonce: Math.random().toString(36).slice(2).padEnd(12, 'x'),
    uri: 'http://localhost:3000',
    version: '1',
    ...fields,
  })
  return { message, signature: await wallet.signMessage({ message }) }
}

export async function loginByWallet(api: string, wallet = newWallet()) {
  const { json } = await call(`${api}/login/wallet`, { method: 'PUT', body: JSON.stringify(await signLogin(wallet)) })
  return {
    wallet,
    token: String(json.token),
    accountID: String(json.accountID),
    prefix: `eth_${wallet.address.toLowerCase()}_`,
  }
}
