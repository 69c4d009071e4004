import type { Message } from '@w3bstream/protocol'
import type { Route } from './router.ts'

/**
 * The position that a device tells in the payload of its event, as the JSON of a metric, when a route of the event wants it
 * collected (`autoCollectMetric`). Payloads of other forms have none.
 */
export function positionToCollect(message: Message, routes: readonly Route[]): string | undefined {
  if (message.kind !== 'data' || !routes.some(({ strategy }) => strategy.autoCollectMetric)) return undefined
  const payload = parse(message.payload)
  const latitude = firstNumber(payload, ['lat', 'latitude'])
  const longitude = firstNumber(payload, ['long', 'longitude'])
  return latitude === undefined || longitude === undefined ? undefined : JSON.stringify({ latitude, longitude })
}

function parse(payload: Uint8Array): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(payload))
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function firstNumber(payload: Record<string, unknown>, names: readonly string[]): number | undefined {
  return names.map((name) => payload[name]).find((value) => typeof value === 'number' && Number.isFinite(value)) as
    | number
    | undefined
}
