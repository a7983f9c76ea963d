/** `npm run docs`: the site is built without a warning, and every link and anchor leads somewhere. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { beforeAll, expect, test } from 'vitest'

const ROOT = dirname(import.meta.dirname)
const SITE = join(ROOT, 'apps', 'docs', 'dist')
const pages = new Map<string, string>()
let said = ''

beforeAll(() => {
  const build = ['--conditions=source', join(ROOT, 'apps/docs/src/build.ts')]
  const env = { PATH: process.env.PATH, NO_COLOR: '1' }
  said = execFileSync(process.execPath, build, { cwd: ROOT, encoding: 'utf8', env })
  for (const name of readdirSync(SITE, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.html')) pages.set(name, readFileSync(join(SITE, name), 'utf8'))
  }
}, 300_000)

test('nothing is warned of', () => {
  expect(said).toContain('build complete')
  expect(said.split('\n').filter((line) => /warn|\(!\)|error/i.test(line))).toEqual([])
})

test('every part of it is there', () => {
  for (const page of [
    'index.html',
    'start.html',
    'concepts.html',
    'command-line.html',
    'comparison.html',
    'self-hosting.html',
    'spec/index.html',
    'spec/threat-model.html',
    'api/index.html',
    'examples.html',
  ]) {
    expect([...pages.keys()]).toContain(page)
  }
  expect(pages.get('api/@couplet/client.html')).toContain('id="markverified"')
})

test('every link leads to a page, and every anchor to a place on it', () => {
  const dead: string[] = []
  for (const [page, html] of pages) {
    for (const [, href] of html.matchAll(/<a\s[^>]*?href="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(href!)) continue
      const [path = '', anchor] = decodeURI(href!.replaceAll('&amp;', '&')).split('#')
      const target = path === '' ? page : targetOf(page, path)
      const there = pages.get(target) ?? (existsSync(join(SITE, target)) ? '' : undefined)
      const isThere = there !== undefined && (!anchor || there.includes(`id="${anchor}"`))
      if (!isThere) dead.push(`${page}: ${href}`)
    }
  }
  expect(dead).toEqual([])
})

test('nothing comes from elsewhere: no font, script, style or picture', () => {
  for (const [page, html] of pages) {
    const loaded = Array.from(
      html.matchAll(/<(?:script|img|link|iframe)\s[^>]*?(?:src|href)="([^"]*)"/g),
      ([, address]) => address!,
    )
    expect(
      loaded.filter((address) => /^(?:https?:)?\/\//.test(address)),
      page,
    ).toEqual([])
  }
  for (const name of readdirSync(SITE, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.css')) continue
    const css = readFileSync(join(SITE, name), 'utf8')
    expect(css.match(/(?:url\(|@import )["']?https?:/g), name).toBeNull()
  }
})

/** The file of a link, from the page that it is on. */
function targetOf(page: string, path: string): string {
  const absolute = path.startsWith('/')
    ? path.slice(1)
    : relative('/', join('/', dirname(page), path))
  return absolute === '' || absolute.endsWith('/') ? `${absolute}index.html` : absolute
}
