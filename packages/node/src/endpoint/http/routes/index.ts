import type { RouteContext } from '../context.ts'
import type { Route } from '../route.ts'
import { accessKeyRoutes } from './access-key.ts'
import { accountRoutes } from './account.ts'
import { appletRoutes } from './applet.ts'
import { appletVersionRoutes } from './applet-version.ts'
import { configurationRoutes } from './configuration.ts'
import { cronJobRoutes } from './cronjob.ts'
import { deployRoutes } from './deploy.ts'
import { fileRoutes } from './file.ts'
import { flowRoutes } from './flow.ts'
import { loginRoutes } from './login.ts'
import { operatorRoutes } from './operator.ts'
import { projectRoutes } from './project.ts'
import { projectConfigRoutes } from './project-config.ts'
import { projectDatabaseRoutes } from './project-database.ts'
import { projectDefinitionRoutes } from './project-definition.ts'
import { projectEventsRoutes } from './project-events.ts'
import { projectOperatorRoutes } from './project-operator.ts'
import { publisherRoutes } from './publisher.ts'
import { receiptRoutes } from './receipt.ts'
import { resourceRoutes } from './resource.ts'
import { stateRoutes } from './state.ts'
import { strategyRoutes } from './strategy.ts'
import { trafficRoutes } from './traffic.ts'
import { vfsRoutes } from './vfs.ts'
import { wasmLogRoutes } from './wasm-log.ts'

/** The management API, group by group. */
const groups = [
  loginRoutes,
  accountRoutes,
  accessKeyRoutes,
  projectRoutes,
  projectDefinitionRoutes,
  projectConfigRoutes,
  flowRoutes,
  projectDatabaseRoutes,
  projectEventsRoutes,
  appletRoutes,
  appletVersionRoutes,
  deployRoutes,
  strategyRoutes,
  cronJobRoutes,
  trafficRoutes,
  publisherRoutes,
  resourceRoutes,
  fileRoutes,
  vfsRoutes,
  operatorRoutes,
  projectOperatorRoutes,
  configurationRoutes,
  wasmLogRoutes,
  receiptRoutes,
  stateRoutes,
]

export function managementRoutes(context: RouteContext): Route[] {
  return groups.flatMap((group) => group(context))
}
