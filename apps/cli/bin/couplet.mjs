#!/usr/bin/env node
// The `couplet` command. In the repository it goes through the launcher, which brings a Node along;
// installed from a package it runs the compiled program on the machine's own Node.
import { existsSync } from 'node:fs'

const launcher = new URL('../../../scripts/run.mjs', import.meta.url)
const compiled = new URL('../dist/main.js', import.meta.url)

if (existsSync(launcher)) {
  const { run } = await import(launcher.href)
  await run('couplet', process.argv.slice(2))
} else {
  await import(compiled.href)
}
