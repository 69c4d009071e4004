import type { ProjectRecord } from '../definition.ts'
import { type Accepted, type Application, type Change, type ChangeHandlers, given, Refused } from './application.ts'

export const projectChanges: ChangeHandlers<'project.create' | 'project.update'> = {
  'project.create': create,
  'project.update': update,
}

function create(application: Application, change: Change<'project.create'>): Accepted {
  if (application.editor.single('project')) throw new Refused('ProjectNameConflict', 'the project exists')
  const record: ProjectRecord = {
    projectId: change.projectId,
    accountId: change.accountId,
    name: change.name,
    public: change.public ?? false,
    version: change.version ?? '',
    protocol: change.protocol ?? '',
    description: change.description ?? '',
    state: 'active',
    ...application.stamp,
  }
  return { ...application.put('project', record), id: record.projectId }
}

function update(application: Application, { op: _, ...fields }: Change<'project.update'>): Accepted {
  const record = application.editor.single<ProjectRecord>('project')!
  return application.put('project', { ...record, ...given(fields), updatedMs: application.context.timeMs })
}
