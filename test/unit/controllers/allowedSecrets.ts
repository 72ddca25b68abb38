import type { KubeObject } from '../../../operator/api/meta.ts'
import { annotations, labels } from '../../../operator/api/meta.ts'

const allowing = (name: string, app: string, data: Readonly<Record<string, string>>): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace: 'team',
      resourceVersion: '1',
      labels: { [labels.allow]: 'true' },
      annotations: { [annotations.allowApps]: app },
    },
    data,
  }) as KubeObject
/** Secrets of the project that apps may refer to: some that `hello` may, and one that it may not. */
export const secrets = [
  allowing('db', 'shop, hello', { key: 'eA==', binary: 'AP8=' }),
  allowing('other', 'shop', { key: 'eA==' }),
  allowing('many', 'hello', Object.fromEntries(Array.from({ length: 251 }, (_, index) => [`K${index}`, 'eA==']))),
]
