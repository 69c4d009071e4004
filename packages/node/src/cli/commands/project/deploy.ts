import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { ApiClient } from '../../api-client.ts'
import { confirm } from '../../ask.ts'
import { type CommonOptions, type Context, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { applyPlan } from '../../deploy/apply.ts'
import { buildDesired } from '../../deploy/build-desired.ts'
import { fetchCurrent } from '../../deploy/fetch-current.ts'
import { isEmpty, type Plan, planDeployment } from '../../deploy/plan.ts'
import type { DesiredProject } from '../../deploy/state.ts'
import { CliError } from '../../errors.ts'
import type { CliIo } from '../../io.ts'
import type { ProjectFile } from '../../project-file/schema.ts'
import { allRows, type OperatorRow } from '../../rows.ts'

interface Options extends CommonOptions {
  readonly file: string
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly pruneDevices?: boolean
}

export const registerDeploy: Register = (parent, io) => {
  withNode(parent.command('deploy'))
    .description('make a project what its file says; a second time there is nothing to do')
    .option('-f, --file <FILE>', 'project file', 'w3bstream.yaml')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--prune-devices', 'remove devices that the file does not list')
    .addHelpText(
      'after',
      examples(
        ['w3bstream project deploy', 'builds, shows the difference, asks, applies'],
        ['w3bstream project deploy --dry-run', 'shows the difference only'],
        ['w3bstream project deploy -f weather/w3bstream.yaml --yes', 'for scripts'],
      ),
    )
    .action(action<Options>(io, deploy))
}

async function deploy(context: Context, options: Options): Promise<void> {
  const { io } = context
  const path = resolve(io.cwd, options.file)
  const file = await loadFile(path, options.file, io)
  const api = await context.api()
  const operator = await checkChains(api, file)
  const desired = await buildDesired(file, dirname(path), operator)
  const plan = planDeployment(desired, await fetchCurrent(api, file.name), { pruneDevices: options.pruneDevices })
  const result = { project: file.name, changes: plan.lines, applied: false }
  if (isEmpty(plan)) return context.print(result, () => 'no changes')
  if (options.dryRun) return context.print(result, () => diffText(io, plan))
  if (!context.json) io.out(`${diffText(io, plan)}\n`)
  if (!options.yes && !context.json && io.interactive) await confirm(`Apply to ${file.name} at ${api.url}?`)
  await applyPlan(api, file.name, plan)
  context.print({ ...result, applied: true }, () => `deployed ${file.name} to ${api.url}`)
}

async function loadFile(path: string, name: string, { env }: CliIo): Promise<ProjectFile> {
  const { readProjectFile } = await import('../../project-file/read.ts')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new CliError(
      { code: 'CLI_FILE', file: name, detail: `${(error as Error).message}; "w3bstream init" makes one` },
      { cause: error },
    )
  }
  return readProjectFile(text, name, env)
}

/** The operator that the file names, and a look whether the node knows the chains. */
async function checkChains(api: ApiClient, { chains }: ProjectFile): Promise<DesiredProject['operator']> {
  if (chains?.required?.length) {
    const { chains: text } = await api.get<{ chains: string }>('/configuration/chain_config')
    const known = JSON.parse(text) as { chainID?: number; name: string }[]
    const missing = chains.required.find(
      (wanted) => !known.some(({ chainID, name }) => chainID === wanted || name === wanted),
    )
    if (missing !== undefined)
      throw new CliError({ code: 'CLI_NOT_FOUND', what: 'chain at this node', name: String(missing) })
  }
  if (!chains?.operator) return undefined
  const operators = await allRows<OperatorRow>(api, '/operator/datalist')
  const operator = operators.find(({ name }) => name === chains.operator)
  if (!operator) throw new CliError({ code: 'CLI_NOT_FOUND', what: 'operator', name: chains.operator })
  return { operatorId: operator.operatorID, name: operator.name }
}

const colours = { '+': 'green', '~': 'yellow', '-': 'red' } as const

function diffText(io: CliIo, { lines }: Plan): string {
  return lines
    .map(({ sign, what, detail }) => io.style(colours[sign], `${sign} ${what}`) + (detail ? `  ${detail}` : ''))
    .join('\n')
}
