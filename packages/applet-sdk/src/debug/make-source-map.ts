import { createHash } from 'node:crypto'
import { bodiesOf, functionNamesOf } from './sections.ts'
import type { SourceMapFile } from './source-map.ts'

/**
 * The map of a module, made of the compiler's.
 * @param modules.compiled with the section of names
 * @param modules.module as it is deployed; its code lies at the same offsets
 */
export function makeSourceMap(
  json: string,
  { compiled, module }: { compiled: Uint8Array; module: Uint8Array },
): SourceMapFile {
  const map = JSON.parse(json) as SourceMapFile
  return {
    version: 3,
    sources: map.sources,
    // The compiler's own library is in every installation of it.
    sourcesContent: map.sources.map((name, index) =>
      name.startsWith('~lib/') ? null : (map.sourcesContent?.[index] ?? null),
    ),
    names: map.names,
    mappings: map.mappings,
    x_codeHash: createHash('sha256').update(module).digest('hex'),
    x_functions: functionNamesOf(compiled),
    x_bodies: bodiesOf(module),
  }
}
