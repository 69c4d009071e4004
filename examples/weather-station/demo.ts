/**
 * The whole way from weather data to tokens, on this machine: a chain, a node, the project of this folder, a fleet of stations
 * that publish what was really measured, and at the end a look at the chain: does every owner have what the data file says?
 *
 *     node --conditions=source demo.ts [--days N] [--keep]
 */
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Anvil, startAnvil } from '@w3bstream/contracts/testing'
import type { Hex } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { expectedRewards, type Reward } from './expected.ts'
import { type FleetProgress, labelOf, publishAll } from './fleet.ts'
import { commandFile, LocalNode } from './local-node.ts'
import { allConfirmed, countProcessed, deployProject, project, verifyReceipt } from './project.ts'
import { describe, mistakes } from './report.ts'
import { type Say, step } from './steps.ts'
import { deployToken, readBalances } from './token.ts'
import { readStations, type Station, weatherFile } from './weather.ts'

interface Options {
  /** Days of each year that are published. */
  readonly days: number
  /** Leave everything running at the end, to look around. */
  readonly keep: boolean
}

/** What runs while the demo does. */
interface World {
  readonly directory: string
  readonly chain: Anvil
  readonly token: Hex
  readonly node: LocalNode
}

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => interrupted.abort(new Error(`${name}: stopped`)))

try {
  process.exitCode = (await demo(readOptions(), interrupted.signal)) ? 0 : 1
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : error}\n`)
  process.exitCode = interrupted.signal.aborted ? 130 : 1
}

/** @throws Error when the command line is wrong */
function readOptions(): Options {
  const { values } = parseArgs({ options: { days: { type: 'string' }, keep: { type: 'boolean' } } })
  const days = Number(values.days ?? 366)
  if (!Number.isInteger(days) || days < 1 || days > 366) throw new Error(`--days ${values.days}: wanted 1 to 366`)
  return { days, keep: values.keep ?? false }
}

/** @returns whether all is as the data file says */
async function demo({ days, keep }: Options, signal: AbortSignal): Promise<boolean> {
  await using cleanup = new AsyncDisposableStack()
  const world = await start(cleanup, signal)
  let right = false
  try {
    right = await work(world, days, signal)
  } catch (error) {
    signal.throwIfAborted()
    process.stderr.write(`\n${(error as Error).message}\n${said(world.node)}`)
  }
  if (keep) await linger(world, signal)
  return right
}

/** What the node said of troubles. */
function said({ output }: LocalNode): string {
  const warnings = output.split('\n').filter((line) => line !== '' && !line.startsWith('{"ready"'))
  return warnings.length === 0 ? '' : `The node said:\n${warnings.slice(-20).join('\n')}\n`
}

/** @returns whether all is as the data file says */
async function work({ node, chain, token, directory }: World, days: number, signal: AbortSignal): Promise<boolean> {
  const csv = await readFile(weatherFile(), 'utf8')
  const stations = readStations(csv, days)
  const rewards = expectedRewards(csv, days)
  const owners = new Map(stations.map(({ key }) => [key, privateKeyToAddress(generatePrivateKey())] as const))
  const tokens = await step(
    'Deploy the project',
    () => deployProject(node, { chain, token, owners }),
    (devices) => `${devices.size} stations`,
  )
  const { fleet, seconds } = await publish(node, stations, tokens, signal)
  const transactions = await step(
    'Wait until all payments are confirmed',
    (say) => allConfirmed(node, signal, say),
    (count) => `${count} transactions`,
  )
  await checkReceipt(node, directory, rewards)
  const { balances, supply } = await readBalances(chain, token, [...owners.values()])
  const outcome = {
    fleet,
    seconds,
    transactions,
    supply,
    processed: await countProcessed(node),
    expectedTransactions: [...rewards.values()].reduce((sum, reward) => sum + reward.days.length, 0),
    owners: [...owners].map(([station, owner], i) => ({
      station,
      owner,
      balance: balances[i] ?? 0n,
      expected: rewards.get(station)?.amount ?? 0n,
    })),
  }
  process.stdout.write(`\n${describe(outcome)}\n`)
  const wrong = mistakes(outcome, countReadings(stations))
  for (const mistake of wrong) process.stderr.write(`wrong: ${mistake}\n`)
  return wrong.length === 0
}

function countReadings(stations: readonly Station[]): number {
  return stations.reduce((sum, { readings }) => sum + readings.length, 0)
}

/** Starts the chain and the node; what is started is ended with `cleanup`, in reverse order. */
async function start(cleanup: AsyncDisposableStack, signal: AbortSignal): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'w3bstream-demo-'))
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  const chain = await step(
    'Start a chain',
    () => startAnvil(),
    ({ url }) => url,
  )
  cleanup.defer(() => chain.stop())
  const node = await step(
    'Start a node',
    () => LocalNode.start({ dataDir: join(directory, 'data'), chain, signal }),
    ({ addresses }) => `${addresses.http}, ${addresses.mqtt}`,
  )
  cleanup.defer(() => node.stop())
  const token = await step(
    'Deploy the token',
    () => deployToken(chain),
    (address) => address,
  )
  return { directory, chain, token, node }
}

async function publish(
  node: LocalNode,
  stations: readonly Station[],
  tokens: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<{ readonly fleet: FleetProgress; readonly seconds: number }> {
  const total = countReadings(stations)
  const work = async (say: Say) => {
    const began = performance.now()
    const fleet = await publishAll(stations, {
      url: node.addresses.mqtt,
      channel: node.channel(project),
      tokens,
      signal,
      onProgress: ({ acknowledged }) => say(progressLine(acknowledged, total)),
    })
    return { fleet, seconds: (performance.now() - began) / 1000 }
  }
  const done = ({ fleet, seconds }: Awaited<ReturnType<typeof work>>) =>
    `${fleet.acknowledged} readings in ${seconds.toFixed(1)} s`
  return step('Publish what the stations measured', work, done)
}

function progressLine(done: number, total: number): string {
  const width = 30
  const filled = Math.round((done / total) * width)
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done} of ${total} acknowledged`
}

/** The receipt of the first day that was paid; with few days there may be none. */
async function checkReceipt(node: LocalNode, directory: string, rewards: ReadonlyMap<string, Reward>): Promise<void> {
  const [station, reward] = [...rewards].find(([, { days }]) => days.length > 0) ?? []
  const [day] = reward?.days ?? []
  if (!station || !day) return
  await step(
    `Verify the receipt of ${station} on ${day}`,
    () => verifyReceipt(node, labelOf({ station, day, sensor: 'precipitation' }), directory),
    (checks) => `${checks.length} checks, offline`,
  )
}

/** Says how to look around, and waits for Ctrl-C. */
async function linger({ node, chain, token, directory }: World, signal: AbortSignal): Promise<void> {
  const variables = Object.entries(node.session).map(([name, value]) => `export ${name}=${value}`)
  const command = `node ${commandFile()}`
  process.stdout.write(`
Still running, until Ctrl-C:
  node        ${node.addresses.http} (account admin, password ${node.password}), ${node.addresses.mqtt}
  chain       ${chain.url}, token ${token}
  data        ${directory}

${variables.join('\n')}
${command} project show ${project}
${command} logs -p ${project}
${command} effect list -p ${project}
${command} publish -p ${project} -d seattle-2012 -t READING \\
  --data '{"station":"seattle-2012","day":"2016-01-01","sensor":"wind","value":3.1}'
`)
  if (!signal.aborted) await once(signal, 'abort')
}
