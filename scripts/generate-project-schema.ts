/** Writes the project file's JSON Schema, which editors use, from the schema that the command line checks with. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFileJsonSchema } from '../packages/node/src/cli/project-file/json-schema.ts'

writeFileSync(join(import.meta.dirname, '../docs/build/project-file.schema.json'), projectFileJsonSchema())
