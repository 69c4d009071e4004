import { ConfigError } from '../../node/errors.ts'
import type { NodeOptions } from '../../node/options.ts'
import type { Flags } from '../../node/parse-options.ts'
import { createContext, nodeUrl, withJson } from '../context.ts'
import { examples, type Register } from '../define.ts'
import { configuredChains } from '../doctor/chains.ts'
import { type Finding, fail, ok } from '../doctor/check.ts'
import { checkClock, checkDataDir, checkDisk, checkNodeVersion } from '../doctor/machine.ts'
import { checkChain, checkLiveness, checkPort } from '../doctor/network.ts'
import { CliError } from '../errors.ts'
import type { CliIo } from '../io.ts'
import { addNodeFlags } from './start.ts'

export const registerDoctor: Register = (parent, io) => {
  withJson(addNodeFlags(parent.command('doctor')))
    .description('examine this machine, the configuration and the running node, with a hint for each fault')
    .option('--url <URL>', "the running node's management address (default: from the ports)")
    .addHelpText(
      'after',
      examples(
        ['w3bstream doctor', 'with the same flags as start; exit code 1 when something fails'],
        ['w3bstream doctor --data-dir /var/lib/w3bstream --json', 'for a monitoring script'],
      ),
    )
    .action(async ({ json, url, ...flags }: Flags & { json?: boolean; url?: string }) => {
      const context = createContext(io, { json })
      const findings = await examine(io, flags as Flags, url)
      const failed = findings.filter(({ state }) => state === 'fail').length
      context.print({ ok: failed === 0, findings }, () =>
        findings.map((finding) => findingText(io, finding)).join('\n'),
      )
      if (failed > 0)
        throw new CliError({ code: 'CLI_CHECK_FAILED', detail: `${failed} of ${findings.length} checks failed` })
    })
}

async function examine(io: CliIo, flags: Flags, url: string | undefined): Promise<Finding[]> {
  const { options, findings } = await readOptions(io, flags)
  if (!options) return [checkNodeVersion(process.version), ...findings]
  const scheme = options.tls ? 'https' : 'http'
  const local = `${scheme}://${options.host === '0.0.0.0' ? '127.0.0.1' : options.host}:${options.httpPort}`
  const live = await checkLiveness(url ? await nodeUrl(io, { url }) : local)
  const { host, deviceHost } = options
  return [
    checkNodeVersion(process.version),
    ...findings,
    checkClock(Date.now(), live.date),
    await checkDataDir(options.dataDir),
    await checkDisk(options.dataDir),
    live.finding,
    await checkPort('management port', host, options.httpPort, live.running),
    await checkPort('event port', deviceHost, options.eventPort, live.running),
    await checkPort('MQTT port', deviceHost, options.mqttPort, live.running),
    await checkPort('MQTT WebSocket port', deviceHost, options.mqttWsPort, live.running),
    ...(await Promise.all(configuredChains(options.chains).map(checkChain))),
  ]
}

async function readOptions(io: CliIo, flags: Flags): Promise<{ options?: NodeOptions; findings: Finding[] }> {
  const { parseNodeOptions } = await import('../../node/parse-options.ts')
  try {
    return { options: parseNodeOptions(flags, io.env), findings: [ok('configuration', 'valid')] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const findings = error.fault.problems.map(({ field, value, wanted }) =>
      fail('configuration', `${field}: ${value || '(empty)'}`, `wanted ${wanted}`),
    )
    return { findings }
  }
}

const marks = { ok: ['✓', 'green'], warn: ['!', 'yellow'], fail: ['✗', 'red'] } as const

function findingText(io: CliIo, { name, state, detail, fix }: Finding): string {
  const [mark, colour] = marks[state]
  return `${io.style(colour, mark)} ${name}: ${detail}${fix ? `\n  ${io.style('cyan', fix)}` : ''}`
}
