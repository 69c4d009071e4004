import type { Executor, ExecutorServices } from '../executor.ts'
import { ProjectThread, type ProjectThreadDeps } from '../project-thread.ts'

/** Executes in the calling thread: for tests and tools. Nothing stops a handler that loops. */
export function createInlineExecutor(
  deps: Omit<ProjectThreadDeps, 'progressOf'> & { services: ExecutorServices },
): Executor {
  const thread = new ProjectThread({ ...deps, progressOf: () => ({ enter() {}, leave() {}, pause: () => 0 }) })
  const ignore = (error: unknown) => queueMicrotask(() => Promise.reject(error))
  return {
    start: () => Promise.resolve(),
    open: (project) => thread.open(project),
    execute: (batch) => thread.execute(batch, []),
    updateOutbox: (project, changes) => void thread.updateOutbox(project, changes).catch(ignore),
    putCertificate: (project, height, certificate) =>
      void thread.putCertificate(project, height, certificate).catch(ignore),
    removeLogs: (project, instanceId) => thread.removeLogs(project, instanceId),
    inspectModule: (wasm) => Promise.resolve().then(() => thread.inspectModule(wasm)),
    close: (project) => thread.close(project),
    stop: () => thread.stop(),
  }
}
