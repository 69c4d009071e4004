import { encodeEvent } from '@w3bstream/protocol'
import { expect, it, onTestFinished } from 'vitest'
import { silentLogger } from '../../telemetry/logger.ts'
import { createMetrics } from '../../telemetry/metrics.ts'
import { ApiError } from '../api-error.ts'
import { attachMqttBroker } from './attach.ts'
import { FakeDoor, projectA } from './test/fake-door.ts'
import { start, until } from './test/harness.ts'

/**
 * The external broker of these tests is our own endpoint, seen as an account that reads its project: so it forwards
 * what a device publishes below `demo/deep` only, and the messages come from devices that are authenticated there.
 */
async function attached() {
  const broker = await start()
  const door = new FakeDoor()
  let watcher: ((channel: string, exists: boolean) => void) | undefined
  const attachment = attachMqttBroker(
    { url: `mqtt://127.0.0.1:${broker.port}`, username: 'demo', password: 'key-of-owner' },
    {
      door,
      channels: {
        list: () => ['demo'],
        watch: (listener) => {
          watcher = listener
          return () => {
            watcher = undefined
          }
        },
      },
      logger: silentLogger,
      metrics: createMetrics(),
    },
  )
  await attachment.start()
  onTestFinished(() => attachment.stop(AbortSignal.abort()))
  await until(() => broker.endpoint.hasReader(projectA, 'demo'))
  const publish = (topic: string, payload: Uint8Array | string) =>
    broker.endpoint.publish(topic, Buffer.from(payload), { project: projectA, qos: 1 })
  return { broker, door, attachment, publish, watching: () => watcher !== undefined }
}

it('takes events from an external broker and waits for the commit', async () => {
  const { door, publish } = await attached()
  door.holdCommits()
  await publish('demo', encodeEvent({ token: 'demo-d1', eventType: 'T', payload: Buffer.from('a') }))
  await publish('demo/push/demo-d2/U', 'b')
  await publish('demo/any/depth', 'c')
  await publish('demo/push/nobody/U', 'd')
  door.commit!()
  await until(() => door.events.length === 2)
  expect(door.events.map(({ identity, event }) => [identity.publisherKey, event.eventType])).toEqual([
    ['d1', 'T'],
    ['d2', 'U'],
  ])
})

it('keeps a message that could not be stored, and gives it back when it stops', async () => {
  const { door, publish, attachment, watching } = await attached()
  door.failures.push(new ApiError('DiskFull'))
  await publish('demo/push/demo-d1/T', 'a')
  await until(() => door.failures.length === 0)
  expect(door.events).toEqual([])
  await until(() => door.events.length === 1)
  door.setReady(false)
  await publish('demo/push/demo-d1/T', 'b')
  await until(() => door.waiting === 1)
  await attachment.stop(AbortSignal.abort())
  expect(door.waiting).toBe(0)
  expect(watching()).toBe(false)
})

it('refuses to publish while it is not connected', async () => {
  const { attachment } = await attached()
  await attachment.publish('demo/x', Buffer.from('y'), { qos: 0 })
  await attachment.stop(AbortSignal.abort())
  await expect(attachment.publish('demo/x', Buffer.from('y'))).rejects.toMatchObject({ code: 'MQTT_NOT_CONNECTED' })
})
