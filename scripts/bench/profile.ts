import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpLoad } from './load/http-load.ts'
import { compileMqttLoad } from './load/mqtt-load.ts'
import { residentMiB, threadCpuSeconds } from './process-usage.ts'
import { routedType, type Subject, startSubject } from './subject.ts'
import { tempDirectory } from './temp.ts'

const seconds = 8
const shown = 25

/** Fields of the V8 profiler's file that are used here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Runs the node under the load of these rows with the profiler on, and tells the functions that took most time themselves. */
export async function profileRows(wanted: (row: string) => boolean): Promise<string> {
  const reports: string[] = []
  for (const name of ['http-event', 'mqtt-qos1'])
    if (wanted(name)) reports.push(await profileRow(name, name === 'http-event' ? loadHttp : await mqttLoader()))
  return reports.join('\n\n')
}

type Load = (subject: Subject) => Promise<number>

async function profileRow(name: string, load: Load): Promise<string> {
  await using directory = await tempDirectory()
  const env = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${directory.path}` }
  await using subject = await startSubject({ env })
  const before = threadCpuSeconds(subject.node.pid)
  const done = await load(subject)
  const threads = formatThreads(before, threadCpuSeconds(subject.node.pid), done)
  const resident = residentMiB(subject.node.pid)
  await subject.node.stop()
  const profiles = globSync('*.cpuprofile', { cwd: directory.path }).map(
    (file) => JSON.parse(readFileSync(join(directory.path, file), 'utf8')) as CpuProfile,
  )
  const head = `${name}: ${done} done, each µs of processor by thread: ${threads}; ${resident.toFixed(0)} MiB resident`
  return [head, ...profiles.map(formatProfile)].join('\n')
}

async function loadHttp({ device, eventUrl }: Subject): Promise<number> {
  const { requests } = await httpLoad({ url: eventUrl(routedType), token: device.token, connections: 64, seconds })
  return requests
}

async function mqttLoader(): Promise<Load> {
  return async ({ node, channel, device }) => {
    await using directory = await tempDirectory()
    const run = await compileMqttLoad(directory.path)
    if (!run) throw new Error('there is no C compiler (cc) for the load generator')
    const account = { user: device.key, password: device.token }
    const { sent } = await run({
      ...account,
      port: node.mqttPort,
      topic: `${channel}/${routedType}`,
      connections: 50,
      window: 64,
      seconds,
    })
    return sent
  }
}

/** The busiest threads; the others are those of the garbage collector, the compiler and the file system. */
function formatThreads(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>, done: number): string {
  const used = [...after].map(([thread, seconds]) => ((seconds - (before.get(thread) ?? 0)) * 1e6) / done)
  return used
    .sort((a, b) => b - a)
    .filter((us) => us >= 0.5)
    .map((us) => us.toFixed(1))
    .join(', ')
}

/** Self time by function, largest first; V8's own entries, such as the garbage collector, in parentheses. */
function formatProfile(profile: CpuProfile): string {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, frameName(callFrame)]))
  const times = new Map<string, number>()
  for (const [i, sample] of profile.samples.entries()) {
    const name = names.get(sample) ?? '(unknown)'
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas[i] ?? 0))
  }
  const busy = [...times].filter(([name]) => name !== '(idle)').reduce((sum, [, time]) => sum + time, 0)
  const isWorker = profile.nodes.some(({ callFrame }) => callFrame.url.endsWith('/dist/worker.js'))
  const lines = [...times]
    .filter(([name]) => name !== '(idle)')
    .sort(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([name, time]) => `${((time * 100) / busy).toFixed(1).padStart(7)} %  ${name}`)
  const title = `  ${isWorker ? 'executor' : 'main'} thread, busy ${(busy / 1e6).toFixed(2)} s, idle ${((times.get('(idle)') ?? 0) / 1e6).toFixed(2)} s`
  return [title, ...lines].join('\n')
}

function frameName({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)'
  if (url === '') return name
  return `${name} ${url.replace(/^.*\/(node_modules|dist)\//, '')}:${lineNumber + 1}`
}
