import { createHmac, randomBytes } from 'node:crypto'
import { type Sfid, sfidFromBytes, toHex, W3bstreamError } from '@w3bstream/protocol'
import { privateKeyToAddress } from 'viem/accounts'
import type { Operator, Wallet } from '../../../wallet/wallet.ts'

/** The part of {@link Wallet} that the management API uses, with keys that are gone after the call. */
export class MemoryWallet implements Wallet {
  readonly nodeAddress = '0x0000000000000000000000000000000000000001'
  readonly #operators = new Map<Sfid, Operator>()
  readonly #bound = new Map<Sfid, Sfid>()

  signAsNode(): Uint8Array {
    throw new Error('not in this test')
  }

  async signAsOperator(): Promise<Uint8Array> {
    throw new Error('not in this test')
  }

  derive(purpose: string, body: Uint8Array): Uint8Array {
    return createHmac('sha256', purpose).update(body).digest()
  }

  async createOperator(operator: Parameters<Wallet['createOperator']>[0]): Promise<Operator> {
    const { accountId, name, type, privateKey = randomBytes(32) } = operator
    if (this.operators(accountId).some((other) => other.name === name))
      throw new W3bstreamError({ code: 'OPERATOR_EXISTS' })
    const address =
      type === 'ECDSA' ? privateKeyToAddress(toHex(privateKey)) : Buffer.from(privateKey.slice(32)).toString('hex')
    const operatorId = sfidFromBytes(randomBytes(8))
    const made = { operatorId, accountId, name, type, address, createdMs: Date.now(), updatedMs: Date.now() }
    this.#operators.set(operatorId, made)
    return made
  }

  operators(accountId: Sfid): readonly Operator[] {
    return [...this.#operators.values()].filter((operator) => operator.accountId === accountId)
  }

  operator(operatorId: Sfid): Operator | undefined {
    return this.#operators.get(operatorId)
  }

  async removeOperator(operatorId: Sfid): Promise<void> {
    this.#operators.delete(operatorId)
  }

  async bindOperator(projectId: Sfid, operatorId: Sfid): Promise<void> {
    this.#bound.set(projectId, operatorId)
  }

  async unbindOperator(projectId: Sfid): Promise<void> {
    this.#bound.delete(projectId)
  }

  boundOperator(projectId: Sfid): Operator | undefined {
    return this.#operators.get(this.#bound.get(projectId) ?? '')
  }
}
