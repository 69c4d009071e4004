import { createNode, type Node, type NodeAddresses } from '../node/create-node.ts'
import { type NodeOptions, printable } from '../node/options.ts'
import type { Context } from './context.ts'
import { exitCodes } from './errors.ts'

/** Signals that end a node. */
const signals = ['SIGINT', 'SIGTERM'] as const

/** How long a node drains, milliseconds; what was acknowledged is on disk by then in any case. */
const drainMs = 30_000

/**
 * Runs a node until it is told to end. The first signal drains it: nothing new is taken, what was taken is committed and
 * answered; the second ends the process at once, which loses nothing that was acknowledged.
 */
export async function runNode(options: NodeOptions, context: Context): Promise<void> {
  const ended = Promise.withResolvers<void>()
  let stopping = false
  let node: Node | undefined
  const stop = (): void => void node?.stop(AbortSignal.timeout(drainMs)).then(ended.resolve, ended.reject)
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(exitCodes.interrupted)
    stopping = true
    context.note(`${signal}: finishing what was taken; once more ends at once`)
    stop()
  }
  for (const signal of signals) process.on(signal, onSignal)
  try {
    node = await createNode(options)
    if (stopping) return await node.stop()
    await node.start()
    if (!stopping) announce(node, options, context)
    await ended.promise
  } finally {
    for (const signal of signals) process.off(signal, onSignal)
  }
}

function announce(node: Node, options: NodeOptions, context: Context): void {
  const addresses = placesOf(node.addresses, options)
  const password = node.firstStart?.adminPassword
  // On standard error: services keep standard output in their logs.
  if (password !== undefined) {
    const shown = context.io.style('bold', password, 'err')
    context.io.err(`account admin, password ${shown} (shown this once; "w3bstream login" asks for it)\n`)
  }
  context.print({ ready: true, addresses, dataDir: options.dataDir }, () => {
    const places = Object.entries(addresses).map(([name, address]) => `${name} ${address}`)
    return `ready: ${places.join(', ')}, data ${options.dataDir}`
  })
}

/** Where devices and operators reach the node: its own ports, and the broker that it attaches to, without credentials. */
export function placesOf(addresses: NodeAddresses, options: NodeOptions): Readonly<Record<string, string>> {
  const places: Record<string, string> = {}
  for (const [name, address] of Object.entries({ ...addresses, mqttBroker: printable(options).mqttBroker }))
    if (typeof address === 'string') places[name] = address
  return places
}
