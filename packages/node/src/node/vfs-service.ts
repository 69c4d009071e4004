import { Gauge } from 'prom-client'
import type { Service } from '../endpoint/endpoint.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { VfsKeeper } from '../vfs/keeper.ts'
import type { Vfs } from '../vfs/vfs.ts'

const dayMs = 24 * 3_600_000

/** Removes files that nothing refers to when the node starts, and then daily. */
export function createVfsService(deps: { vfs: Vfs; keeper: VfsKeeper; logger: Logger; metrics: Metrics }): Service {
  const { keeper, logger } = deps
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  registerGauges(deps)

  async function collect(): Promise<void> {
    try {
      const { files, bytes, young } = await keeper.collect({ signal: stop.signal })
      if (files > 0) logger.info('files that nothing refers to were removed', { files, bytes, young })
    } catch (error) {
      if (!stop.signal.aborted) logger.error('files that nothing refers to could not be removed', {}, error)
    }
  }
  return {
    name: 'vfs',
    async start() {
      running = collect()
      timer = setInterval(() => {
        running = collect()
      }, dayMs).unref()
    },
    async stop() {
      clearInterval(timer)
      stop.abort()
      await running
    },
  }
}

function registerGauges({ vfs, metrics }: { vfs: Vfs; metrics: Metrics }): void {
  const registers = [metrics]
  new Gauge({
    name: 'w3b_vfs_files',
    help: 'Files of the VFS.',
    labelNames: [],
    registers,
    async collect() {
      this.set((await vfs.usage()).files)
    },
  })
  new Gauge({
    name: 'w3b_vfs_bytes',
    help: 'Bytes of the VFS, with what was derived from its files.',
    labelNames: [],
    registers,
    async collect() {
      this.set((await vfs.usage()).bytes)
    },
  })
}
