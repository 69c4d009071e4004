import type { ShapeProblem } from './check-shape.ts'
import type { ProjectFile } from './schema.ts'

/** `${NAME}`; with a second `$` before it, it stands for itself. */
const placeholder = /(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/**
 * Fills the values of `env` from the environment of the deployment: what is known only then, and what does not belong into a
 * file under version control.
 * @param problems receives every name that the environment lacks
 */
export function fillVariables(
  file: ProjectFile,
  environment: Readonly<Record<string, string | undefined>>,
  problems: ShapeProblem[],
): ProjectFile {
  if (!file.env) return file
  const fill = ([key, value]: [string, string]) => {
    const filled = value.replace(placeholder, (text, escaped: string, name: string) => {
      if (escaped) return text.slice(1)
      const found = environment[name]
      if (found === undefined)
        problems.push({ path: ['env', key], message: `the environment variable ${name} is not set` })
      return found ?? ''
    })
    return [key, filled] as const
  }
  return { ...file, env: Object.fromEntries(Object.entries(file.env).map(fill)) }
}
