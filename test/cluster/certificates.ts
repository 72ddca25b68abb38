import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { join } from 'node:path'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'

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

const dayMilliseconds = 86_400_000
const organizationType = '2.5.4.10'
const commonNameType = '2.5.4.3'
const ecdsaWithSha256 = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })

const attribute = (type: string, utf8String: string): RelativeDistinguishedName =>
  new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })])
const extension = (extnID: string, critical: boolean, value: object): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })

function makeName({ commonName, organization }: Subject): Name {
  const parts = organization === undefined ? [] : [attribute(organizationType, organization)]
  return new Name([...parts, attribute(commonNameType, commonName)])
}

function makeExtensions(authority: boolean, servedNames: string[]): Extensions {
  if (authority) {
    return new Extensions([
      extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: true })),
      extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)),
    ])
  }
  const names = servedNames.map((name) => new GeneralName(isIPv4(name) ? { iPAddress: name } : { dNSName: name }))
  return new Extensions([
    extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.digitalSignature)),
    extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth])),
    ...(names.length === 0 ? [] : [extension(id_ce_subjectAltName, false, new SubjectAlternativeName(names))]),
  ])
}

interface Issuer {
  name: Name
  key: KeyObject
}

function makeCertificate(subject: Subject, issuer: Issuer | undefined): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = makeName(subject)
  const now = Date.now()
  const content = new TBSCertificate({
    version: Version.v3,
    // It begins with a one, so that it is positive and never shorter.
    serialNumber: Uint8Array.of(1, ...randomBytes(15)).buffer,
    signature: ecdsaWithSha256,
    issuer: issuer?.name ?? name,
    validity: new Validity({
      // A day back, for tests with a clock that was set back; ten years on, because nobody renews a test cluster.
      notBefore: new Date(now - dayMilliseconds),
      notAfter: new Date(now + 3650 * dayMilliseconds),
    }),
    subject: name,
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo),
    extensions: makeExtensions(issuer === undefined, subject.servedNames ?? []),
  })
  const signature = sign('sha256', new Uint8Array(AsnConvert.serialize(content)), issuer?.key ?? privateKey)
  const certificate = new Certificate({
    tbsCertificate: content,
    signatureAlgorithm: ecdsaWithSha256,
    signatureValue: new Uint8Array(signature).buffer,
  })
  return {
    certificate: new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString(),
    key: privateKey.export({ type: 'sec1', format: 'pem' }) as string,
  }
}

/** An authority of a cluster: it issues certificates, and its own says whom to trust. */
export interface Authority extends Pair {
  issue: (subject: Subject) => Pair
}

/** Makes a new authority; its key never leaves the cluster's folder. */
export function makeAuthority(commonName: string): Authority {
  return takeUpAuthority(makeCertificate({ commonName }, undefined))
}

/** The authority that made itself this pair: for who is to be let in later. */
export function takeUpAuthority(pair: Pair): Authority {
  const { subject } = AsnConvert.parse(new X509Certificate(pair.certificate).raw, Certificate).tbsCertificate
  const issuer = { name: subject, key: createPrivateKey(pair.key) }
  return { ...pair, issue: (wanted) => makeCertificate(wanted, issuer) }
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
