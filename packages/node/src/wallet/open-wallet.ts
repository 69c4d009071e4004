import { createHmac, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { type Hex, type Sfid, Writer } from '@w3bstream/protocol'
import { LRUCache } from 'lru-cache'
import type { ControlDatabase } from '../database/control/control.ts'
import type { Logger } from '../telemetry/logger.ts'
import { ethereumAddress, operatorAddress } from './address.ts'
import { WalletError } from './errors.ts'
import { Keystore } from './keystore/keystore.ts'
import { OperatorTable } from './operators.ts'
import { checkPrivateKey } from './private-key.ts'
import { signDigest } from './signing.ts'
import type { Operator, OperatorKeyType, Wallet } from './wallet.ts'

export interface WalletOptions {
  /** The node's data directory: keys are in `keystore/` below it. */
  readonly directory: string
  /**
   * Encrypts the keystore. Without it a random key is made in `keystore.key` beside the keystore: the node then starts
   * unattended, and whoever can copy the whole directory has the keys.
   */
  readonly passphrase?: string
}

export interface WalletDeps {
  readonly control: ControlDatabase
  readonly logger: Logger
}

/** Operators' keys that are kept decrypted; others are read again at their next use. */
const keptKeys = 1000

/**
 * Opens the wallet; at the first start makes the keystore, the node's key and the secret that tokens derive from.
 * @throws WalletError PASSPHRASE_WRONG, KEYSTORE_CORRUPT
 */
export async function openWallet(options: WalletOptions, deps: WalletDeps): Promise<Wallet & { close(): void }> {
  const logger = deps.logger.child('wallet')
  const keystore = await Keystore.open(options.directory, options.passphrase || undefined, logger)
  const tokenSecret = await ownKey(keystore, logger, 'token-secret', 'secret')
  const nodeKey = await ownKey(keystore, logger, 'node', 'secp256k1')
  return new KeystoreWallet(keystore, { tokenSecret, nodeKey }, new OperatorTable(deps.control))
}

async function ownKey(
  keystore: Keystore,
  logger: Logger,
  name: string,
  type: 'secp256k1' | 'secret',
): Promise<Uint8Array> {
  const stored = await keystore.get(name)
  if (stored) return stored.secret
  const secret = generate(type === 'secret' ? 'ED25519' : 'ECDSA')
  logger.info('key made', { name })
  await keystore.put(name, { type, address: type === 'secret' ? '' : ethereumAddress(secret), secret })
  return secret
}

/** A random number of secp256k1's range; the loop all but never runs twice. */
function randomScalar(): Uint8Array {
  for (;;) {
    const bytes = new Uint8Array(randomBytes(32))
    try {
      return checkPrivateKey(bytes, 'ECDSA')
    } catch {
      // Zero, or not below the group's order: once in 2^128.
    }
  }
}

class KeystoreWallet implements Wallet {
  readonly nodeAddress: Hex
  readonly #keystore: Keystore
  readonly #nodeKey: Uint8Array
  readonly #tokenSecret: Uint8Array
  readonly #table: OperatorTable
  readonly #keys = new LRUCache<Sfid, Uint8Array>({ max: keptKeys, dispose: (key) => key.fill(0) })

  constructor(keystore: Keystore, secrets: { tokenSecret: Uint8Array; nodeKey: Uint8Array }, table: OperatorTable) {
    this.#keystore = keystore
    this.#nodeKey = secrets.nodeKey
    this.#tokenSecret = secrets.tokenSecret
    this.#table = table
    this.nodeAddress = ethereumAddress(secrets.nodeKey)
  }

  signAsNode(digest: Uint8Array): Uint8Array {
    return signDigest(this.#nodeKey, 'ECDSA', digest)
  }

  derive(purpose: string, body: Uint8Array): Uint8Array {
    // The purpose goes in with its length, so that no other split of the same bytes gives the same result.
    const message = new Writer().text(purpose).raw(body).view()
    return new Uint8Array(createHmac('sha256', this.#tokenSecret).update(message).digest())
  }

  async createOperator(request: {
    accountId: Sfid
    name: string
    type: OperatorKeyType
    privateKey?: Uint8Array
  }): Promise<Operator> {
    const { accountId, name, type, privateKey } = request
    if (this.#table.byName(accountId, name)) throw new WalletError({ code: 'OPERATOR_EXISTS', name })
    const secret = privateKey ? checkPrivateKey(privateKey, type) : generate(type)
    const address = operatorAddress(secret, type)
    const operatorId = OperatorTable.newId()
    const now = Date.now()
    const operator: Operator = { operatorId, accountId, name, type, address, createdMs: now, updatedMs: now }
    // The key first: a row without a key could not sign, a key without a row harms nobody.
    const storedType = type === 'ECDSA' ? 'secp256k1' : 'ed25519'
    await this.#keystore.put(keyName(operatorId), { type: storedType, address, secret })
    try {
      this.#table.insert(operator)
    } catch (error) {
      await this.#keystore.remove(keyName(operatorId))
      throw error
    }
    this.#keys.set(operatorId, secret)
    return operator
  }

  operators(accountId: Sfid): readonly Operator[] {
    return this.#table.list(accountId)
  }

  operator(operatorId: Sfid): Operator | undefined {
    return this.#table.get(operatorId)
  }

  async removeOperator(operatorId: Sfid): Promise<void> {
    this.#table.remove(operatorId)
    this.#keys.delete(operatorId)
    await this.#keystore.remove(keyName(operatorId))
  }

  async bindOperator(projectId: Sfid, operatorId: Sfid): Promise<void> {
    this.#table.bind(projectId, operatorId)
  }

  async unbindOperator(projectId: Sfid): Promise<void> {
    this.#table.unbind(projectId)
  }

  boundOperator(projectId: Sfid): Operator | undefined {
    return this.#table.bound(projectId)
  }

  async signAsOperator(operatorId: Sfid, digest: Uint8Array): Promise<Uint8Array> {
    const operator = this.#table.get(operatorId)
    if (!operator) throw new WalletError({ code: 'OPERATOR_NOT_FOUND', operatorId })
    const kept = this.#keys.get(operatorId)
    if (kept) return signDigest(kept, operator.type, digest)
    const key = await this.#load(operator)
    // Signed before the key is shared: whoever shares it may have it overwritten by the next one's arrival.
    const signature = signDigest(key, operator.type, digest)
    this.#keys.set(operatorId, key)
    return signature
  }

  async #load({ operatorId, address }: Operator): Promise<Uint8Array> {
    const name = keyName(operatorId)
    const stored = await this.#keystore.get(name)
    if (!stored) throw new WalletError({ code: 'KEYSTORE_CORRUPT', file: `${name}.json`, detail: 'missing' })
    if (stored.address !== address)
      throw new WalletError({ code: 'KEYSTORE_CORRUPT', file: `${name}.json`, detail: 'key of another address' })
    return stored.secret
  }

  /** Overwrites the keys in memory. */
  close(): void {
    this.#keys.clear()
    this.#nodeKey.fill(0)
    this.#tokenSecret.fill(0)
    this.#keystore.close()
  }

  /** Private fields are not shown by either of these; said outright so that a later public field is not either. */
  toJSON(): { nodeAddress: Hex } {
    return { nodeAddress: this.nodeAddress }
  }

  [inspect.custom](): string {
    return `Wallet(${this.nodeAddress})`
  }
}

function generate(type: OperatorKeyType): Uint8Array {
  return type === 'ECDSA' ? randomScalar() : new Uint8Array(randomBytes(32))
}

function keyName(operatorId: Sfid): string {
  return `operator-${operatorId}`
}
