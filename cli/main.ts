#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import process from 'node:process'

/** The process `kubectl appstead`: reads the command line, loads the command and no other, ends with its exit code. */

// Before anything is loaded: the second start takes half the time of the first.
enableCompileCache()
const { run } = await import('./run.ts')
process.exitCode = await run(process.argv.slice(2), process)
