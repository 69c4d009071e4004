import { Command } from 'commander'
import { registerApplet } from './commands/applet/applet.ts'
import { registerConfig } from './commands/config.ts'
import { registerCron } from './commands/cron/cron.ts'
import { registerDev } from './commands/dev.ts'
import { registerDevice } from './commands/device/device.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerEffect } from './commands/effect.ts'
import { registerFlow } from './commands/flow/flow.ts'
import { registerInit } from './commands/init.ts'
import { registerLogin } from './commands/login.ts'
import { registerLogs } from './commands/logs.ts'
import { registerOperator } from './commands/operator/operator.ts'
import { registerProject } from './commands/project/project.ts'
import { registerPublish } from './commands/publish.ts'
import { registerReceipt } from './commands/receipt/receipt.ts'
import { registerReplay } from './commands/replay.ts'
import { registerSnapshot } from './commands/snapshot/snapshot.ts'
import { registerStart } from './commands/start.ts'
import { registerTraffic } from './commands/traffic/traffic.ts'
import { registerVfs } from './commands/vfs/vfs.ts'
import { examples, type Register } from './define.ts'
import { CliError } from './errors.ts'
import type { CliIo } from './io.ts'

/** The commands, in the order of the help. */
const commands: readonly Register[] = [
  registerStart,
  registerDoctor,
  registerConfig,
  registerLogin,
  registerInit,
  registerDev,
  registerProject,
  registerDevice,
  registerOperator,
  registerApplet,
  registerCron,
  registerFlow,
  registerTraffic,
  registerPublish,
  registerLogs,
  registerReceipt,
  registerEffect,
  registerVfs,
  registerSnapshot,
  registerReplay,
]

/**
 * The whole command line, as commander sees it. Commands load what they need when they run, so that `--help` answers at
 * once.
 */
export function createProgram(io: CliIo, version: string): Command {
  const program = new Command('w3bstream')
    .description('Connects data of the physical world to blockchains.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command, with examples')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: () => {} })
  program.addHelpText(
    'after',
    examples(
      ['w3bstream start', 'runs a node here'],
      ['w3bstream login', 'in another terminal; the start has shown the password'],
      ['w3bstream init weather', 'a project with an applet to begin with'],
      ['w3bstream project deploy', 'in its folder: brings it to the node'],
      ["w3bstream publish -p weather -d station-1 --data '{}'", 'sends an event, as a device does'],
      ['w3bstream project deploy --help', 'every command explains itself'],
    ),
  )
  for (const register of commands) register(program, io)
  inherit(program)
  return program
}

/** Commander hands these settings on only to commands that are made by it, and before they get children of their own. */
function inherit(parent: Command): void {
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent)
    inherit(child)
  }
}

/** A complaint of the parser as an error of ours; undefined for what is none: help and version. */
export function usageError(error: unknown): CliError | undefined {
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'commander.helpDisplayed' || code === 'commander.help' || code === 'commander.version') return undefined
  return new CliError({ code: 'CLI_USAGE', detail: String(message).replace(/^error: /, '') })
}
