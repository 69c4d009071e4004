import { basename, extname, resolve } from 'node:path'
import type { ApiClient } from '../../api-client.ts'
import { type CommonOptions, withNode } from '../../context.ts'
import { action, examples, type Register } from '../../define.ts'
import { examineModule } from '../../examine-module.ts'
import { moduleMaker } from '../../source-maps/compile.ts'
import { wholeNumber } from '../../whole-number.ts'
import { findApplet, printRunning, type Running } from './version.ts'

interface Options extends CommonOptions {
  readonly project: string
  readonly percent: string
  readonly note?: string
}

export const registerCanary: Register = (parent, io) => {
  withNode(parent.command('canary'))
    .description('run a new module for a share of the devices, or change the share of the one that runs')
    .argument('<applet>', 'its name')
    .argument('[module]', 'a .wasm file, or a folder or source file to compile; none: only the share changes')
    .requiredOption('-p, --project <NAME>', 'the project')
    .requiredOption('--percent <N>', 'share of the devices, whole percent')
    .option('--note <TEXT>', 'why; shown in the history')
    .addHelpText(
      'after',
      examples(
        ['w3bstream applet canary station build/station.wasm --percent 10 -p weather', 'begins with a tenth'],
        ['w3bstream applet canary station --percent 50 -p weather', 'half of the devices, among them that tenth'],
        ['w3bstream applet history station -p weather', 'compares the results of both'],
        ['w3bstream applet promote station -p weather', 'or abort'],
      ),
    )
    .action(
      action<Options>(io, async (context, { project, percent: text, note }, name, module) => {
        const percent = wholeNumber(text, '--percent', 0, 100)
        const path = module === undefined ? undefined : resolve(io.cwd, module)
        const wasm = path === undefined ? undefined : await moduleMaker(io)(path, extname(path) !== '.wasm')
        if (wasm) await examineModule(wasm, name)
        const api = await context.api()
        const { appletId } = await findApplet(api, project, name)
        const running =
          wasm && path
            ? await begin(api, appletId, wasm, { percent, note, wasmName: `${basename(path, extname(path))}.wasm` })
            : await api.put<Running>(`/applet/${appletId}/canary`, { percent })
        printRunning(context, name, running)
      }),
    )
}

function begin(
  api: ApiClient,
  appletId: string,
  wasm: Uint8Array,
  info: { percent: number; note?: string; wasmName: string },
): Promise<Running> {
  const form = new FormData()
  form.append('info', JSON.stringify(info))
  form.append('file', new Blob([new Uint8Array(wasm)], { type: 'application/wasm' }), info.wasmName)
  return api.request<Running>('POST', `/applet/${appletId}/canary`, { body: form })
}
