import Type, { type Static } from 'typebox'
import type { ProjectEntry } from '../../../project/project.ts'
import type { Operator } from '../../../wallet/wallet.ts'
import { ApiError } from '../../api-error.ts'
import type { RouteContext } from '../context.ts'
import { type Route, route } from '../route.ts'
import { Id } from '../schema.ts'
import { OperatorRow, operatorRow, ownOperator } from './operator.ts'

const BindingRow = Type.Object({ projectID: Id, ...OperatorRow.properties })
const byProject = Type.Object({ projectID: Id })
const group = 'Project Operator'

export function projectOperatorRoutes({ deps: { wallet }, own }: RouteContext): Route[] {
  return [
    route({
      method: 'POST',
      path: '/project_operator/:projectID/:operatorID',
      summary: 'Bind an operator to a project: its transactions are sent by it',
      group,
      params: Type.Object({ projectID: Id, operatorID: Id }),
      answer: BindingRow,
      handle: async ({ params, account }) => {
        const entry = own.projectById(account, params.projectID)
        const operator = ownOperator(wallet, account.accountId, params.operatorID)
        if (wallet.boundOperator(entry.projectId)) throw new ApiError('ProjectOperatorConflict', entry.projectId)
        await wallet.bindOperator(entry.projectId, operator.operatorId)
        return row(entry, operator)
      },
    }),
    route({
      method: 'GET',
      path: '/project_operator/data/:projectID',
      summary: 'The operator of a project: the one bound to it, else `default`',
      group,
      params: byProject,
      answer: BindingRow,
      handle: ({ params, account }) => {
        const entry = own.projectById(account, params.projectID)
        const operator =
          wallet.boundOperator(entry.projectId) ??
          wallet.operators(account.accountId).find(({ name }) => name === 'default')
        if (!operator) throw new ApiError('ProjectOperatorNotFound', entry.projectId)
        return row(entry, operator)
      },
    }),
    route({
      method: 'DELETE',
      path: '/project_operator/:projectID',
      summary: 'Unbind the operator of a project',
      group,
      params: byProject,
      handle: async ({ params, account }) =>
        wallet.unbindOperator(own.projectById(account, params.projectID).projectId),
    }),
  ]
}

function row(entry: ProjectEntry, operator: Operator): Static<typeof BindingRow> {
  return { projectID: entry.projectId, ...operatorRow(operator) }
}
