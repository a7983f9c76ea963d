/**
 * The command line as few files, for its package: a short command spends most of its time on finding
 * and loading modules, and as many of them as the sources have cost more than what they do.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build, type Plugin } from 'vite'

const ROOT = dirname(import.meta.dirname)

/** Stays outside: it has a web client beside it, and threads of its own. */
const SERVER = '@couplet/server-app'

/**
 * Writes the program into a folder, and the licences of what others wrote of it.
 *
 * @returns the packages that it still needs beside it.
 */
export async function bundleCommandLine(folder: string): Promise<readonly string[]> {
  const result = await build({
    configFile: false,
    root: join(ROOT, 'apps/cli'),
    logLevel: 'error',
    plugins: [outside(SERVER), builtinsByName()],
    ssr: {
      noExternal: true,
      resolve: { conditions: ['source', 'node', 'module', 'import', 'default'] },
    },
    build: {
      ssr: join(ROOT, ENTRY),
      target: 'es2024',
      outDir: folder,
      emptyOutDir: true,
      rolldownOptions: {
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: '[name].js',
          codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: fileOf }] },
        },
      },
    },
  })
  if (!('output' in result)) throw new Error('one build has one output')
  for (const file of result.output) {
    if (file.type === 'chunk' && /^import .*"node:/m.test(file.code)) {
      throw new Error(`${file.fileName} imports a module of Node’s`)
    }
  }
  const modules = result.output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), licencesOf(modules))
  return [SERVER]
}

/**
 * What every command loads is one file, what opens a home another. The rest is split as it is used:
 * each command has its file.
 */
function fileOf(id: string, graph: Graph): string | null {
  const reachable = (from: string, found = new Set<string>()): Set<string> => {
    if (found.has(from)) return found
    found.add(from)
    for (const next of graph.getModuleInfo(from)?.importedIds ?? []) reachable(next, found)
    return found
  }
  // What comes before the cache of compiled code is there must stay small.
  if (reachable(join(ROOT, ENTRY)).has(id)) return null
  for (const [name, ...roots] of FILES) {
    if (roots.some((root) => reachable(join(ROOT, root)).has(id))) return name
  }
  return null
}

interface Graph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null
}

const ENTRY = 'apps/cli/src/main.ts'
const FILES = [
  ['program', 'apps/cli/src/cli.ts'],
  ['home', 'apps/cli/src/home.ts', 'packages/client/src/node/index.ts'],
] as const

/** Left alone, whether it is compiled here or not. */
function outside(name: string): Plugin {
  return {
    name: 'outside',
    enforce: 'pre',
    resolveId: (id) => (id === name ? { id, external: true } : undefined),
  }
}

/**
 * `import` of a module of Node's reads every name that it exports, and some names load as much again:
 * all of WebCrypto with `node:crypto`, MIME types with `node:util`. Asked for by name, they load nothing
 * that is not used.
 */
function builtinsByName(): Plugin {
  return {
    name: 'builtins-by-name',
    renderChunk: (code) => ({
      code: code.replace(IMPORT_OF_BUILTIN, (_, all?: string, names?: string, module?: string) =>
        [all?.replace('* as ', ''), names?.replaceAll(' as ', ': ')]
          .filter((bound) => bound !== undefined)
          .map((bound) => `const ${bound} = process.getBuiltinModule("${module}");`)
          .join('\n'),
      ),
      map: null,
    }),
  }
}

/** As the bundler writes them: of everything, of names, or of both. */
const IMPORT_OF_BUILTIN = /^import (\w+|\* as \w+)?(?:, )?(\{[^}]*\})? from "(node:[^"]+)";$/gm

function licencesOf(modules: readonly string[]): string {
  const packages = new Set(modules.flatMap((id) => PACKAGE_FOLDER.exec(id)?.[0] ?? []))
  return [...packages].toSorted().map(licenceOf).join('\n')
}

function licenceOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  if (!file) throw new Error(`${name} has no licence in its package`)
  return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
}

const PACKAGE_FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/
