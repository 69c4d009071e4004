/** The codes that a file of errors defines: members of unions of faults, and of unions of codes. */
export function errorCodes(source: string): string[] {
  const withoutComments = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  const inFaults = [...withoutComments.matchAll(/\bcode: ('[A-Z][A-Z0-9_]+'(?:\s*\|\s*'[A-Z][A-Z0-9_]+')*)/g)].map(
    (match) => match[1] ?? '',
  )
  const inUnions = [
    ...withoutComments.matchAll(
      /^export type \w*Code\b\s*=([^=]*?)(?=^export|^const|^class|^function|^type|^interface|(?![\s\S]))/gm,
    ),
  ].map((match) => match[1] ?? '')
  const codes = [...inFaults, ...inUnions].flatMap((text) =>
    [...text.matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map((match) => match[1] ?? ''),
  )
  return [...new Set(codes)]
}
