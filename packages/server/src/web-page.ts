/** The page at `/`: what this server is, how to register, whether it is well. Works without script. */
import type { ServerInfo } from '@couplet/wire'

export interface PageFacts {
  /** Where this server is reached, as clients type it. */
  readonly url: string
  readonly info: ServerInfo
  readonly ready: boolean
}

export function page({ url, info, ready }: PageFacts): string {
  const server = escapeHtml(url)
  const remembers = `The server remembers ${count(info.capacity)}.`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Couplet server</title>
<meta name="description" content="A private messenger that you can host yourself. ${remembers}">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<main>
<header>
<p class="name"><img src="/icon.svg" alt="" width="28" height="28"> Couplet</p>
<h1>Private messages. ${remembers}</h1>
<p class="lead">This is a Couplet server. People register with it by phone number and write to each
other through it, end-to-end encrypted. It keeps a directory of numbers and public keys and, for
each person, the newest messages that were not delivered yet, at most ${count(info.capacity)}, which it
cannot read. Everything else stays on the devices of those who wrote it.</p>
<p class="health" role="status" data-health="${ready ? 'well' : 'unwell'}"><span class="dot"
aria-hidden="true"></span><span class="words">${ready ? HEALTH.well : HEALTH.unwell}</span></p>
</header>

<section aria-labelledby="register">
<h2 id="register">Register from the command line</h2>
<p>In a copy of Couplet, with your own number in place of the example:</p>
<pre role="group" tabindex="0" aria-label="Command that registers a number"><code>npx couplet register +12025550101 --server ${server}</code></pre>
<p>${codeWords(info)} Type it in, and you are registered. Your keys are made on your device and
never leave it.</p>
</section>

<section aria-labelledby="write">
<h2 id="write">Write to somebody</h2>
<pre role="group" tabindex="0" aria-label="Commands that send, receive and verify"><code>npx couplet send +12025550102 "Dinner at eight?"
npx couplet receive
npx couplet verify +12025550102</code></pre>
<p>They need not be there: your device keeps the message until theirs has proven that it arrived.
Compare the sixty digits that <code>verify</code> shows, and nobody sits between the two of you,
not even this server.</p>
</section>

<section aria-labelledby="details">
<h2 id="details">About this server</h2>
<dl>
<div><dt>Address</dt><dd><code>${server}</code></dd></div>
<div><dt>Messages kept for each person</dt><dd>${info.capacity}</dd></div>
<div><dt>Version</dt><dd>${escapeHtml(info.version)}</dd></div>
<div><dt>For programs</dt><dd><a href="/v1/server">/v1/server</a>, <a href="/livez">/livez</a>,
<a href="/readyz">/readyz</a></dd></div>
</dl>
</section>
</main>
</body>
</html>
`
}

/** The script says the same words (web-assets.ts). */
export const HEALTH = {
  well: 'Up and taking messages',
  unwell: 'Not taking messages at the moment',
} as const

function codeWords({ development }: ServerInfo): string {
  return development
    ? 'This server is set up for development: the six-digit code appears where the server runs.'
    : 'A six-digit code is sent to your phone.'
}

function count(capacity: number): string {
  return ['', 'one', 'two', 'three', 'four', 'five'][capacity] ?? String(capacity)
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
