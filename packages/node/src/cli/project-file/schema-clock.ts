import { Type } from 'typebox'
import { missedPolicies } from '../../project/definition.ts'

/** Events that the node makes by the clock. */
export const cronSchema = Type.Array(
  Type.Object(
    {
      schedule: Type.String({
        minLength: 1,
        maxLength: 256,
        description:
          'When, in UTC: five fields, six with seconds first, @yearly to @hourly, or @every with a duration such as 10m.',
      }),
      event: Type.Optional(
        Type.String({ minLength: 1, maxLength: 255, description: 'Type of the events. Default DEFAULT.' }),
      ),
      missed: Type.Optional(
        Type.Enum([...missedPolicies], {
          description:
            'What becomes of times at which the node did not run or the project was paused: none, the last, or all (at most 1000) are made up for. Default once.',
        }),
      ),
    },
    { additionalProperties: false, description: 'A cron job.' },
  ),
  { maxItems: 100, description: 'All cron jobs; others of the project are removed.' },
)

const per = Type.String({
  pattern: '^(\\d{1,9}(\\.\\d{1,9})?(ms|s|m|h|d))+$',
  maxLength: 64,
  description: 'Length of a period, such as 1m, 1h, 24h.',
})
const amount = (description: string) => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description })
const events = (description: string) =>
  Type.Object({ events: amount('Events in each period.'), per }, { additionalProperties: false, description })

/** How much may be sent. */
export const trafficSchema = Type.Object(
  {
    project: Type.Optional(events('All devices together; an administrator deploys it.')),
    device: Type.Optional(events('Each device.')),
    transactions: Type.Optional(
      Type.Object(
        { count: amount('Transactions in each period.'), per },
        { additionalProperties: false, description: 'What applets send to chains; an administrator deploys it.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'Traffic limits; those left out stay as they are on the node.' },
)
