#!/usr/bin/env node
// The command as npm links it. It stands in the repository, so that the link exists before the first build.
import { existsSync } from 'node:fs'

const built = new URL('../dist/cli.js', import.meta.url)

if (!existsSync(built)) {
  console.error('w3bstream is not built yet; in the checkout run: npm run build')
  process.exit(1)
}
// It checks the version of Node.js.
await import(built.href)
