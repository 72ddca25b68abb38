import { stripTypeScriptTypes } from 'node:module'

/** Jest transform: TypeScript without a build step, as Node itself runs it. */
export default {
  process(source, path) {
    return { code: path.endsWith('.ts') ? stripTypeScriptTypes(source) : source }
  },
}
