import { describe, expect, it } from 'vitest'
import { CliError } from '../errors.ts'
import { flowOf } from './flow.ts'
import { readProjectFile } from './read.ts'

const head = 'version: 1\nname: p\ntables:\n  sums: { columns: { device: text, sum: int64 } }\n'

function problems(flow: string): string[] {
  try {
    readProjectFile(`${head}flow:\n${flow}`, 'w3bstream.yaml')
    return []
  } catch (error) {
    if (error instanceof CliError && error.fault.code === 'PROJECT_FILE_INVALID')
      return error.fault.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`)
    throw error
  }
}

describe('the flow of a project file', () => {
  it('becomes the flow of the API', () => {
    const file = readProjectFile(
      `${head}flow:
  events: [reading]
  applet: station
  steps:
    - filter: valid
    - window: { sliding: 10m, every: 1m, lateness: 2s }
    - group: byDevice
    - reduce: sum
  sink: { table: sums, columns: { device: $group, sum: sum } }
`,
      'w3bstream.yaml',
    )
    expect(flowOf(file)).toEqual({
      source: { strategies: ['reading'] },
      applet: 'station',
      operators: [
        { opType: 'FILTER', wasmFunc: 'valid' },
        { opType: 'WINDOW', window: { kind: 'sliding', sizeMs: 600_000, everyMs: 60_000, latenessMs: 2000 } },
        { opType: 'GROUP', wasmFunc: 'byDevice' },
        { opType: 'REDUCE', wasmFunc: 'sum' },
      ],
      sink: {
        sinkType: 'RMDB',
        sinkInfo: {
          DBInfo: {
            table: 'sums',
            columns: [
              { name: 'device', field: '$group' },
              { name: 'sum', field: 'sum' },
            ],
          },
        },
      },
    })
  })

  it('may be empty, which removes it, or left out, which leaves it alone', () => {
    expect(flowOf(readProjectFile(`${head}flow: {}`, 'f'))).toEqual({})
    expect(flowOf(readProjectFile(head, 'f'))).toBeUndefined()
  })

  it('is told every mistake at its line', () => {
    expect(
      problems(`  events: [a, a]
  steps:
    - reduce: sum
    - window: { count: 5, every: 9 }
  sink: { table: sums, columns: [device, none] }`),
    ).toEqual([
      '6 flow.events[1]: "a" stands there twice',
      '8 flow.steps[0]: REDUCE has nothing to end it: a WINDOW must stand before it',
      '9 flow.steps[1]: every: 9 is longer than the window, so that elements would fall into none',
      '10 flow.sink: the table has no column "none"',
    ])
  })

  it('wants one thing at a time', () => {
    expect(
      problems(`  events: [a]
  steps:
    - { map: a, filter: b }
    - window: { tumbling: 5s, session: 5s }
    - window: { sliding: 5s, every: soon }
  sink: { table: sums, topic: t }`),
    ).toEqual([
      '8 flow.steps[0]: wanted one of filter, map, flatmap, group, reduce, window',
      '9 flow.steps[1].window: wanted one of tumbling, sliding, session, count',
      '10 flow.steps[2].window.every: "soon" is no time such as 10s',
      '11 flow.sink: wanted one of table, event, topic, chain',
    ])
  })

  it('reaches into the tables only where the file declares them', () => {
    const text = `version: 1\nname: p\nflow:\n  events: [a]\n  steps: [{ map: m }]\n  sink: { table: other, columns: [x] }\n`
    expect(() => readProjectFile(text, 'f')).not.toThrow()
  })
})
