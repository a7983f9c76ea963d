#!/usr/bin/env node
// The `couplet` command. In the repository it goes through the launcher, which brings a Node along;
// installed from a package it runs the compiled program on the machine's own Node.
import { existsSync } from 'node:fs'
import process from 'node:process'

const launcher = new URL('../../../scripts/run.mjs', import.meta.url)
const compiled = new URL('../dist/main.js', import.meta.url)

if (existsSync(launcher)) {
  const { run } = await import(launcher.href)
  await run('couplet', process.argv.slice(2))
} else if (isTooOld(process.versions.node)) {
  process.stderr.write(
    `couplet needs Node 24.15 or newer; this is ${process.versions.node}. It runs best on 26.\n`,
  )
  process.exitCode = 69
} else {
  await import(compiled.href)
}

/** Before 24.15, Node lacks some of the cryptography. */
function isTooOld(version) {
  const [major, minor] = version.split('.').map(Number)
  return major < 24 || (major === 24 && minor < 15)
}
