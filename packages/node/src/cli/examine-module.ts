import { CliError } from './errors.ts'

/**
 * Examines a module as the node would at its deployment.
 * @param name how messages call it
 * @returns its handlers, and the functions that REDUCE of a flow may name
 * @throws CliError CLI_CHECK_FAILED with the engine's complaint
 */
export async function examineModule(
  wasm: Uint8Array,
  name: string,
): Promise<{ readonly handlers: readonly string[]; readonly reducers: readonly string[] }> {
  const { createEngine } = await import('../engine/index.ts')
  try {
    return createEngine().prepare(wasm)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliError(
      { code: 'CLI_CHECK_FAILED', detail: `applet ${name} cannot be deployed: ${reason}` },
      { cause: error },
    )
  }
}
