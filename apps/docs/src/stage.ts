/**
 * Gathers the documents of this repository into one folder for VitePress. They are written to be read
 * where they lie, so their links are turned here: to the page that a document has on the site, and to
 * nothing where a file has none.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/** Copies every document that the site has. */
export function stage(root: string, into: string): void {
  rmSync(into, { recursive: true, force: true })
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  const pages = new Map(
    files.split('\n').flatMap((path) => {
      const page = pageOf(path)
      return page === undefined ? [] : [[path, page] as const]
    }),
  )
  for (const [path, page] of pages) {
    const target = join(into, page)
    mkdirSync(dirname(target), { recursive: true })
    if (!path.endsWith('.md')) cpSync(join(root, path), target)
    else writeFileSync(target, turned(readFileSync(join(root, path), 'utf8'), path, pages))
  }
}

/** Where a file of the repository is on the site; nowhere for most. */
function pageOf(path: string): string | undefined {
  if (path in SINGLE) return SINGLE[path]
  const [, inSite] = /^apps\/docs\/pages\/(.+)$/.exec(path) ?? []
  if (inSite !== undefined) return inSite
  const [, document] = /^docs\/(.+\.(?:md|svg|png))$/.exec(path) ?? []
  if (document !== undefined) return document
  return /^spec\/.+\.md$/.test(path) ? path.replace(/README\.md$/, 'index.md') : undefined
}

/** The document with links that hold on the site. */
function turned(text: string, path: string, pages: ReadonlyMap<string, string>): string {
  const page = pages.get(path)!
  const turn = (whole: string, words: string, to: string, anchor = ''): string => {
    if (/^[a-z]+:/.test(to) || to === '') return whole
    const target = posix.normalize(posix.join(posix.dirname(path), to)).replace(/\/$/, '')
    const found = pages.get(target) ?? pages.get(`${target}/README.md`)
    if (found === undefined) return words.startsWith('!') ? '' : words.slice(1, -1)
    return `${words}(${relative(page, found)}${anchor})`
  }
  return outsideCode(text, (prose) =>
    prose
      .replaceAll(/<!--.*?-->\n?/gs, '')
      .replaceAll(/(!?\[[^\]]*\])\(([^)\s#]*)(#[^)\s]*)?\)/g, turn),
  ).replaceAll(/^(```\w+) .*$/gm, '$1')
}

function outsideCode(text: string, change: (prose: string) => string): string {
  return text
    .split(/(^```.*?^```$)/gms)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('')
}

function relative(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to)
  return path.startsWith('.') ? path : `./${path}`
}

/** Pages from outside the folders of documents. */
const SINGLE: Readonly<Record<string, string>> = {
  'CHANGELOG.md': 'changes.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
  'bench/README.md': 'benchmarks.md',
  'examples/README.md': 'examples.md',
  'apps/web/public/icon.svg': 'public/icon.svg',
}
