import { defineConfig } from 'vitepress'

export default defineConfig({
  title: 'Couplet',
  description: 'A private messenger that you can host yourself. Its server remembers two messages.',
  lang: 'en',
  srcDir: 'dist-stage',
  outDir: 'dist',
  ignoreDeadLinks: 'localhostLinks',
  cacheDir: '../../node_modules/.cache/docs',
  head: [['link', { rel: 'icon', href: '/icon.svg', type: 'image/svg+xml' }]],
  markdown: {
    // Documents are text: what looks like a tag in them is meant as it stands.
    html: false,
    anchor: { slugify: slug },
  },
  themeConfig: {
    logo: '/icon.svg',
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Concepts', link: '/concepts' },
      { text: 'Command line', link: '/command-line' },
      { text: 'SDK', link: '/sdk' },
      { text: 'Hosting', link: '/self-hosting' },
      { text: 'Protocol', link: '/spec/' },
    ],
    sidebar: {
      '/spec/': [{ text: 'The protocol', items: SPECIFICATION() }],
      '/api/': [{ text: 'API reference', items: REFERENCE() }, ...GUIDE()],
      '/': GUIDE(),
    },
    docFooter: { prev: false, next: false },
  },
  vite: {
    build: {
      // The index of the search is one file, loaded when somebody searches.
      chunkSizeWarningLimit: 3000,
    },
  },
})

/** As the repository's own pages have it, so that one link holds in both. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')
}

function GUIDE() {
  return [
    {
      text: 'Use',
      items: [
        { text: 'Start', link: '/start' },
        { text: 'Concepts: why two?', link: '/concepts' },
        { text: 'States of a message', link: '/delivery-states' },
        { text: 'Command line', link: '/command-line' },
        { text: 'Web client', link: '/web-client' },
        { text: 'Comparison', link: '/comparison' },
      ],
    },
    {
      text: 'Build',
      items: [
        { text: 'SDK', link: '/sdk' },
        { text: 'API reference', link: '/api/' },
        { text: 'Daemon', link: '/daemon' },
        { text: 'Examples', link: '/examples' },
      ],
    },
    {
      text: 'Host',
      items: [
        { text: 'Self-hosting', link: '/self-hosting' },
        { text: 'Configuration', link: '/configuration' },
        { text: 'Operations', link: '/operations' },
        { text: 'More machines', link: '/cluster' },
        { text: 'How far it scales', link: '/scale' },
      ],
    },
    {
      text: 'Judge',
      items: [
        { text: 'Threat model', link: '/spec/threat-model' },
        { text: 'The protocol', link: '/spec/' },
        { text: 'Architecture', link: '/ARCHITECTURE' },
        { text: 'Torture report', link: '/torture-report' },
        { text: 'Benchmarks', link: '/benchmarks' },
        { text: 'Security', link: '/security' },
        { text: 'Contributing', link: '/contributing' },
        { text: 'Changes', link: '/changes' },
      ],
    },
  ]
}

function SPECIFICATION() {
  return [
    ['Overview', ''],
    ['Threat model', 'threat-model'],
    ['Conventions', 'conventions'],
    ['Constants', 'constants'],
    ['Identities and prekeys', 'identity'],
    ['Handshake', 'handshake'],
    ['Session', 'session'],
    ['Message', 'message'],
    ['Receipts', 'receipts'],
    ['Safety numbers', 'safety-number'],
    ['HTTP API', 'http-api'],
    ['Socket', 'socket'],
    ['Mailbox', 'mailbox'],
    ['Delivery', 'delivery'],
    ['Export', 'export'],
    ['Errors', 'errors'],
    ['Vectors', 'vectors/'],
    ['Models', 'models/'],
  ].map(([text, path]) => ({ text: text!, link: `/spec/${path}` }))
}

function REFERENCE() {
  const names = ['client', 'client/node', 'client/web', 'protocol', 'protocol/node', 'protocol/web']
  return [
    { text: 'Overview', link: '/api/' },
    ...[...names, 'server', 'server/nats', 'wire'].map((name) => ({
      text: `@couplet/${name}`,
      link: `/api/@couplet/${name}`,
    })),
  ]
}
