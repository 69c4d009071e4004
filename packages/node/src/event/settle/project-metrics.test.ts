import type { ProjectKey } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../telemetry/metrics.ts'
import { ProjectMetrics } from './project-metrics.ts'

const key = '0x01' as ProjectKey
const owner = { account: '8', project: 'aid_8_a' }

function start() {
  const registry = createMetrics()
  const metrics = new ProjectMetrics(registry)
  const lines = async () => (await registry.metrics()).split('\n').filter((line) => /^w3b/.test(line))
  return { metrics, lines }
}

describe('project metrics', () => {
  it('have a gauge for each number, with its last value', async () => {
    const { metrics, lines } = start()
    metrics.record(key, owner, 'd1', '{"t":1,"room":{"t":2.5},"text":"x","list":[1],"none":null}')
    metrics.record(key, owner, 'd1', '{"t":3}')
    metrics.record(key, owner, '', '7')
    expect(await lines()).toEqual([
      'w3b_customized_metrics{account="8",project="aid_8_a",publisher="d1",name="t"} 3',
      'w3b_customized_metrics{account="8",project="aid_8_a",publisher="d1",name="room.t"} 2.5',
      'w3b_customized_metrics{account="8",project="aid_8_a",publisher="unknown",name="value"} 7',
    ])
  })

  it('are bounded, and go with their project', async () => {
    const { metrics, lines } = start()
    const many = (from: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`n${from + i}`, i])))
    for (let from = 0; from < 1600; from += 100) metrics.record(key, owner, 'd1', many(from))
    expect((await lines()).at(-1)).toBe('w3b_customized_metrics_dropped_total{project="aid_8_a"} 600')
    metrics.record(key, owner, 'd1', `{"${'x'.repeat(65)}":1,"a":{"b":{"c":{"d":1}}}}`)
    metrics.forget(key)
    expect(await lines()).toHaveLength(1)
    metrics.record(key, owner, 'd1', '{"t":1}')
    expect(await lines()).toHaveLength(2)
  })

  it('take no more of one measurement than a few numbers, whatever an applet writes', async () => {
    const { metrics, lines } = start()
    metrics.record(key, owner, 'd1', JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [i, i]))))
    expect(await lines()).toHaveLength(101)
    metrics.record(key, owner, 'd2', `{"t":1,"x":"${'x'.repeat(65_536)}"}`)
    expect(await lines()).toHaveLength(101)
    expect((await lines()).at(-1)).toBe('w3b_customized_metrics_dropped_total{project="aid_8_a"} 2')
  })
})
