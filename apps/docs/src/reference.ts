/** The API reference: TypeDoc's pages of every package that is published, as Markdown. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application } from 'typedoc'

/** @throws when TypeDoc has anything to warn of: a link to nothing, a type that nobody can name. */
export async function writeReference(root: string, into: string): Promise<void> {
  const app = await Application.bootstrapWithPlugins({
    entryPoints: ENTRIES.map((path) => join(root, path)),
    basePath: root,
    // Emptied before it is written: never the default, which is `docs`.
    outputs: [{ name: 'markdown', path: into }],
    tsconfig: join(import.meta.dirname, '..', 'tsconfig.reference.json'),
    plugin: [import.meta.resolve('typedoc-plugin-markdown')],
    name: 'API reference',
    readme: 'none',
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    // The check of types is `npm run check`.
    skipErrorChecking: true,
    treatWarningsAsErrors: true,
    logLevel: 'Warn',
    validation: { notExported: false, invalidLink: true, notDocumented: false },
    ...PAGES,
  })
  const project = await app.convert()
  if (!project) throw new Error('TypeDoc could not read the packages')
  for (const module of project.children ?? []) module.name = importedAs(module.name)
  app.validate(project)
  await app.generateOutputs(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new Error('TypeDoc had something to say; see above')
  }
  repairAnchors(into)
}

/** The plugin numbers some anchors as if their heading stood twice on the page. */
function repairAnchors(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.md')) continue
    const path = join(folder, name)
    const text = readFileSync(path, 'utf8')
    const headings = Array.from(text.matchAll(/^#+ (\w+)$/gm), ([, word]) => word!.toLowerCase())
    const repaired = text.replaceAll(/\(#(\w+)-1\)/g, (link, word: string) =>
      headings.filter((heading) => heading === word).length === 1 ? `(#${word})` : link,
    )
    writeFileSync(path, repaired)
  }
}

/** `packages/client/src/node` is `@couplet/client/node` to whoever imports it. */
function importedAs(folder: string): string {
  return folder.replace(/^packages\/([^/]+)\/src/, '@couplet/$1')
}

/** Options of the plugin, which TypeDoc's own type does not know. */
const PAGES: object = {
  entryFileName: 'index',
  outputFileStrategy: 'modules',
  hidePageTitle: false,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
}

const ENTRIES = [
  'packages/client/src/index.ts',
  'packages/client/src/node/index.ts',
  'packages/client/src/web/index.ts',
  'packages/protocol/src/index.ts',
  'packages/protocol/src/node/index.ts',
  'packages/protocol/src/web/index.ts',
  'packages/server/src/index.ts',
  'packages/server/src/nats/index.ts',
  'packages/wire/src/index.ts',
] as const
