import { hintOf } from '../../api/similar.ts'
import { declaredServices } from './declared.ts'
import { isExternal, linkOf, addressOf } from './links.ts'
import type { Input } from './input.ts'
import type { Objection } from './objection.ts'

/** Variables that ask by a link what the service does not tell; of one that is given from outside its Secret says. Pure. */
export function objectionsToLinks(input: Input): Objection[] {
  const { services, instance } = input
  return declaredServices(input).flatMap(({ name, variables = [] }) =>
    variables.flatMap((variable): Objection[] => {
      const link = linkOf(variable)
      const named = services.find((each) => each.name === link?.service)
      if (!link || !named || isExternal(input, link)) return []
      const keys: readonly string[] = [...addressOf(named, instance.metadata.name).keys()]
      if (keys.includes(link.key)) return []
      const field = `services[${name}].variables[${variable.name}].valueFrom.link.key`
      return [
        {
          reason: 'LinkKeyNotFound',
          field,
          message: `${field} of the stack is '${link.key}', which '${named.name}', a service of type ${named.type}, does not tell; ${hintOf(link.key, keys)}`,
        },
      ]
    }),
  )
}
