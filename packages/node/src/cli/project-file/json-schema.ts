import { projectFileSchema } from './schema.ts'

/** The project file's schema for editors: JSON Schema 2020-12, as the text of `docs/build/project-file.schema.json`. */
export function projectFileJsonSchema(): string {
  const document = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...projectFileSchema }
  return `${JSON.stringify(document, null, 2)}\n`
}
