import { toHex } from '@w3bstream/protocol'
import { describe, expect, it } from 'vitest'
import type { Applet, AppletVersion, ProjectChange, ProjectDefinition, Strategy } from '../../project/definition.ts'
import type { Flow } from '../../project/flow.ts'
import type { ProjectEntry } from '../../project/project.ts'
import { checkFlowFunctions } from './flow-check.ts'

type Needs = Parameters<typeof checkFlowFunctions>[2]

/** What modules export, by their hashes. */
const modules: Record<string, { handlers: string[]; reducers: string[] }> = {
  full: { handlers: ['keep', 'start'], reducers: ['sum'] },
  lean: { handlers: ['start'], reducers: [] },
}
const entry = {
  key: toHex(new Uint8Array(32)),
  projectId: '1',
  accountId: '2',
  name: 'aid_2_p',
  createdMs: 0,
} satisfies ProjectEntry
const flow: Flow = {
  source: { strategies: ['READING'] },
  operators: [{ opType: 'FILTER', wasmFunc: 'keep' }, { opType: 'WINDOW' }, { opType: 'REDUCE', wasmFunc: 'sum' }],
}
const module = (codeHash: string) => ({ resourceId: '1', codeHash, md5: '', fileName: '' })

/** A project with applets 1, 2, … that run these modules, and the routes `applet:event type`. */
function check(
  changes: readonly ProjectChange[],
  given: { applets?: readonly string[]; routes?: readonly string[]; flow?: Flow } = {},
): Promise<void> {
  const applets = (given.applets ?? []).map((codeHash, i) => ({ appletId: `${i + 1}`, name: `a${i + 1}`, codeHash }))
  const strategies = (given.routes ?? []).map((route, i) => {
    const [appletId, eventType] = route.split(':')
    return { strategyId: `s${i}`, appletId, eventType }
  })
  const definition: Partial<ProjectDefinition> = {
    flow: given.flow ?? null,
    applets: new Map(applets.map((applet) => [applet.appletId, applet as Applet])),
    strategies: new Map(strategies.map((strategy) => [strategy.strategyId, strategy as Strategy])),
  }
  const deps = {
    projects: {
      definition: async () => definition,
      appletVersion: async (_key: string, _id: string, version: number) =>
        version === 1 ? ({ codeHash: 'lean' } as AppletVersion) : undefined,
    },
    vfs: { get: async (hash: string) => new TextEncoder().encode(hash) },
    inspectModule: async (bytes: Uint8Array) => modules[new TextDecoder().decode(bytes)],
  }
  return checkFlowFunctions(entry, changes, deps as unknown as Needs)
}

const put: ProjectChange = { op: 'flow.put', flow }
const refused = (
  code: string,
  desc = /: the module exports no function for filter "keep", reduce "sum" of the flow$/,
) => ({
  fault: { code },
  message: expect.stringMatching(desc),
})

describe('a flow', () => {
  it('is accepted when its applet exports the functions, or is still to come', async () => {
    await check([put], { applets: ['full'] })
    await check([put])
    await check([put], { applets: ['lean', 'lean'] })
    await check([{ op: 'flow.put', flow: null }], { applets: ['lean'] })
  })

  it('is refused when the applet that it names, that its events go to, or the only one lacks functions', async () => {
    await expect(check([put], { applets: ['lean'] })).rejects.toMatchObject(refused('InvalidFlow'))
    await expect(check([put], { applets: ['full', 'lean'], routes: ['2:READING'] })).rejects.toMatchObject(
      refused('InvalidFlow', /applet a2:/),
    )
    await expect(
      check([{ op: 'flow.put', flow: { ...flow, applet: 'a1' } }], { applets: ['lean', 'full'] }),
    ).rejects.toMatchObject(refused('InvalidFlow', /applet a1:/))
  })

  it('is judged by what the changes before it make of the project', async () => {
    const create: ProjectChange = { op: 'applet.create', name: 'n', ...module('full') }
    await check([create, put])
    await check([{ op: 'applet.update', appletId: '1', codeHash: 'full' }, put], { applets: ['lean'] })
    await check([{ op: 'applet.remove', appletId: '2' }, put], { applets: ['full', 'lean'], routes: ['1:READING'] })
    const route: ProjectChange = { op: 'strategy.create', appletId: '2', eventType: 'READING', handler: 'start' }
    await expect(check([route, put], { applets: ['full', 'lean'] })).rejects.toMatchObject(refused('InvalidFlow'))
    await expect(
      check([{ op: 'applet.rollback', appletId: '1', version: 1 }, put], { applets: ['full'] }),
    ).rejects.toMatchObject(refused('InvalidFlow'))
  })
})

describe('a rollback or a canary', () => {
  const canary: ProjectChange = { op: 'applet.canary', appletId: '1', percent: 10, ...module('lean') }
  const rollback: ProjectChange = { op: 'applet.rollback', appletId: '1', version: 1 }

  it('is refused when functions of the flow would vanish', async () => {
    for (const change of [canary, rollback])
      await expect(check([change], { applets: ['full'], flow })).rejects.toMatchObject(refused('InvalidModule'))
  })

  it('is accepted of an applet that the flow does not use, of one without a flow, and for another share', async () => {
    const applets = ['full', 'full']
    for (const change of [canary, rollback]) {
      await check([change], { applets, routes: ['2:READING'], flow })
      await check([change], { applets: ['full'] })
    }
    await check([{ op: 'applet.canary', appletId: '1', percent: 20 }], { applets: ['full'], flow })
    await check([{ op: 'flow.put', flow: null }, canary], { applets: ['full'], flow })
  })

  it('to a version that the applet never had is told as such', async () => {
    const change: ProjectChange = { op: 'applet.rollback', appletId: '1', version: 7 }
    await expect(check([change], { applets: ['full'], flow })).rejects.toMatchObject({
      fault: { code: 'VersionNotFound' },
    })
  })
})
