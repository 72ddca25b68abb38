import { z } from 'zod'
import { says } from '../kind.ts'
import { integer, listMap, next, text, withRules } from '../schema.ts'

/** Ports of a service. */

const portName = /^[a-z]([a-z0-9]|-[a-z0-9])*$/

export const portProtocol = z.enum(['HTTP', 'TCP', 'UDP'])

export const portNumber = integer(
  `Port the process listens on, 1 to 65535; unique in the service, but for one by UDP beside one by TCP or HTTP. ${next}`,
  1,
  65_535,
)

/** In CEL, of the ports p and q. */
const samePort = "q.port == p.port && (q.protocol == 'UDP') == (p.protocol == 'UDP')"

export const ports = withRules(
  listMap(
    `Ports the service answers on, at most 10; a Web service needs one, a Worker has none. ${next}`,
    z.strictObject({
      name: text(`Name of the port, unique in the service. Default http. ${next}`, {
        max: 15,
        min: 1,
        pattern: portName,
      }).default('http'),
      port: portNumber,
      protocol: portProtocol.default('HTTP').meta({ description: `HTTP, TCP or UDP. Default HTTP. ${next}` }),
    }),
    { key: 'name', max: 10 },
  ),
  [
    {
      id: 'unique-port-numbers',
      rule: `self.all(p, self.exists_one(q, ${samePort}))`,
      message: 'two ports may not have the same number, but for one by UDP beside one by TCP or HTTP',
      messageExpression: says(
        'port %d stands more than once; each port must have a number of its own (one by UDP may share it with one by TCP or HTTP)',
        `self.filter(p, !self.exists_one(q, ${samePort}))[0].port`,
      ),
      reason: 'FieldValueInvalid',
      holds: (list) => new Set(list.map(({ port, protocol }) => `${port} ${protocol === 'UDP'}`)).size === list.length,
    },
  ],
)

/** The name of a port, where something refers to it. */
export const portNameOf = (description: string) => text(description, { max: 15, min: 1, pattern: portName })
