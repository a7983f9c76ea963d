/** Writes docs/configuration.md. */
import { writeFileSync } from 'node:fs'
import { referencePage } from './reference.ts'

writeFileSync(new URL('../../../docs/configuration.md', import.meta.url), referencePage())
