/** What the demo does with the project of this folder: deploy it, look into it, wait for its payments, check a receipt. */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Anvil } from '@w3bstream/contracts/testing'
import type { Hex } from 'viem'
import type { LocalNode } from './local-node.ts'
import type { Say } from './steps.ts'
import { admitMinter } from './token.ts'

export const project = 'weather_station'
/** As `chains.operator` in w3bstream.yaml names it. */
const operator = 'rain'

/** How often a condition is looked at, and how long nothing may change before it counts as stuck; milliseconds. */
const lookEveryMs = 50
const patienceMs = 30_000

interface List<T> {
  readonly data: readonly T[] | null
  readonly total: number
}

export interface Deployment {
  readonly chain: Anvil
  /** Address of the token. */
  readonly token: Hex
  /** By the key of the station's device. */
  readonly owners: ReadonlyMap<string, Hex>
}

/** Makes the operator account that pays, and deploys w3bstream.yaml. @returns the stations' tokens by their keys */
export async function deployProject(node: LocalNode, deployment: Deployment): Promise<ReadonlyMap<string, string>> {
  const { chain, token, owners } = deployment
  const { address } = await node.command<{ address: Hex }>(['operator', 'add', operator])
  await admitMinter(chain, token, address)
  const file = join(import.meta.dirname, 'w3bstream.yaml')
  await node.command(['project', 'deploy', '--file', file, '--yes'], {
    CHAIN_ID: `${chain.chainId}`,
    TOKEN: token,
    OWNERS: JSON.stringify(Object.fromEntries(owners)),
  })
  const devices = await node.command<List<{ key: string; token: string }>>([
    'device',
    'list',
    '-p',
    project,
    '--tokens',
  ])
  return new Map(devices.data?.map((device) => [device.key, device.token]))
}

/** What the node and the applet made of the readings. */
export interface Processed {
  /** Messages whose handler ran to its end. */
  readonly executed: number
  /** Rows of the applet's tables. */
  readonly readings: number
  readonly days: number
}

export async function countProcessed(node: LocalNode): Promise<Processed> {
  const { total: executed } = await node.request<List<unknown>>(
    'GET',
    `/event_log/x/${project}/datalist?status=ok&size=1`,
  )
  const statement = 'SELECT (SELECT COUNT(*) FROM readings) AS readings, (SELECT COUNT(*) FROM days) AS days'
  const path = `/project_database/x/${project}/query`
  const { data } = await node.request<{ data: { readings: number; days: number }[] }>('POST', path, { statement })
  return { executed, readings: data[0]?.readings ?? 0, days: data[0]?.days ?? 0 }
}

/**
 * Waits until every transaction that the applet asked for is confirmed.
 * @returns how many there are
 * @throws Error when one failed, or none moves any more
 */
export async function allConfirmed(node: LocalNode, signal: AbortSignal, say: Say): Promise<number> {
  const count = async (state = '') => {
    const query = `size=1${state && `&state=${state}`}`
    return node.request<List<{ detail: string }>>('GET', `/outbox/x/${project}/datalist?${query}`)
  }
  let moved = { confirmed: -1, at: Date.now() }
  for (;;) {
    const [all, confirmed, failed] = await Promise.all([count(), count('CONFIRMED'), count('FAILED')])
    if (failed.total > 0)
      throw new Error(`${failed.total} transactions failed, the latest: ${failed.data?.[0]?.detail}`)
    say(`${confirmed.total} of ${all.total}`)
    if (confirmed.total === all.total) return all.total
    if (confirmed.total !== moved.confirmed) moved = { confirmed: confirmed.total, at: Date.now() }
    if (Date.now() - moved.at > patienceMs)
      throw new Error(
        `${all.total - confirmed.total} of ${all.total} transactions are still not confirmed, none for ${patienceMs} ms`,
      )
    await setTimeout(lookEveryMs, undefined, { signal })
  }
}

/**
 * Fetches the receipt of an event and checks it with nothing but the file.
 * @param label the event's id
 * @param directory where the file goes
 * @throws Error when a check fails
 */
export async function verifyReceipt(node: LocalNode, label: string, directory: string): Promise<readonly string[]> {
  const path = `/event_log/x/${project}/datalist?eventID=${encodeURIComponent(label)}`
  const { data } = await node.request<List<{ messageID: string }>>('GET', path)
  const message = data?.[0]?.messageID
  if (!message) throw new Error(`the node knows no event ${label}`)
  const file = join(directory, 'receipt.json')
  await node.command(['receipt', 'show', message, '-p', project, '--out', file])
  const offline = { W3BSTREAM_URL: '', W3BSTREAM_TOKEN: '' }
  const { checks } = await node.command<{ checks: { name: string }[] }>(['receipt', 'verify', file], offline)
  return checks.map(({ name }) => name)
}
