/** The server program by itself: `node apps/server/src/main.ts [options]`. */
import { serve } from './serve.ts'

process.exitCode = await serve(process.argv.slice(2), process.env)
