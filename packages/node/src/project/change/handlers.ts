import type { ProjectChange } from '../definition.ts'
import { appletChanges } from './applet.ts'
import type { ChangeHandlers } from './application.ts'
import { configChanges } from './config.ts'
import { cronChanges } from './cron.ts'
import { instanceChanges } from './instance.ts'
import { projectChanges } from './project.ts'
import { publisherChanges } from './publisher.ts'
import { settingsChanges } from './settings.ts'
import { strategyChanges } from './strategy.ts'
import { trafficChanges } from './traffic.ts'
import { versionChanges } from './version.ts'

/** All changes but `all`, which consists of others. A new kind of thing is a file and a line here. */
export const changeHandlers: ChangeHandlers<Exclude<ProjectChange['op'], 'all'>> = {
  ...projectChanges,
  ...settingsChanges,
  ...configChanges,
  ...appletChanges,
  ...versionChanges,
  ...instanceChanges,
  ...strategyChanges,
  ...publisherChanges,
  ...cronChanges,
  ...trafficChanges,
}
