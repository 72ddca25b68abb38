import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { join } from 'node:path'
import { bits, element, identifier, integer, moment, octets, sequence, set, tagged, text, yes } from './der.ts'

/** A certificate and its key, both PEM. */
export interface Pair {
  certificate: string
  key: string
}

/** Who a certificate speaks for. */
export interface Subject {
  /** Kubernetes takes it as the user's name. */
  commonName: string
  /** Kubernetes takes it as the user's group. */
  organization?: string
  /** The names and IPv4 addresses a server answers under. */
  servedNames?: string[]
}

const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'))
const serverAuth = identifier('1.3.6.1.5.5.7.3.1')
const clientAuth = identifier('1.3.6.1.5.5.7.3.2')
const dayMilliseconds = 86_400_000

const attribute = (type: string, value: string): Buffer => set(sequence(identifier(type), text(value)))
const extension = (type: string, critical: boolean, value: Buffer): Buffer =>
  sequence(identifier(type), ...(critical ? [yes()] : []), octets(value))

function encodeName({ commonName, organization }: Subject): Buffer {
  const parts = organization === undefined ? [] : [attribute('2.5.4.10', organization)]
  return sequence(...parts, attribute('2.5.4.3', commonName))
}

function encodeServedName(name: string): Buffer {
  return isIPv4(name) ? element(0x87, Buffer.from(name.split('.').map(Number))) : element(0x82, Buffer.from(name))
}

function encodeExtensions(authority: boolean, servedNames: string[]): Buffer {
  if (authority) {
    const certSignAndCrlSign = bits(Buffer.from([0b0000_0110]), 1)
    return sequence(extension('2.5.29.19', true, sequence(yes())), extension('2.5.29.15', true, certSignAndCrlSign))
  }
  const digitalSignature = bits(Buffer.from([0b1000_0000]), 7)
  const names =
    servedNames.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...servedNames.map(encodeServedName)))]
  return sequence(
    extension('2.5.29.15', true, digitalSignature),
    extension('2.5.29.37', false, sequence(serverAuth, clientAuth)),
    ...names,
  )
}

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`

interface Issuer {
  name: Buffer
  key: KeyObject
}

function makeCertificate(subject: Subject, issuer: Issuer | undefined): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = encodeName(subject)
  const now = Date.now()
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    issuer?.name ?? name,
    // A day back, for tests with a clock that was set back; ten years on, because nobody renews a test cluster.
    sequence(moment(new Date(now - dayMilliseconds)), moment(new Date(now + 3650 * dayMilliseconds))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, encodeExtensions(issuer === undefined, subject.servedNames ?? [])),
  )
  const signature = sign('sha256', content, issuer?.key ?? privateKey)
  return {
    certificate: pem('CERTIFICATE', sequence(content, ecdsaWithSha256, bits(signature))),
    key: privateKey.export({ type: 'sec1', format: 'pem' }) as string,
  }
}

/** An authority of a cluster: it issues certificates, and its own says whom to trust. */
export interface Authority extends Pair {
  issue: (subject: Subject) => Pair
}

/** Makes a new authority; its key never leaves the cluster's folder. */
export function makeAuthority(commonName: string): Authority {
  const pair = makeCertificate({ commonName }, undefined)
  const issuer = { name: encodeName({ commonName }), key: createPrivateKey(pair.key) }
  return { ...pair, issue: (subject) => makeCertificate(subject, issuer) }
}

/** Writes a pair as NAME.crt and NAME.key, readable by the owner alone. */
export function writePair(folder: string, name: string, pair: Pair): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, `${name}.crt`), pair.certificate, { mode: 0o600 })
  writeFileSync(join(folder, `${name}.key`), pair.key, { mode: 0o600 })
}

/** Reads a pair that `writePair` wrote. */
export function readPair(folder: string, name: string): Pair {
  return {
    certificate: readFileSync(join(folder, `${name}.crt`), 'utf8'),
    key: readFileSync(join(folder, `${name}.key`), 'utf8'),
  }
}

/** Writes a new key for service account tokens: NAME.key to sign with, NAME.pub to check with. */
export function writeTokenKey(folder: string, name: string): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, `${name}.key`), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(join(folder, `${name}.pub`), createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))
}
