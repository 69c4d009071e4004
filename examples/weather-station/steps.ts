/** Shows how far the work has come: in place on a terminal, as plain lines in a log. */
import { Listr } from 'listr2'

/** Tells what the step is doing now. */
export type Say = (text: string) => void

/** Output of a log is a line each time: at most one in this many milliseconds. */
const logEveryMs = 2000

const plain = !process.stdout.isTTY || process.env.CI !== undefined

/**
 * Runs one step of the work.
 * @param done what to say when it has succeeded
 * @throws what the work throws
 */
export async function step<T>(title: string, work: (say: Say) => Promise<T>, done?: (result: T) => string): Promise<T> {
  let result: { readonly value: T } | undefined
  const tasks = new Listr(
    [
      {
        title,
        task: async (_, task) => {
          const say = (text: string) => {
            task.output = text
          }
          result = { value: await work(plain ? rarely(say) : say) }
          if (done) task.title = `${title}: ${done(result.value)}`
        },
      },
    ],
    {
      registerSignalListeners: false,
      fallbackRendererCondition: plain,
      rendererOptions: { showErrorMessage: false, collapseErrors: false },
    },
  )
  await tasks.run()
  return result!.value
}

function rarely(say: Say): Say {
  let next = Date.now() + logEveryMs
  return (text) => {
    if (Date.now() < next) return
    next = Date.now() + logEveryMs
    say(text)
  }
}
