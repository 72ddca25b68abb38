import { appendFileSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import process from 'node:process'

/**
 * A registry that gives one image, an OCI layout in a folder, to whoever logs in: node registry.mjs FOLDER USER:PASSWORD.
 * In the file `said` of that folder stand its port, once it listens, and then each answer.
 */

const [folder, login] = process.argv.slice(2)
const say = (line) => appendFileSync(`${folder}/said`, `${line}\n`)
const expected = `Basic ${Buffer.from(login).toString('base64')}`
const { manifests } = JSON.parse(readFileSync(`${folder}/index.json`, 'utf8'))
const [{ digest, mediaType }] = manifests
const blob = (of) => readFileSync(`${folder}/blobs/${of.replace(':', '/')}`)

const server = createServer(({ method, url = '', headers }, response) => {
  const answer = (status, more = {}, content = '') => {
    say(`${status} ${method} ${url}`)
    response.writeHead(status, { 'content-length': content.length, ...more })
    response.end(method === 'HEAD' ? '' : content)
  }
  if (headers.authorization !== expected) return answer(401, { 'www-authenticate': 'Basic realm="test"' })
  const [, kind, name] = /\/(manifests|blobs)\/([^/?]+)$/.exec(url) ?? []
  if (kind === undefined) return answer(url === '/v2/' ? 200 : 404)
  if (kind === 'blobs') return answer(200, { 'content-type': 'application/octet-stream' }, blob(name))
  return answer(200, { 'content-type': mediaType, 'docker-content-digest': digest }, blob(digest))
})
server.listen(0, '127.0.0.1', () => say(server.address().port))
