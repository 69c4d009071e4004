import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { optionTable } from '../node/option-table.ts'
import { processIo } from './io.ts'
import { createProgram } from './program.ts'
import { run } from './testing/run.ts'

function leaves(command: Command, path = ''): { path: string; command: Command }[] {
  const name = `${path} ${command.name()}`.trim()
  return command.commands.length === 0
    ? [{ path: name, command }]
    : command.commands.flatMap((child) => leaves(child, name))
}

const program = createProgram(processIo(), '0.0.0')
const commands = leaves(program)

describe('the command line', () => {
  it('has the commands that scripts and documents rely on', () => {
    expect(commands.map(({ path }) => path.replace('w3bstream ', ''))).toEqual([
      'start',
      'doctor',
      'config show',
      'login',
      'init',
      'dev',
      'project create',
      'project list',
      'project show',
      'project deploy',
      'project pause',
      'project resume',
      'project delete',
      'device add',
      'device list',
      'device remove',
      'device rotate',
      'operator add',
      'operator list',
      'operator remove',
      'applet new',
      'applet build',
      'applet test',
      'applet history',
      'applet rollback',
      'applet canary',
      'applet promote',
      'applet abort',
      'cron add',
      'cron list',
      'cron next',
      'cron remove',
      'flow status',
      'traffic list',
      'traffic set',
      'traffic remove',
      'publish',
      'logs',
      'receipt show',
      'receipt verify',
      'effect list',
      'vfs ls',
      'vfs get',
      'vfs put',
      'vfs rm',
      'vfs gc',
      'snapshot create',
      'snapshot list',
      'snapshot verify',
      'snapshot restore',
      'replay',
    ])
  })

  it.each(commands)('$path explains itself with an example and speaks JSON', async ({ path, command }) => {
    expect(command.description()).not.toBe('')
    expect(command.options.map(({ long }) => long)).toContain('--json')
    const { code, out } = await run([...path.split(' ').slice(1), '--help'])
    expect(code).toBe(0)
    expect(out).toContain(`$ ${path}`.replace('$ w3bstream', 'w3bstream'))
    expect(out).toContain('Examples:')
  })

  it.each(['', 'project', 'device', 'receipt', 'applet', 'effect', 'operator', 'config', 'snapshot', 'vfs'])(
    'explains the group "%s" with examples that exist',
    async (group) => {
      const { out } = await run([group, '--help'].filter(Boolean))
      const shown = [...out.matchAll(/\$ w3bstream ([a-z ]+)/g)].map(([, words = '']) => words)
      expect(shown.length).toBeGreaterThan(0)
      const paths = commands.map(({ path }) => path.replace('w3bstream ', ''))
      for (const words of shown) expect(paths.some((path) => `${words} `.startsWith(`${path} `))).toBe(true)
    },
  )

  it('gives every option of the node its flag', () => {
    const start = commands.find(({ path }) => path === 'w3bstream start')
    const flags = start?.command.options.map((option) => option.attributeName()) ?? []
    const wanted = Object.entries(optionTable).flatMap(([name, { argument }]) => (argument ? [name] : []))
    expect(flags).toEqual(expect.arrayContaining(wanted))
  })

  it.each([
    { what: 'an unknown command', args: ['strat'], message: 'unknown command' },
    { what: 'an unknown option', args: ['project', 'list', '--jsn'], message: 'unknown option' },
    { what: 'a missing argument', args: ['project', 'create'], message: 'missing required argument' },
    { what: 'a missing option', args: ['device', 'list'], message: 'required option' },
    { what: 'a wrong value', args: ['start', '--http-port', 'x'], message: '--http-port: x is not a whole number' },
    { what: 'an address that is none', args: ['project', 'list', '--url', 'nowhere'], message: 'not an http' },
  ])('answers $what with exit code 2', async ({ args, message }) => {
    const { code, out, err } = await run(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
  })

  it('tells scripts what is wrong as JSON', async () => {
    const { code, err } = await run(['start', '--workers', '0', '--log-level', 'x', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(err).error).toMatchObject({
      code: 'CONFIG_INVALID',
      problems: [{ field: '--log-level' }, { field: '--workers' }],
    })
  })

  it('shows its version and its help', async () => {
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(await run(['help'])).toMatchObject({ code: 0 })
    const bare = await run([])
    expect(bare.code).toBe(2)
    expect(bare.err).toContain('Commands:')
  })

  it('shows the effective configuration without secrets', async () => {
    const { out } = await run(['config', 'show', '--mqtt-port', '0', '--json'], {
      env: { W3BSTREAM_ADMIN_PASSWORD: 'SECRET-password' },
    })
    expect(JSON.parse(out)).toMatchObject({ mqttPort: 'off', adminPassword: '***' })
  })
})
