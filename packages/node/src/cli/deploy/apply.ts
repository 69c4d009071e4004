import { basename } from 'node:path'
import type { ApiClient } from '../api-client.ts'
import { projectPath } from '../rows.ts'
import { applyChanges, fetchDefinition, unlessMissing } from './fetch-current.ts'
import type { Plan } from './plan.ts'
import type { Upload } from './plan-part.ts'
import type { DesiredAsset } from './state.ts'

/**
 * Carries a plan out: the project, the files that it reads, then all changes as one batch, then module by module with its routes, so that an applet
 * meets its tables and variables at its first event; then the flow, which names their functions. What fails leaves the steps before it done; running the deployment
 * again does the rest.
 */
export async function applyPlan(api: ApiClient, project: string, plan: Plan): Promise<void> {
  if (plan.create) await api.post('/project', { name: project })
  for (const file of plan.files) await sendFile(api, file)
  if (plan.changes.length > 0) await applyChanges(api, project, plan.changes)
  for (const upload of plan.uploads) await send(api, project, upload)
  if (plan.afterUploads.length > 0) await applyChanges(api, project, plan.afterUploads)
  if (plan.operator) await bind(api, project, plan.operator.operatorId)
}

async function send(api: ApiClient, project: string, { appletId, applet, withStrategies }: Upload): Promise<void> {
  const { name, fileName, wasm, strategies, cache } = applet
  const info = { appletName: name, wasmName: fileName, wasmCache: cache, ...(withStrategies ? { strategies } : {}) }
  const form = new FormData()
  form.append('info', JSON.stringify(info))
  form.append('file', new Blob([new Uint8Array(wasm)], { type: 'application/wasm' }), fileName)
  if (appletId) await api.request('PUT', `/applet/${appletId}`, { body: form })
  else await api.request('POST', projectPath('/applet', project), { body: form })
}

async function sendFile(api: ApiClient, { path, bytes }: DesiredAsset): Promise<void> {
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(bytes)]), basename(path))
  await api.request('POST', '/file', { body: form })
}

async function bind(api: ApiClient, project: string, operatorId: string): Promise<void> {
  const { projectId } = (await fetchDefinition(api, project)).project
  // The API refuses a second binding, so the old one goes first.
  await unlessMissing(api.delete(`/project_operator/${projectId}`), 'ProjectOperatorNotFound')
  await api.post(`/project_operator/${projectId}/${operatorId}`)
}
