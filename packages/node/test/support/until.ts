import { setTimeout } from 'node:timers/promises'

/** How often a condition is looked at, milliseconds. */
const everyMs = 20

/**
 * Waits until `look` gives something other than undefined or false.
 * @throws Error naming what was waited for, after `withinMs`
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 20_000,
): Promise<T> {
  const end = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain: ${what}`)
    await setTimeout(everyMs)
  }
}
