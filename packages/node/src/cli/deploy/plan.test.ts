import { describe, expect, it } from 'vitest'
import { defaultProjectSettings } from '../../project/definition.ts'
import { isEmpty, planDeployment } from './plan.ts'
import type { CurrentProject, DesiredApplet, DesiredProject } from './state.ts'

const times = { createdMs: 0, updatedMs: 0 }
const { limits: defaultLimits, ...defaultSettings } = defaultProjectSettings

const station: DesiredApplet = {
  name: 'station',
  fileName: 'station.wasm',
  wasm: new Uint8Array([1]),
  codeHash: 'aa'.repeat(32),
  strategies: [
    { eventType: 'DEFAULT', handler: 'start', autoCollectMetric: false },
    { eventType: 'day', handler: 'closeDay', autoCollectMetric: true },
  ],
  cache: { mode: 'MEMORY', prefix: '' },
}

const desired: DesiredProject = {
  name: 'weather',
  description: 'Stations',
  public: false,
  applets: [station],
  devices: [{ key: 's1', name: 'Station 1' }],
  env: { TOKEN: '0x01' },
  database: {
    schemas: [{ tables: [{ name: 'readings', cols: [{ name: 'a', constrains: { datatype: 'TEXT' } }] }] }],
  },
  settings: defaultSettings,
  limits: defaultLimits,
  operator: { operatorId: '7', name: 'default' },
}

/** What the node holds after `desired` was applied. */
const applied: CurrentProject = {
  project: {
    projectId: '1',
    name: 'weather',
    channel: 'aid_1_weather',
    projectKey: `0x${'00'.repeat(32)}`,
    public: false,
    description: 'Stations',
    state: 'active',
  },
  settings: defaultProjectSettings,
  env: [['TOKEN', '0x01']],
  assets: [],
  database: {
    dialect: 'POSTGRES',
    schemas: [
      {
        schema: 'public',
        tables: [
          {
            name: 'readings',
            desc: '',
            cols: [{ name: 'a', constrains: { datatype: 'text', null: false } }],
            keys: [],
          },
        ],
      },
    ],
  },
  applets: [
    {
      appletId: '10',
      name: 'station',
      resourceId: '11',
      codeHash: station.codeHash,
      md5: '',
      fileName: 'station.wasm',
      version: 3,
      latestVersion: 3,
      ...times,
    },
  ],
  instances: [{ instanceId: '12', appletId: '10', state: 'STARTED', cache: { mode: 'MEMORY', prefix: '' }, ...times }],
  strategies: [
    { strategyId: '20', appletId: '10', eventType: 'DEFAULT', handler: 'start', autoCollectMetric: false, ...times },
    { strategyId: '21', appletId: '10', eventType: 'day', handler: 'closeDay', autoCollectMetric: true, ...times },
  ],
  cronJobs: [
    { cronJobId: '40', expression: '@hourly', eventType: 'HOUR', missed: 'once', sinceMs: 0, ...times },
    { cronJobId: '41', expression: '@daily', eventType: 'DAY', missed: 'all', sinceMs: 0, ...times },
  ],
  trafficLimits: [
    { trafficLimitId: '50', apiType: 'EVENT', scope: 'DEVICE', threshold: 9, duration: '1m', startMs: 0, ...times },
  ],
  publishers: [{ publisherId: '30', key: 's1', name: 'Station 1', publicKey: '' }],
  operatorId: '7',
}

const plan = (changes: Partial<DesiredProject>, current: Partial<CurrentProject> = {}) =>
  planDeployment({ ...desired, ...changes }, { ...applied, ...current })
const shown = ({ lines }: ReturnType<typeof planDeployment>) => lines.map(({ sign, what }) => `${sign} ${what}`)

describe('planning a deployment', () => {
  it('creates everything of a project that is not there', () => {
    const made = planDeployment(desired, undefined)
    expect(made.create).toBe(true)
    expect(made.changes.map(({ op }) => op)).toEqual(['project.update', 'env.put', 'database.put', 'publisher.create'])
    expect(made.uploads).toEqual([{ applet: station, withStrategies: true }])
    expect(shown(made)).toContain('+ project weather')
    expect(shown(made)).toContain('+ route day')
  })

  it('finds nothing to do when all of it is there', () => {
    const made = planDeployment(desired, applied)
    expect(made.lines).toEqual([])
    expect(isEmpty(made)).toBe(true)
  })

  it('leaves alone what the file does not speak of', () => {
    expect(isEmpty(planDeployment({ name: 'weather' }, applied))).toBe(true)
  })

  it('sends only the settings and limits that differ', () => {
    const made = plan({
      settings: { ...defaultSettings, rollbackOnNegative: true },
      limits: { ...defaultLimits, effects: 1 },
    })
    expect(made.changes).toEqual([
      { op: 'settings.put', settings: { rollbackOnNegative: true, limits: { effects: 1 } } },
    ])
  })

  it('replaces variables as a whole and never shows their values', () => {
    const made = plan(
      { env: { TOKEN: 'secret', NEW: 'secret' } },
      {
        env: [
          ['TOKEN', '0x01'],
          ['OLD', 'x'],
        ],
      },
    )
    expect(made.changes).toEqual([
      {
        op: 'env.put',
        env: [
          ['TOKEN', 'secret'],
          ['NEW', 'secret'],
        ],
      },
    ])
    expect(shown(made)).toEqual(['~ env TOKEN', '+ env NEW', '- env OLD'])
    expect(JSON.stringify(made.lines)).not.toContain('secret')
  })

  it('keeps tables that the file does not declare', () => {
    const made = plan({
      database: { schemas: [{ tables: [{ name: 'more', cols: [{ name: 'b', constrains: { datatype: 'BOOL' } }] }] }] },
    })
    const [change] = made.changes
    expect(change?.op === 'database.put' && change.database.schemas?.[0]?.tables.map(({ name }) => name)).toEqual([
      'readings',
      'more',
    ])
    expect(shown(made)).toEqual(['+ table more'])
  })

  describe('of a table', () => {
    const column = (name: string, datatype: string, more: object = {}) => ({ name, constrains: { datatype, ...more } })
    const detail = (cols: readonly ReturnType<typeof column>[], more: object = {}) =>
      plan({ database: { schemas: [{ tables: [{ name: 'readings', cols, ...more }] }] } }).lines.map(
        (line) => line.detail,
      )
    const a = column('a', 'TEXT')
    const refused = (reason: string) => `(refused when the table has rows: ${reason})`

    it('shows added columns, and which of them the node refuses', () => {
      expect(detail([a, column('b', 'INT64', { null: true })])).toEqual(['+b bigint'])
      expect(detail([a, column('b', 'INT', { default: '0' })])).toEqual(['+b integer not null default 0'])
      expect(detail([a, column('b', 'INT')])).toEqual([
        `+b integer not null ${refused('NOT NULL without a default, and the table has rows')}`,
      ])
    })

    it('shows changed columns, and which changes the node refuses', () => {
      expect(detail([column('a', 'TEXT', { length: 300 })])).toEqual([
        '~a varchar(255) not null → varchar(300) not null',
      ])
      expect(detail([column('a', 'INT')])).toEqual([
        `~a varchar(255) not null → integer not null ${refused('varchar(255) to integer could lose values')}`,
      ])
      expect(detail([column('a', 'NONSENSE')])[0]).toMatch(/^~a .* → NONSENSE not null \(refused: datatype/)
      expect(detail([column('a', 'TEXT', { desc: 'x' })])).toEqual(['~a description'])
    })

    it('says that columns which are no longer declared stay', () => {
      expect(detail([column('b', 'INT', { null: true })])).toEqual(['+b integer, a kept, though no longer declared'])
    })

    it('shows keys that come and go', () => {
      expect(detail([a], { keys: [{ isUnique: true, columnNames: ['a'] }] })).toEqual(['+unique (a)'])
    })
  })

  it('changes routes one by one when the module stays', () => {
    const strategies = [
      { eventType: 'DEFAULT', handler: 'other', autoCollectMetric: false },
      { eventType: 'night', handler: 'closeDay', autoCollectMetric: false },
    ]
    const made = plan({ applets: [{ ...station, strategies }] })
    expect(made.uploads).toEqual([])
    expect(made.changes).toEqual([
      { op: 'strategy.update', strategyId: '20', handler: 'other', autoCollectMetric: false },
      { op: 'strategy.create', appletId: '10', eventType: 'night', handler: 'closeDay', autoCollectMetric: false },
      { op: 'strategy.remove', strategyId: '21' },
    ])
  })

  it('sends changed routes together with a changed module, and leaves equal ones', () => {
    const changed = { ...station, codeHash: 'bb'.repeat(32) }
    expect(plan({ applets: [changed] }).uploads).toEqual([{ appletId: '10', applet: changed, withStrategies: false }])
    expect(plan({ applets: [changed] }).lines[0]?.detail).toMatch(/^version 3 -> 4, /)
    const rerouted = { ...changed, strategies: station.strategies.slice(0, 1) }
    const made = plan({ applets: [rerouted] })
    expect(made.uploads).toEqual([{ appletId: '10', applet: rerouted, withStrategies: true }])
    expect(made.changes).toEqual([])
    expect(shown(made)).toEqual(['~ applet station', '- route day'])
  })

  it('removes applets that are gone from the file before it changes others', () => {
    const made = plan({ applets: [] })
    expect(made.changes).toEqual([{ op: 'applet.remove', appletId: '10' }])
  })

  it('changes whose keys an applet sees, and gives a missing instance back', () => {
    const cache = { mode: 'REDIS', prefix: 'p' } as const
    expect(plan({ applets: [{ ...station, cache }] }).changes).toEqual([{ op: 'applet.update', appletId: '10', cache }])
    expect(plan({}, { instances: [] }).changes).toEqual([
      { op: 'instance.create', appletId: '10', cache: station.cache },
    ])
  })

  it('adds and renames devices, and removes others only when asked', () => {
    const devices = [
      { key: 's1', name: 'New name' },
      { key: 's2', name: 's2', publicKey: 'did:key:z6Mk' },
    ]
    const publishers = [...applied.publishers, { publisherId: '31', key: 'self', name: 'self', publicKey: '' }]
    expect(plan({ devices }, { publishers }).changes).toEqual([
      { op: 'publisher.update', publisherId: '30', name: 'New name' },
      { op: 'publisher.create', key: 's2', name: 's2', publicKey: 'did:key:z6Mk' },
    ])
    const pruned = planDeployment(desired, { ...applied, publishers }, { pruneDevices: true })
    expect(pruned.changes).toEqual([{ op: 'publisher.remove', publisherId: '31' }])
  })

  it('binds another operator', () => {
    const operator = { operatorId: '8', name: 'second' }
    expect(plan({ operator })).toMatchObject({ operator, lines: [{ sign: '~', what: 'operator', detail: 'second' }] })
  })

  it('compares cron jobs by schedule and event, and removes those that are not listed', () => {
    const cron = [
      { expression: '@hourly', eventType: 'HOUR', missed: 'skip' as const },
      { expression: '@every 5s', eventType: 'DEFAULT', missed: 'once' as const },
    ]
    const made = plan({ cron })
    expect(made.changes).toEqual([
      { op: 'cron.update', cronJobId: '40', missed: 'skip' },
      { op: 'cron.create', ...cron[1] },
      { op: 'cron.remove', cronJobId: '41' },
    ])
    expect(shown(made)).toEqual(['~ cron @hourly HOUR', '+ cron @every 5s DEFAULT', '- cron @daily DAY'])
    expect(isEmpty(plan({ cron: applied.cronJobs }))).toBe(true)
  })

  it('sets the traffic limits that the file names, and leaves the others', () => {
    const limit = { apiType: 'EVENT', duration: '1h', threshold: 5 } as const
    const made = plan({
      traffic: [
        { ...limit, scope: 'DEVICE' },
        { ...limit, scope: 'PROJECT' },
      ],
    })
    expect(made.changes).toEqual([
      { op: 'traffic.update', trafficLimitId: '50', threshold: 5, duration: '1h' },
      { op: 'traffic.create', scope: 'PROJECT', ...limit },
    ])
    expect(isEmpty(plan({ traffic: applied.trafficLimits }))).toBe(true)
    expect(isEmpty(plan({ traffic: [] }))).toBe(true)
  })

  it('sends files that the project does not have, and names all of them', () => {
    const asset = (path: string, text: string) => {
      const bytes = new TextEncoder().encode(text)
      return { path, hash: text.repeat(64).slice(0, 64), cid: `cid-${text}`, bytes }
    }
    const there = {
      ...applied,
      assets: [
        { path: 'a', cid: 'cid-a', size: 1 },
        { path: 'old', cid: 'cid-o', size: 1 },
      ],
    }
    const same = planDeployment({ name: 'weather', assets: [asset('old', 'o'), asset('a', 'a')] }, there)
    expect(isEmpty(same)).toBe(true)
    const plan = planDeployment({ name: 'weather', assets: [asset('a', 'b'), asset('moved', 'o')] }, there)
    expect(plan.files.map(({ cid }) => cid)).toEqual(['cid-b'])
    expect(plan.changes).toMatchObject([
      {
        op: 'assets.put',
        assets: [
          { path: 'a', cid: 'cid-b', size: 1 },
          { path: 'moved', cid: 'cid-o' },
        ],
      },
    ])
    expect(plan.lines.map(({ sign, what }) => `${sign} ${what}`)).toEqual(['~ asset a', '+ asset moved', '- asset old'])
    expect(planDeployment({ name: 'weather' }, there).lines).toEqual([])
  })
})
