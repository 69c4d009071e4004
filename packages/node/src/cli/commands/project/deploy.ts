import { dirname, resolve } from 'node:path'
import { confirm } from '../../ask.ts'
import { type CommonOptions, type Context, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { applyPlan } from '../../deploy/apply.ts'
import { buildDesired } from '../../deploy/build-desired.ts'
import { diffText } from '../../deploy/diff-text.ts'
import { fetchCurrent } from '../../deploy/fetch-current.ts'
import { checkChains, loadProjectFile } from '../../deploy/load-file.ts'
import { isEmpty, planDeployment } from '../../deploy/plan.ts'
import { moduleMaker } from '../../source-maps/compile.ts'

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
  const file = await loadProjectFile(path, options.file, io)
  const api = await context.api()
  const operator = await checkChains(api, file)
  const desired = await buildDesired(file, dirname(path), operator, moduleMaker(io))
  const plan = planDeployment(desired, await fetchCurrent(api, file.name), { pruneDevices: options.pruneDevices })
  const result = { project: file.name, changes: plan.lines, applied: false }
  if (isEmpty(plan)) return context.print(result, () => 'no changes')
  if (options.dryRun) return context.print(result, () => diffText(io, plan))
  if (!context.json) io.out(`${diffText(io, plan)}\n`)
  if (!options.yes && !context.json && io.interactive) await confirm(`Apply to ${file.name} at ${api.url}?`)
  await applyPlan(api, file.name, plan)
  context.print({ ...result, applied: true }, () => `deployed ${file.name} to ${api.url}`)
}
