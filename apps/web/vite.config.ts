/**
 * The build of the web client: static files with hashed names, nothing inline, so that the server's
 * strict Content-Security-Policy holds (no `unsafe-inline`, no `data:`, nothing from elsewhere).
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Plugin, type UserConfig } from 'vite'

/** Made by the service worker's author when it exists; it must lie at the root, under its own name. */
const SERVICE_WORKER = join(import.meta.dirname, 'src/platform/service-worker.ts')

/**
 * Puts the list of the app's files, and a hash of all of them, into the service worker: it changes
 * with any of them, and so the browser finds a new version.
 */
function precache(): Plugin {
  return {
    name: 'couplet-precache',
    enforce: 'post',
    generateBundle(_, bundle) {
      const files = Object.values(bundle).filter(({ fileName }) => isPrecached(fileName))
      const hash = createHash('sha256')
      for (const file of files.toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
        hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source)
      }
      for (const name of PUBLIC_FILES) {
        hash.update(readFileSync(join(import.meta.dirname, 'public', name)))
      }
      const paths = [...files.map(({ fileName }) => fileName), ...PUBLIC_FILES]
      // Inside a literal of text, whatever its quotes.
      const list = JSON.stringify(paths.map((path) => `/${path}`))
      const worker = bundle['service-worker.js']
      if (worker?.type !== 'chunk') return
      worker.code = worker.code
        .replace('__PRECACHE__', JSON.stringify(list).slice(1, -1))
        .replace('__VERSION__', hash.digest('hex').slice(0, 16))
    },
  }
}

function isPrecached(name: string): boolean {
  return name !== 'service-worker.js' && !name.endsWith('.map')
}

const PUBLIC_FILES = readdirSync(join(import.meta.dirname, 'public')).toSorted()

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  plugins: [precache()],
  resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
  build: {
    target: 'es2023',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: {
        app: join(import.meta.dirname, 'index.html'),
        ...(existsSync(SERVICE_WORKER) && { 'service-worker': SERVICE_WORKER }),
      },
      output: {
        entryFileNames: ({ name }) =>
          name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js',
      },
    },
  },
  server: { proxy: { '/v1': { target: 'http://localhost:8080', ws: true, changeOrigin: true } } },
})

export default config
