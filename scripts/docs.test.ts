import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { messageLimits } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import { defaultDispatcherOptions } from '../packages/node/src/chain/dispatcher.ts'
import { statementLimits } from '../packages/node/src/database/sql/limits.ts'
import { defaultHttpLimits } from '../packages/node/src/endpoint/http/options.ts'
import { defaultMqttLimits } from '../packages/node/src/endpoint/mqtt/options.ts'
import { defaultRpcOptions } from '../packages/node/src/endpoint/rpc/options.ts'
import { moduleCeilings } from '../packages/node/src/engine/limits.ts'
import { flowLimits } from '../packages/node/src/event/flow/limits.ts'
import { laneOptions } from '../packages/node/src/event/settle/lanes.ts'
import { maxBehind } from '../packages/node/src/event/timers/cron/plan.ts'
import { defaultTimerOptions } from '../packages/node/src/event/timers/timer-service.ts'
import { flagName, type OptionSpec, optionTable } from '../packages/node/src/node/option-table.ts'
import { defaultNodeLimits } from '../packages/node/src/node/options.ts'
import { defaultOutboundOptions } from '../packages/node/src/outbound/options.ts'
import { defaultProjectSettings } from '../packages/node/src/project/definition.ts'
import { defaultProjectsOptions } from '../packages/node/src/project/projects.ts'
import { errorCodes } from './error-codes.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const sources = globSync('packages/*/src/**/*.ts', {
  cwd: root,
  exclude: (name) => /\.(test|suite|bench)\.ts$/.test(name),
})

/** Rows of the tables below a heading, as cells without their code marks. */
function rows(text: string, heading?: RegExp): string[][] {
  const section = heading === undefined ? text : (text.split(/^## /m).find((part) => heading.test(part)) ?? '')
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|--'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
}

/** `1,000`, `16 KiB`, `4 MiB`, `16 GiB` as a number. */
function amount(text: string): number {
  const [, digits = '', unit = ''] = /^([\d,]+)(?: (KiB|MiB|GiB))?$/.exec(text) ?? []
  return Number(digits.replaceAll(',', '')) * 1024 ** ['', 'KiB', 'MiB', 'GiB'].indexOf(unit)
}

function numbers(object: object): Record<string, number> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => typeof value === 'number'))
}

/** Numbers that components keep to themselves: `const name = 128 * 1024`, or a property with that name. */
function constants(files: Readonly<Record<string, string>>): Record<string, number> {
  const entries = Object.entries(files).map(([name, file]) => {
    const found = new RegExp(`\\b${name}\\s*[=:]\\s*([\\d_]+)(?:\\s*\\*\\s*([\\d_]+))?`).exec(read(file))
    const [factor, times = '1'] = [found?.[1] ?? 'NaN', found?.[2]]
    return [name, Number(factor.replaceAll('_', '')) * Number(times.replaceAll('_', ''))] as const
  })
  return Object.fromEntries(entries)
}

const node = 'packages/node/src'

describe('docs/limits.md', () => {
  const { maxInFlight, pollIntervalMs, resendMs, graceMs } = defaultDispatcherOptions
  it.each<[string, RegExp, Record<string, number>]>([
    ['node', /^Node\n/, numbers(defaultNodeLimits)],
    ['project', /^Project: /, numbers(defaultProjectSettings.limits)],
    ['applets and SQL', /^Applets and SQL/, { ...numbers(moduleCeilings), ...numbers(statementLimits) }],
    ['HTTP', /^HTTP /, numbers(defaultHttpLimits)],
    ['MQTT', /^MQTT /, numbers(defaultMqttLimits)],
    ['JSON-RPC', /^JSON-RPC /, numbers(defaultRpcOptions)],
    [
      'chains and keys',
      /^Chains and keys/,
      {
        ...{ maxInFlight, pollIntervalMs, resendMs, graceMs },
        ...constants({
          maxDataBytes: `${node}/chain/contract-call.ts`,
          maxChains: `${node}/chain/chain-table.ts`,
          maxGap: `${node}/chain/account-lane.ts`,
          maxFileBytes: `${node}/wallet/keystore/files.ts`,
          keptKeys: `${node}/wallet/open-wallet.ts`,
        }),
      },
    ],
    [
      'calls of the outside',
      /^Calls of the outside/,
      {
        ...numbers(defaultOutboundOptions),
        ...constants({
          maxBodyBytes: `${node}/event/api-call/request.ts`,
          maxHeaderBytes: `${node}/event/api-call/request.ts`,
          maxUrlLength: `${node}/event/api-call/request.ts`,
          maxOutboundHosts: `${node}/project/settings-range.ts`,
          maxAttempts: `${node}/event/settle/web-request.ts`,
          maxRetryAfterMs: `${node}/event/settle/web-request.ts`,
          proofTimeoutMs: `${node}/proving/websocket/websocket-prover.ts`,
          proofBytes: `${node}/proving/websocket/websocket-prover.ts`,
          seriesPerProject: `${node}/event/settle/project-metrics.ts`,
          maxSeries: `${node}/event/settle/project-metrics.ts`,
          maxNumbers: `${node}/event/settle/project-metrics.ts`,
          maxJsonLength: `${node}/event/settle/project-metrics.ts`,
        }),
      },
    ],
    ['messages', /^Messages /, numbers(messageLimits)],
    [
      'parts of a project, and the clock',
      /^Parts of a project/,
      {
        parallel: defaultTimerOptions.parallel,
        parallelPerProject: defaultTimerOptions.parallelPerProject,
        maxBehind,
        ...constants({
          maxApplets: `${node}/project/change/applet.ts`,
          maxStrategies: `${node}/project/change/strategy.ts`,
          maxJobs: `${node}/project/change/cron.ts`,
          maxWaiting: `${node}/event/traffic/traffic.ts`,
        }),
      },
    ],
    ['flows', /^Flows /, numbers(flowLimits)],
    [
      'memory',
      /^Memory that/,
      {
        ...numbers(defaultProjectsOptions),
        ...constants({
          defaultHeapMiB: `${node}/event/executor/pool/thread-source.ts`,
          threadStackMiB: `${node}/engine/limits.ts`,
          liveModules: `${node}/node/create-node.ts`,
          cachedTokens: `${node}/node/create-node.ts`,
        }),
      },
    ],
  ])('has the limits of: %s', (_name, heading, limits) => {
    const documented = rows(read('docs/limits.md'), heading)
      .slice(1)
      .filter((cells) => cells.length < 6)
    expect(Object.fromEntries(documented.map(([name = '', value = '']) => [name, amount(value)]))).toEqual(limits)
  })
})

describe('lanes of effects in docs/limits.md', () => {
  it('have the limits of the code', () => {
    const documented = rows(read('docs/limits.md'), /^Calls of the outside/).filter((cells) => cells.length === 6)
    const table = Object.entries(laneOptions).map(([name, options]) => {
      const { running, runningPerProject, held, heldPerProject, heldBytes } = options
      return [name, running, runningPerProject, held, heldPerProject, heldBytes / 2 ** 20]
    })
    expect(documented.slice(1).map(([name = '', ...cells]) => [name, ...cells.map(amount)])).toEqual(table)
  })
})

describe('docs/operate/configuration.md', () => {
  it('has every option with its flag, variable and default', () => {
    const table = Object.entries(optionTable as Record<string, OptionSpec<unknown>>).map(([name, spec]) => [
      spec.argument ? `${flagName(name)} ${spec.argument}` : '',
      spec.env,
      spec.default ?? '',
    ])
    const documented = rows(read('docs/operate/configuration.md')).filter(([, variable]) => variable?.startsWith('W3B'))
    expect(documented.map((cells) => cells.slice(0, 3))).toEqual(table)
  })
})

describe('docs/operate/metrics.md', () => {
  it('has every metric with its type and labels', () => {
    const call = /\b(counter|gauge|histogram)\(\s*[\w.]+,\s*'(\w+)',\s*(?:'[^']*'|\w+),\s*\[([^\]]*)\]/g
    const object = /new (Counter|Gauge|Histogram)\(\{\s*name: '(\w+)'[\s\S]*?labelNames: \[([^\]]*)\]/g
    const found = sources.flatMap((file) =>
      [...read(file).matchAll(call), ...read(file).matchAll(object)].map(([, type = '', name = '', labels = '']) => [
        name,
        type.toLowerCase(),
        [...labels.matchAll(/'(\w+)'/g)].map(([, label]) => label).join(', '),
      ]),
    )
    expect(found.length).toBeGreaterThan(10)
    const documented = rows(read('docs/operate/metrics.md'))
      .filter(([, type]) => /^(counter|gauge|histogram)$/.test(type ?? ''))
      .map((cells) => cells.slice(0, 3))
    expect(documented.sort()).toEqual(found.sort())
  })
})

describe('docs/errors.md', () => {
  const documented = new Set(rows(read('docs/errors.md')).map(([code]) => code))

  it('has every code of every component', () => {
    const codes = sources
      .filter((file) => /\/(errors|error|api-error)\.ts$/.test(file))
      .flatMap((file) => errorCodes(read(file)))
    expect(codes.length).toBeGreaterThan(50)
    expect(codes.filter((code) => !documented.has(code))).toEqual([])
  })

  it('has every result of a handler', () => {
    const codes = [
      ...errorCodes(read(`${node}/engine/engine.ts`)),
      ...[...read(`${node}/event/batch/batch-run.ts`).matchAll(/notRun\(route, '(\w+)'/g)].map(([, code = '']) => code),
    ]
    expect(codes).toEqual(expect.arrayContaining(['TRAP', 'INSTANCE_STOPPED', 'INSTANCE_MISSING', 'WALL_CLOCK']))
    expect(codes.filter((code) => !documented.has(code))).toEqual([])
  })
})

describe('docs/architecture.md', () => {
  it('names functions, classes and files that are there', () => {
    const code = sources.map(read).join('\n')
    const spans = [...read('docs/architecture.md').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)
    const names = new Set(spans.flatMap((text) => text.match(/[A-Za-z_]{4,}/g) ?? []))
    expect(names.size).toBeGreaterThan(100)
    expect([...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([])
  })
})

const python = spawnSync('python3', ['--version']).status === 0

describe.runIf(python)('docs/devices/examples', () => {
  it.each(globSync('docs/devices/examples/*.py', { cwd: root }))('%s says how it is used', (file) => {
    const { status, stderr } = spawnSync('python3', [join(root, file)], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toContain(`python3 ${basename(file)}`)
    expect(stderr).not.toContain('Traceback')
  })
})
