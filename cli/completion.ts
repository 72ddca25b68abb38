#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import process from 'node:process'

/** The process `kubectl_complete-appstead`, which kubectl asks what may come next. */

enableCompileCache()
const { complete } = await import('./complete.ts')
const { namesFor } = await import('./names.ts')
process.stdout.write(await complete(process.argv.slice(2), namesFor))
