import { describe, expect, it } from '@jest/globals'
import { ConfigError, readConfig } from '../../../operator/config.ts'

describe('config', () => {
  it('has a default for everything', () => {
    expect(readConfig({ HOSTNAME: 'pod-1' })).toEqual({
      logLevel: 'info',
      healthPort: 8081,
      metricsPort: 8080,
      workers: 8,
      reconcileDeadlineSeconds: 60,
      stopGraceSeconds: 10,
      leaseSeconds: 15,
      namespace: 'appstead-system',
      instance: 'pod-1',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    })
  })

  it('reads what is set, and takes the empty for not set', () => {
    expect(
      readConfig({ APPSTEAD_LOG_LEVEL: 'debug', APPSTEAD_HEALTH_PORT: '0', APPSTEAD_WORKERS: '', PATH: '/bin' }),
    ).toMatchObject({
      logLevel: 'debug',
      healthPort: 0,
      workers: 8,
    })
  })

  it.each([
    [{ APPSTEAD_LOG_LEVEL: 'loud' }, 'APPSTEAD_LOG_LEVEL="loud": must be debug, info, warn or error'],
    [{ APPSTEAD_HEALTH_PORT: '70000' }, 'APPSTEAD_HEALTH_PORT="70000": must be a whole number from 0 to 65535'],
    [{ APPSTEAD_HEALTH_PORT: '80; rm' }, 'APPSTEAD_HEALTH_PORT="80; rm": must be a whole number from 0 to 65535'],
    [{ APPSTEAD_LEASE_SECONDS: '2' }, 'APPSTEAD_LEASE_SECONDS="2": must be a whole number from 3 to 300'],
    [{ APPSTEAD_WORKERS: '-1' }, 'APPSTEAD_WORKERS="-1": must be a whole number from 1 to 64'],
    [{ APPSTEAD_WORKERS: '1e3' }, 'APPSTEAD_WORKERS="1e3": must be a whole number from 1 to 64'],
    [
      { APPSTEAD_NAMESPACE: 'Up/../x\n' },
      'APPSTEAD_NAMESPACE="Up/../x\\n": must be the name of a namespace: lower-case letters, digits and hyphens, at most 63',
    ],
  ])('says in one line what is wrong with %j', (environment, message) => {
    expect(() => readConfig(environment)).toThrow(new ConfigError(message))
  })

  it('says all that is wrong, a line each', () => {
    expect(() => readConfig({ APPSTEAD_WORKERS: 'x', APPSTEAD_HEALTH_PORT: 'y' })).toThrow(
      /^APPSTEAD_HEALTH_PORT=.*\nAPPSTEAD_WORKERS=.*$/,
    )
  })
})
