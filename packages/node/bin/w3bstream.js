#!/usr/bin/env node
// The command as npm links it. It stands in the repository, so that the link exists before the first build.
import { existsSync } from 'node:fs'

const wanted = 24
const built = new URL('../dist/cli.js', import.meta.url)

if (Number.parseInt(process.versions.node, 10) < wanted) {
  console.error(
    `w3bstream needs Node.js ${wanted} or newer; this is ${process.version}. In a checkout, use: npx w3bstream`,
  )
  process.exit(1)
}
if (!existsSync(built)) {
  console.error('w3bstream is not built yet; in the checkout run: npm run build')
  process.exit(1)
}
const { runProcess } = await import(built.href)
await runProcess()
