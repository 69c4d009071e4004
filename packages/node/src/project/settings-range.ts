import { parseHostPattern } from '../util/host-pattern.ts'
import type { ProjectSettings } from './definition.ts'

/**
 * What an owner may choose, least and most: threads, memory and disk are shared with other projects. Part of the protocol, so
 * that every member refuses alike.
 */
const limitRanges: Readonly<Record<keyof ProjectSettings['limits'], readonly [number, number]>> = {
  fuel: [1000, 1_000_000_000_000],
  stackBytes: [4096, 768 * 1024],
  tableEntries: [0, 1_000_000],
  memoryPages: [1, 8192],
  wallClockMs: [1, 60_000],
  logLines: [0, 100_000],
  logLineBytes: [1, 65_536],
  hostCalls: [0, 1_000_000_000],
  transferBytes: [1, 16 * 1024 * 1024],
  kvValueBytes: [1, 16 * 1024 * 1024],
  kvKeyBytes: [1, 4096],
  sqlRows: [1, 100_000],
  sqlResultBytes: [1, 16 * 1024 * 1024],
  effects: [0, 1024],
  fileBytes: [0, 16 * 1024 * 1024],
  files: [0, 1_000_000],
  projectFileBytes: [0, 16 * 1024 ** 3],
  scratchBytes: [0, 256 * 1024 * 1024],
}

/** Least and most, milliseconds: a signed message must be known again for as long as its time is believed, then 400 days. */
const idempotencyWindowRange = [600_000, 400 * 86_400_000] as const

/** The first setting that is out of its range, with what would be right. */
export function settingsProblem(settings: ProjectSettings): string | undefined {
  const { limits, idempotencyWindowMs, weight, outboundHosts } = settings
  const problems = Object.entries(limitRanges).map(([name, range]) =>
    outside(`settings.limits.${name}`, limits[name as keyof typeof limitRanges], range),
  )
  problems.push(outside('settings.idempotencyWindowMs', idempotencyWindowMs, idempotencyWindowRange))
  problems.push(outside('settings.weight', weight, [1, 1000]))
  problems.push(outboundProblem(outboundHosts))
  return problems.find((problem) => problem !== undefined)
}

/** Hosts of a project at most: each call of the web looks through them. */
const maxOutboundHosts = 100

function outboundProblem(hosts: readonly string[]): string | undefined {
  if (hosts.length > maxOutboundHosts)
    return `settings.outboundHosts: ${hosts.length} hosts, at most ${maxOutboundHosts}`
  const problem = hosts.map(hostProblem).find((found) => found !== undefined)
  return problem && `settings.outboundHosts: ${problem}`
}

/** What is wrong with an entry of `outboundHosts`. */
export function hostProblem(host: string): string | undefined {
  if (parseHostPattern(host) !== undefined) return undefined
  return `${host} is no host such as api.example.com, *.example.com or 192.0.2.7:8080`
}

function outside(field: string, value: number, [least, most]: readonly [number, number]): string | undefined {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return undefined
  return `${field}: ${value} is not a whole number from ${least} to ${most}`
}
