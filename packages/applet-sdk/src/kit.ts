import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

export const kitName = '@w3bstream/applet-sdk'

/** The folder of this package, also when this code was bundled into another one. */
export function kitDirectory(): string {
  // The package's entry is `assembly/index.ts`.
  return dirname(dirname(createRequire(import.meta.url).resolve(kitName)))
}

export function kitVersion(): string {
  return JSON.parse(readFileSync(join(kitDirectory(), 'package.json'), 'utf8')).version
}

/** Whether the applet has a kit of its own, in its `node_modules` or one above. */
export function kitInstalledFor(directory: string): boolean {
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules', kitName, 'index.ts'))) return true
    if (dirname(at) === at) return false
  }
}
