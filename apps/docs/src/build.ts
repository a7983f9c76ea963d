/** `npm run docs`: the site, in `apps/docs/dist`. Fails on a dead link and on every warning. */
import { dirname, join } from 'node:path'
import { build } from 'vitepress'
import { writeReference } from './reference.ts'
import { stage } from './stage.ts'

const HERE = dirname(import.meta.dirname)
const ROOT = dirname(dirname(HERE))
const STAGE = join(HERE, 'dist-stage')

stage(ROOT, STAGE)
await writeReference(ROOT, join(STAGE, 'api'))
await build(HERE)
