import { Counter, Registry } from 'prom-client'
import { expect, it } from 'vitest'
import type { ProjectDefinition, Strategy } from '../project/definition.ts'
import { EventCounter, type EventLabels } from './event-counter.ts'

it('keeps its series bounded, whatever types and devices come', async () => {
  const labelNames: EventLabels[] = ['account', 'project', 'publisher', 'eventtype']
  const metric = new Counter({ name: 'events', help: 'events', labelNames, registers: [new Registry()] })
  const counter = new EventCounter(metric)
  const strategies = new Map([['1', { eventType: 'WEATHER' } as Strategy]])
  const definition = { strategies } as unknown as ProjectDefinition
  const count = (publisher: string, eventtype: string) =>
    counter.count({ account: '8', project: 'p', publisher, eventtype }, definition)
  count('d', 'WEATHER')
  count('d', 'DEFAULT')
  for (let n = 0; n < 100; n++) count('d', `made up ${n}`)
  const series = async () => (await metric.get()).values
  expect((await series()).map(({ labels, value }) => [labels.eventtype, value])).toEqual([
    ['WEATHER', 1],
    ['DEFAULT', 1],
    ['other', 100],
  ])
  for (let n = 0; n < 30_000; n++) count(`d${n}`, 'WEATHER')
  const all = await series()
  expect(all).toHaveLength(20_001)
  expect(all.at(-1)).toMatchObject({ labels: { publisher: 'other', eventtype: 'WEATHER' }, value: 10_003 })
})
