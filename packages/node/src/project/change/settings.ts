import { defaultProjectSettings, type ProjectSettings } from '../definition.ts'
import { settingsProblem } from '../settings-range.ts'
import { type Change, type ChangeHandlers, given, Refused } from './application.ts'

export const settingsChanges: ChangeHandlers<'settings.put'> = {
  'settings.put': (application, { settings: change }) => {
    const settings = merge(application.editor.single('settings') ?? defaultProjectSettings, change)
    const problem = settingsProblem(settings)
    if (problem) throw new Refused('badRequest', problem)
    return application.put('settings', settings)
  },
}

function merge(base: ProjectSettings, change: Change<'settings.put'>['settings']): ProjectSettings {
  const { limits, ...rest } = change
  return { ...base, ...given(rest), limits: { ...base.limits, ...given(limits ?? {}) } }
}
