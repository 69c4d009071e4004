import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second of `/proc`, the same on every Linux that Node.js runs on. */
const ticksPerSecond = 100

/** Seconds of processor time that a process took so far, all its threads together. Linux only. */
export function cpuSeconds(pid: number): number {
  return readCpuSeconds(`/proc/${pid}/stat`)
}

/** The same for each thread, by its number; that of the main thread is the process's. Linux only. */
export function threadCpuSeconds(pid: number): Map<number, number> {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number)
  return new Map(threads.map((thread) => [thread, readCpuSeconds(`/proc/${pid}/task/${thread}/stat`)]))
}

function readCpuSeconds(file: string): number {
  const stat = readFileSync(file, 'utf8')
  // The name in parentheses may hold blanks; user and system time are fields 14 and 15 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Memory of a process that is in RAM now, MiB. Linux only. */
export function residentMiB(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1]) / 1024
}
