import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliOptions, runCli, spawnCli } from '../support/cli.ts'
import { makeTempDirectory, removeDirectory } from '../support/temp.ts'
import { until } from '../support/until.ts'

interface Shown {
  readonly type: string
  readonly [name: string]: unknown
}

interface Row {
  readonly eventID: string
  readonly height: string
  readonly index: number
  readonly results: readonly { handler: string; code: number; error: string; fuel: string }[]
}

/** An applet whose handler returns its version. */
const version = (number: number, before = '') => `import { event, log } from '@w3bstream/applet-sdk'

export function start(rid: i32): i32 {
  const text = event.text(rid)
${before}  log.info('version ${number} ' + text)
  return ${number}
}
`

const projectFile = `version: 1
name: inner
applets:
  - name: loop
    source: loop
    routes: [{ event: DEFAULT, handler: start }]
devices: [{ key: d1 }]
`

/** Compiling on a machine that does much else takes its time, milliseconds. */
const patience = 60_000

describe('w3bstream dev', () => {
  let directory = ''
  let child: ChildProcess
  let options: CliOptions = {}
  const shown: Shown[] = []
  let errors = ''
  let url = ''

  const source = () => join(directory, 'loop/assembly/index.ts')
  const of = (type: string) => shown.filter((line) => line.type === type)
  const api = async <T>(path: string, token = ''): Promise<T> => {
    const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` }
    return (await (await fetch(`${url}/srv-applet-mgr/v0${path}`, { headers })).json()) as T
  }

  beforeAll(async () => {
    directory = await makeTempDirectory()
    await mkdir(join(directory, 'loop/assembly'), { recursive: true })
    await mkdir(join(directory, 'events'))
    await writeFile(join(directory, 'w3bstream.yaml'), projectFile)
    await writeFile(source(), version(1))
    const env = { HOME: directory }
    child = spawnCli(['dev', '--json'], { cwd: directory, env: { ...env, TMPDIR: directory } })
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    let rest = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      shown.push(...lines.map((line) => JSON.parse(line) as Shown))
    })
    child.stdin?.write('{"event":"DEFAULT","payload":"early"}\n')
    await until('the first deployment', () => of('ready').length > 0 || child.exitCode !== null, patience)
    expect(child.exitCode, errors).toBeNull()
    const node = of('node')[0] as unknown as { url: string; password: string }
    url = node.url
    options = { cwd: directory, env: { ...env, W3BSTREAM_URL: url } }
    await runCli(['login', '--password-stdin'], { ...options, input: `${node.password}\n` })
  }, 2 * patience)
  afterAll(async () => {
    child?.kill('SIGKILL')
    await removeDirectory(directory)
  })

  it('sends what was typed before the start, and shows it with its receipt and log', async () => {
    const receipt = await until('its receipt', () => of('receipt').find(({ eventType }) => eventType === 'DEFAULT'))
    expect(receipt).toMatchObject({ status: 'ok', device: 'd1', results: [{ handler: 'start', code: 1, error: '' }] })
    expect(Number((receipt as unknown as Row).results[0]!.fuel)).toBeGreaterThan(0)
    await until('its line', () => of('log').some(({ msg }) => msg === 'version 1 early'))
    expect(of('sent')[0]).toMatchObject({ from: 'input', event: 'DEFAULT', device: 'd1' })
  })

  it(
    'swaps versions at an exact place while a publisher sends, and loses and doubles nothing',
    async () => {
      const { token, accountID } = await login()
      const devices = await api<{ data: { key: string; token: string }[] }>('/publisher/x/inner?size=-1', token)
      const path = `/srv-applet-mgr/v0/event/aid_${accountID}_inner`
      const authorization = `Bearer ${devices.data[0]!.token}`
      const sent: string[] = []
      let isOver = false
      const publisher = (async () => {
        while (!isOver) {
          const eventId = `swap-${sent.length}`
          const response = await fetch(`${url}${path}?eventType=DEFAULT&eventID=${eventId}`, {
            method: 'POST',
            headers: { authorization },
            body: eventId,
          })
          if (response.ok) sent.push(eventId)
        }
      })()
      await writeFile(source(), version(2))
      const isSwapped = (line: Shown) => (line as unknown as Row).results[0]?.code === 2
      await until('events on the new version', () => of('receipt').filter(isSwapped).length >= 20, patience)
      isOver = true
      await publisher
      const rows = (await api<{ data: Row[] }>('/receipt/x/inner/datalist?size=-1&kind=data', token)).data
      const swaps = rows.filter(({ eventID }) => eventID.startsWith('swap-')).reverse()
      expect(swaps.map(({ eventID }) => eventID).sort()).toEqual([...sent].sort())
      const codes = swaps.map(({ results }) => results.map(({ code }) => code).join())
      expect(new Set(codes)).toEqual(new Set(['1', '2']))
      const cut = codes.indexOf('2')
      expect(codes.slice(0, cut).every((code) => code === '1')).toBe(true)
      expect(codes.slice(cut).every((code) => code === '2')).toBe(true)
    },
    2 * patience,
  )

  async function login() {
    const { password } = of('node')[0] as unknown as { password: string }
    const response = await fetch(`${url}/srv-applet-mgr/v0/login`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password }),
    })
    return (await response.json()) as { token: string; accountID: string }
  }

  it(
    'shows where a source does not compile, and keeps the old version',
    async () => {
      await writeFile(source(), version(3, '  const wrong: i32 = nowhere\n'))
      const refused = await until('the refusal', () => of('refused')[0], patience)
      expect(refused.problems).toEqual([
        { code: 2304, message: "Cannot find name 'nowhere'.", file: source(), line: 5, column: 22 },
      ])
      await writeFile(join(directory, 'events/again.json'), '"again"')
      await until('the old version', () => of('log').some(({ msg }) => msg === 'version 2 "again"'), patience)
      // What is written beside the project and read by nobody, such as the output of this command.
      await writeFile(join(directory, 'out'), 'x')
      await writeFile(join(directory, 'loop/assembly/notes.txt'), 'x')
      await writeFile(source(), version(3, '  const wrong: i32 = elsewhere\n'))
      await until('the next refusal', () => JSON.stringify(of('refused')).includes('elsewhere'), patience)
      expect(of('refused')).toHaveLength(2)
    },
    patience,
  )

  it(
    'shows the line of the source where a handler trapped, also in the log and the receipt',
    async () => {
      await writeFile(source(), version(3, '  if (text.length > 3) unreachable()\n'))
      await until('the new version', () => of('deployed').length >= 3, patience)
      expect(of('refused')).toHaveLength(2)
      child.stdin?.write('DEFAULT much too long\n')
      const trap = await until('the trap', () => of('log').find(({ msg }) => String(msg).startsWith('start failed')))
      expect(trap.msg).toMatch(/^start failed: TRAP unreachable .*\n {4}at start \(loop\/assembly\/index\.ts:5:\d+\)$/)
      const logs = await runCli(['logs', '-p', 'inner'], options)
      expect(logs.stdout).toContain('at start (loop/assembly/index.ts:5:')
      const failed = of('receipt').find(({ status }) => status === 'failed')!
      const receipt = await runCli(['receipt', 'show', String(failed.messageID), '-p', 'inner'], options)
      expect(receipt.stdout).toContain('at start (loop/assembly/index.ts:5:')
    },
    patience,
  )

  it(
    'deploys a project file that was saved, and shows what is wrong with one',
    async () => {
      const text = await readFile(join(directory, 'w3bstream.yaml'), 'utf8')
      await writeFile(join(directory, 'w3bstream.yaml'), text.replace('event: DEFAULT', 'event: 7'))
      await until('the mistake', () => JSON.stringify(of('refused')).includes('PROJECT_FILE_INVALID'), patience)
      await writeFile(join(directory, 'w3bstream.yaml'), text.replace('event: DEFAULT', 'event: OTHER'))
      await until('the route', () => JSON.stringify(of('deployed').at(-1)).includes('route OTHER'), patience)
      child.stdin?.write('OTHER x\n')
      await until('its event', () => of('log').some(({ msg }) => msg === 'version 3 x'))
    },
    patience,
  )

  it(
    'ends everything at a signal',
    async () => {
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      expect(await ended).toEqual([0, null])
      expect(errors).toBe('')
      await expect(fetch(`${url}/liveness`)).rejects.toThrow()
      expect((await readdir(directory)).filter((name) => name.startsWith('w3bstream-dev-'))).toEqual([])
    },
    patience,
  )
})

describe('w3bstream dev without what it needs', () => {
  it('says what is missing and ends', async () => {
    const directory = await makeTempDirectory()
    try {
      const env = { HOME: directory, TMPDIR: directory }
      const { code, stderr } = await runCli(['dev', '--http-port', 'x'], { cwd: directory, env })
      expect(code).toBe(2)
      expect(stderr).toContain('port')
      const far = await runCli(['dev', '--node', 'ftp://x', '--yes'], { cwd: directory, env })
      expect(far.code).toBe(2)
    } finally {
      await removeDirectory(directory)
    }
  })
})
