import type { ShapeProblem } from './check-shape.ts'
import type { ProjectFile } from './schema.ts'

/**
 * What the format knows and this version of the node cannot honour. A deployment refuses it: ignoring it would let the owner
 * believe that data is archived, or that several nodes agree, when it is not so.
 */
export function unsupported(file: ProjectFile): ShapeProblem[] {
  const problems: ShapeProblem[] = []
  const refuse = (path: (string | number)[], message: string) => problems.push({ path, message })
  if (file.consensus && file.consensus.kind !== 'poa')
    refuse(
      ['consensus', 'kind'],
      `${file.consensus.kind} lets several nodes agree, and this version runs a project on one node; write poa, or remove the section`,
    )
  if ((file.minNodes ?? 1) > 1) refuse(['minNodes'], 'this version runs a project on one node')
  if (file.retention && Object.keys(file.retention).length > 0)
    refuse(['retention'], 'this version keeps all data; remove the section')
  if (file.facts && file.facts.length > 0) refuse(['facts'], 'this version proves no facts; remove the section')
  return problems
}
