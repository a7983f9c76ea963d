/**
 * The build of the web client: static files with hashed names, nothing inline, so that the server's
 * strict Content-Security-Policy holds (no `unsafe-inline`, no `data:`, nothing from elsewhere).
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type UserConfig } from 'vite'

/** Made by the service worker's author when it exists; it must lie at the root, under its own name. */
const SERVICE_WORKER = join(import.meta.dirname, 'src/platform/service-worker.ts')

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
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
