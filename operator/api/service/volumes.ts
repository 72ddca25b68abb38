import { z } from 'zod'
import { says, type Rule } from '../kind.ts'
import { volumeQuantity } from '../quantity.ts'
import { dnsLabelFromLetter, dnsSubdomain, listMap, next, text, withRules } from '../schema.ts'
import { mountPath } from './path.ts'

/** Volumes of a service: what its replicas write that outlives them. */

export const volumeName = (description: string) => text(description, { max: 30, min: 1, pattern: dnsLabelFromLetter })

export const volumeSize = (description: string) => text(description, { max: 10, min: 2, pattern: volumeQuantity })

export const claimName = (description: string) => text(description, { max: 253, min: 1, pattern: dnsSubdomain })

export const storageClassName = (description: string) => text(description, { max: 253, min: 1, pattern: dnsSubdomain })

export const accessMode = z.enum(['ReadWriteOnce', 'ReadWriteMany', 'ReadWriteOncePod'])

const volume = z.strictObject({
  name: volumeName('Name of the volume, unique in the service; of its claim, after the service and a dash. Permanent.'),
  path: mountPath(`Absolute path of the folder in each replica, unique in the service. ${next}`, 'volume'),
  size: volumeSize(
    'Size of its claim, a whole number with a unit, such as 10Gi. May grow, never shrink. Takes effect with the next deployment.',
  ).optional(),
  accessMode: accessMode.default('ReadWriteOnce').meta({
    description:
      'Who may mount it: ReadWriteOnce (pods of one node), ReadWriteMany (pods of all), ReadWriteOncePod (one pod). Default ReadWriteOnce. Only with ReadWriteMany is an update free of interruptions. Permanent once the claim is made.',
  }),
  storageClassName: storageClassName(
    "StorageClass its claim is made with. Default: the cluster's. Permanent once the claim is made.",
  ).optional(),
  existingClaim: claimName(
    `Name of a PersistentVolumeClaim in the instance's namespace, made by others, in place of one made for this volume. ${next}`,
  ).optional(),
})

type Volume = z.output<typeof volume>

const volumeRules: readonly Rule<Volume>[] = [
  {
    id: 'size-or-existing-claim',
    rule: 'has(self.size) != has(self.existingClaim)',
    message: 'exactly one of size and existingClaim must be set',
    messageExpression: `has(self.size) ? "volume '" + self.name + "' may not have both size '" + self.size + "' and existingClaim '" + self.existingClaim + "': remove one" : "volume '" + self.name + "' must have a size, such as 10Gi, or name an existingClaim"`,
    reason: 'FieldValueInvalid',
    holds: ({ size, existingClaim }) => (size === undefined) !== (existingClaim === undefined),
  },
  {
    id: 'existing-claim-has-its-class',
    rule: '!has(self.existingClaim) || !has(self.storageClassName)',
    message: 'storageClassName may not stand beside existingClaim: that claim has its own',
    messageExpression: says(
      "storageClassName '%s' may not stand beside existingClaim '%s', which has a class of its own; remove it",
      'self.storageClassName',
      'self.existingClaim',
    ),
    fieldPath: '.storageClassName',
    reason: 'FieldValueForbidden',
    holds: ({ existingClaim, storageClassName: className }) => existingClaim === undefined || className === undefined,
  },
]

const volumeOverride = z.strictObject({
  name: volumeName('Name of a volume of the service.'),
  size: volumeSize(
    'Size of its claim, such as 10Gi, in place of an existingClaim too. May grow, never shrink.',
  ).optional(),
  storageClassName: storageClassName(
    'StorageClass its claim is made with. Permanent once the claim is made.',
  ).optional(),
  existingClaim: claimName(
    'Name of a PersistentVolumeClaim made by others, in place of one made for this volume.',
  ).optional(),
})

/** volumes[] of what is said otherwise about a service of the stack. */
export const volumeOverrides = listMap(
  `What is otherwise of its volumes, by volume, at most 10; what is left out is as before. ${next}`,
  withRules(volumeOverride, [
    {
      id: 'existing-claim-alone',
      rule: '!has(self.existingClaim) || !has(self.size) && !has(self.storageClassName)',
      message: 'existingClaim may not stand beside size or storageClassName: that claim has its own',
      messageExpression: says(
        "volume '%s' may not have size or storageClassName beside existingClaim '%s', which has its own; remove them, or existingClaim",
        'self.name',
        'self.existingClaim',
      ),
      fieldPath: '.existingClaim',
      reason: 'FieldValueForbidden',
      holds: ({ existingClaim, size, storageClassName: className }) =>
        existingClaim === undefined || (size === undefined && className === undefined),
    },
  ]),
  { key: 'name', max: 10 },
)

export const volumes = withRules(
  listMap(
    `Volumes that every replica mounts, at most 10. What is in them outlives replicas, releases and the service itself. ${next}`,
    withRules(volume, volumeRules),
    { key: 'name', max: 10 },
  ),
  [
    {
      id: 'unique-volume-paths',
      rule: 'self.all(v, self.exists_one(w, w.path == v.path))',
      message: 'two volumes may not have the same path',
      messageExpression: says(
        "'%s' is the path of more than one volume; each must have a path of its own",
        'self.filter(v, !self.exists_one(w, w.path == v.path))[0].path',
      ),
      reason: 'FieldValueInvalid',
      holds: (list) => new Set(list.map(({ path }) => path)).size === list.length,
    },
  ],
)
