import { fileURLToPath } from 'node:url'
import { buildApplet } from '@w3bstream/applet-sdk/tool'
import { type Device, Management } from '../../packages/node/test/support/management.ts'
import { NodeProcess, type NodeProcessOptions } from '../../packages/node/test/support/node-process.ts'

/** The event type that goes to the applet; any other has no strategy, and there is none for `DEFAULT`. */
export const routedType = 'REPORT'
export const unroutedType = 'OTHER'

/** The built node in a process of its own, with a project whose applet logs each report and keeps it. */
export interface Subject extends AsyncDisposable {
  readonly node: NodeProcess
  readonly channel: string
  readonly device: Device
  eventUrl(eventType: string): string
}

const applet = fileURLToPath(new URL('applets/report.ts', import.meta.url))
const project = 'bench'

export async function startSubject(options: NodeProcessOptions = {}): Promise<Subject> {
  const node = await NodeProcess.start(options)
  try {
    const management = await Management.login(node)
    await management.project(project)
    const { wasm } = await buildApplet(applet)
    await management.applet(project, wasm, [{ eventType: routedType, handler: 'report' }])
    const device = await management.device(project, 'station')
    const channel = management.channel(project)
    return {
      node,
      channel,
      device,
      eventUrl: (eventType) => `${node.events}/srv-applet-mgr/v0/event/${channel}?eventType=${eventType}`,
      [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
    }
  } catch (error) {
    await node[Symbol.asyncDispose]()
    throw error
  }
}
