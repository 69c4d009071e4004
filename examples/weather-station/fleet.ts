/** Simulated stations: each with its token and its MQTT connection, publishing what was measured, day after day. */
import { type Client, createClient } from '@w3bstream/client'
import type { Reading, Station } from './weather.ts'

/** Messages of one station that may wait for their acknowledgement at the same time. */
const inFlight = 64

/** How far the fleet has come. */
export interface FleetProgress {
  readonly published: number
  /** Acknowledged by the node: executed by the applet, and on disk. */
  readonly acknowledged: number
}

export interface FleetOptions {
  /** `mqtt://host:port` */
  readonly url: string
  /** Full name of the project: its MQTT topic. */
  readonly channel: string
  /** By the key of the station's device. */
  readonly tokens: ReadonlyMap<string, string>
  readonly signal: AbortSignal
  readonly onProgress: (progress: FleetProgress) => void
}

/**
 * Lets all stations publish at once, with QoS 1.
 * @throws Error with the first failure, naming the reading, when not all were acknowledged
 */
export async function publishAll(stations: readonly Station[], options: FleetOptions): Promise<FleetProgress> {
  const clients = stations.map(({ key }) => connect(key, options))
  let published = 0
  const progress = (): FleetProgress => ({
    published,
    acknowledged: published - clients.reduce((sum, client) => sum + client.pending, 0),
  })
  function* events(station: Station) {
    for (const reading of station.readings) {
      published++
      yield { eventType: 'READING', eventId: labelOf(reading), payload: reading }
      options.onProgress(progress())
    }
  }
  try {
    const { signal } = options
    const acknowledged = await Promise.all(
      stations.map(async (station, i) => {
        const outcomes = await clients[i]!.publishMany(events(station), { signal })
        outcomes.forEach((outcome, at) => {
          if (!outcome.ok) throw failure(station.readings[at]!, outcome.error)
        })
        return outcomes.length
      }),
    )
    return { published, acknowledged: acknowledged.reduce((sum, count) => sum + count, 0) }
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

/** The label of a reading's event, by which its receipt is found. */
export function labelOf({ station, day, sensor }: Omit<Reading, 'value'>): string {
  return `${station}_${day}_${sensor}`
}

function connect(key: string, { url, channel, tokens }: FleetOptions): Client {
  const token = tokens.get(key)
  if (!token) throw new Error(`the project has no device ${key}: add it to "devices" in w3bstream.yaml`)
  return createClient({ url, channel, token, concurrency: inFlight })
}

function failure(reading: Reading, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Error(`${labelOf(reading)} was not acknowledged: ${reason}`, { cause })
}
