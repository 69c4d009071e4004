import { examples, type Register } from '../../define.ts'
import { registerCronAdd } from './add.ts'
import { registerCronList } from './list.ts'
import { registerCronNext } from './next.ts'
import { registerCronRemove } from './remove.ts'

export const registerCron: Register = (parent, io) => {
  const group = parent.command('cron').description('events that the node makes by the clock')
  group.addHelpText(
    'after',
    examples(
      ["w3bstream cron add '@hourly' --event HOUR -p weather", 'an event of type HOUR every hour'],
      ['w3bstream cron list -p weather', 'the jobs with their next firings'],
    ),
  )
  for (const register of [registerCronAdd, registerCronList, registerCronNext, registerCronRemove]) register(group, io)
}
