import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** Where and when a run took place. */
export function describeEnvironment(): Record<string, string> {
  const processors = cpus()
  return {
    date: new Date().toISOString(),
    cpu: processors[0]?.model ?? 'unknown',
    cores: `${processors.length}`,
    memoryMiB: `${Math.round(totalmem() / 2 ** 20)}`,
    node: process.version,
    kernel: release(),
    /** Processes that wanted a processor in the last minute before the run; above 0.5 the machine was not idle. */
    loadAtStart: loadavg()[0]!.toFixed(2),
    commit: commit(),
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    }).trim()
  } catch {
    return 'unknown'
  }
}
