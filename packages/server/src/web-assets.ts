/** Style, script and icon of the page at `/`. Colours and measures: web-design-language.md, 5.1. */
import { HEALTH } from './web-page.ts'

export const PAGE_STYLE = `:root {
  --background: #ffffff; --raised: #f6f7f9; --line: #e3e5e9;
  --text: #15171a; --secondary: #565c66; --accent: #3451d1;
  --ok: #17734a; --danger: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --background: #111214; --raised: #1e2024; --line: #2a2d33;
    --text: #ecedef; --secondary: #a3a9b4; --accent: #8ea2ff;
    --ok: #63d19b; --danger: #ff8f86;
  }
}
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--background); color: var(--text);
  font: 16px/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 40rem; margin: 0 auto; padding: 48px 24px; }
.name {
  display: flex; align-items: center; gap: 8px; margin: 0 0 32px;
  font-size: 17px; font-weight: 650; letter-spacing: -0.01em;
}
h1 { margin: 0 0 16px; font-size: 28px; line-height: 1.25; font-weight: 650; letter-spacing: -0.015em; }
h2 { margin: 0 0 8px; font-size: 17px; font-weight: 650; letter-spacing: -0.01em; }
p { margin: 0 0 16px; }
.lead { color: var(--secondary); }
.health { display: flex; align-items: center; gap: 8px; margin: 24px 0 0; font-weight: 600; }
.dot { flex: none; width: 10px; height: 10px; border-radius: 50%; background: currentColor; }
.health[data-health="well"] { color: var(--ok); }
.health[data-health="unwell"] { color: var(--danger); }
section { margin-top: 32px; padding-top: 24px; border-top: 1px solid var(--line); }
pre {
  margin: 0 0 16px; padding: 16px; overflow-x: auto; border: 1px solid var(--line);
  border-radius: 10px; background: var(--raised);
}
code { font: 14px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
dl { margin: 0; }
dl div { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 8px 0; border-bottom: 1px solid var(--line); }
dl div:last-child { border-bottom: 0; }
dt { flex: 1 1 14rem; color: var(--secondary); }
dd { flex: 1 1 14rem; margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: 3px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
@media (max-width: 480px) { main { padding: 32px 16px; } h1 { font-size: 24px; } }
@media (forced-colors: active) { .dot { forced-color-adjust: none; } }
`

export const PAGE_SCRIPT: string = `'use strict'
// Keeps the line about the server's health true while the page is open.
const health = document.querySelector('.health')
const words = health.querySelector('.words')

async function look() {
  let well = false
  try {
    well = (await fetch('/readyz', { cache: 'no-store' })).ok
  } catch {}
  const text = well ? '${HEALTH.well}' : '${HEALTH.unwell}'
  health.dataset.health = well ? 'well' : 'unwell'
  if (words.textContent !== text) words.textContent = text
}

setInterval(() => {
  if (!document.hidden) void look()
}, 15000)
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void look()
})
`

/** Two lines of verse, one below the other. */
export const SITE_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="8" fill="#3451d1"/>
<path d="M8 12.5h16M8 19.5h11" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/>
</svg>
`
