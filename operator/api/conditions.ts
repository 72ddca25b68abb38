import { z } from 'zod'

/** The closed list of condition types; true is normal, except for the last group. */
export const conditionTypes = {
  Accepted: 'The spec is as it should be. What it refers to may still be waited for: Reconciling says so.',
  Ready: 'The declared generation is in place and healthy.',
  Available: 'Someone is served now, be it by an older release.',
  Deployed: 'The newest release was rolled out completely.',
  ZeroDowntime:
    'Whether updates and drained nodes interrupt nobody: told of the services with ports, from what is declared, before it is rolled out. Ready does not depend on it. Absent without such a service.',
  Succeeded: 'Of bounded work: True ended well, False ended badly, Unknown is under way.',
  Reconciling: 'Only while True: work is under way or something is waited for.',
  Stalled: 'Only while True: nothing goes on until someone changes something.',
  OperationsBlocked: 'Only while True: the instance is Errored; changes are stored, not acted on.',
  Suspended: 'Only while True: spec.suspend is true, and no pod of the instance is left.',
  ChangesPending: 'Only while True: accepted changes wait for the next deployment.',
} as const

export type ConditionType = keyof typeof conditionTypes

/** What a reason asks for: the outcome it goes with. */
export type ReasonClass = 'settled' | 'progressing' | 'blocked' | 'invalid' | 'failed'

interface ReasonDoc {
  readonly class: ReasonClass
  /** What it means and what to do, for REFERENCE.md. */
  readonly description: string
}

/** The closed list of reasons; each belongs to one class, is documented here and produced by a test. */
export const reasons = {
  Accepted: { class: 'settled', description: 'Nothing to object to.' },
  AllReady: { class: 'settled', description: 'All services of the newest release are ready.' },
  Serving: { class: 'settled', description: 'At least one replica of the main service is ready.' },
  RolledOut: { class: 'settled', description: 'The newest release is rolled out.' },
  Published: { class: 'settled', description: 'The newest content is published as a revision.' },
  WaitsForDeployment: {
    class: 'settled',
    description: 'Changes of the number of replicas alone take effect with the next deployment.',
  },
  WaitsForTrigger: {
    class: 'settled',
    description: 'Changes wait, as spec.deploy.trigger is Manual, until the annotation appstead.dev/deploy asks.',
  },
  ReleaseFailed: {
    class: 'settled',
    description:
      'A release of what is declared failed: the last good one serves, and it is not tried again until the spec changes or appstead.dev/deploy asks.',
  },
  Completed: { class: 'settled', description: 'What an AppTask records was done.' },
  WaitsForResume: {
    class: 'settled',
    description: 'Changes of a suspended instance take effect when spec.suspend is false again.',
  },
  Suspended: {
    class: 'settled',
    description: 'Nothing runs, as spec.suspend asks for; set it to false and all services come back.',
  },
  Superseded: { class: 'settled', description: 'A newer release took the place of this one before it was ready.' },
  Creating: { class: 'progressing', description: 'The namespace and what the first release needs are being made.' },
  RollingOut: { class: 'progressing', description: 'Replicas of the newest release are starting.' },
  Suspending: { class: 'progressing', description: 'The last pods are ending, as spec.suspend asks for.' },
  Scaling: { class: 'progressing', description: 'Replicas that were asked for since all was ready are starting.' },
  NotServing: { class: 'progressing', description: 'No replica of the main service is ready.' },
  ReplicasNotReady: { class: 'progressing', description: 'Rolled out, but replicas are not ready now.' },
  RunningActions: {
    class: 'progressing',
    description: 'Actions run before the replicas of the newest release are started. Of an AppTask: its action runs.',
  },
  Queued: { class: 'progressing', description: 'The action of an AppTask waits; the message says for what.' },
  ActionFailed: {
    class: 'progressing',
    description:
      'An action of the newest release failed. One before the roll-out: nothing of the release was started, and what ran, runs; it is not tried again until the spec changes. One after it: the release stays. Of an AppTask: its action failed; another AppTask tries again.',
  },
  RolloutDeadlineExceeded: {
    class: 'progressing',
    description:
      'New replicas did not become ready in time, and nothing tells why. What a failed release replaced is restored; the next good release clears it.',
  },
  Terminating: { class: 'progressing', description: 'The namespace is being removed.' },
  NamespaceTerminating: {
    class: 'progressing',
    description: 'The namespace of a predecessor is still being removed; waited for.',
  },
  Forbidden: {
    class: 'progressing',
    description:
      'The API server refuses a write: a quota, an admission policy or missing rights. Tried again every 30 seconds.',
  },
  Contested: {
    class: 'progressing',
    description:
      'Somebody undoes what the operator writes to an object, again and again; it goes on, ever more seldom, up to every 10 minutes. Have the other field manager leave the object alone.',
  },
  ImagePullFailed: { class: 'progressing', description: 'The image of a service cannot be pulled.' },
  HealthCheckFailed: {
    class: 'progressing',
    description:
      'The health check of a service is answered with an error, too late, or not at all; the message says which.',
  },
  CrashLoop: { class: 'progressing', description: 'The process of a service ends again and again.' },
  ConfigurationError: { class: 'progressing', description: 'The container of a service cannot be created.' },
  Unschedulable: { class: 'progressing', description: 'No node takes a replica.' },
  ClaimUnbound: {
    class: 'progressing',
    description: 'A service waits for a volume: its claim is not bound, and none can come or ten seconds have passed.',
  },
  NoInterruption: { class: 'settled', description: 'Updates and drained nodes interrupt nobody.' },
  ReplicaStopsFirst: {
    class: 'settled',
    description: 'A volume that one replica alone can mount: the old one is stopped before the new one starts.',
  },
  ReplicasShareNode: {
    class: 'settled',
    description: 'A volume that one node alone can mount: all replicas run there, and leave it together.',
  },
  NoHealthCheck: { class: 'settled', description: 'Without a health check new replicas get requests too early.' },
  SingleReplica: { class: 'settled', description: 'Nobody is served while the node of the only replica is drained.' },
  ClaimNotFound: {
    class: 'blocked',
    description: "No PersistentVolumeClaim of that name in the instance's namespace; waited for.",
  },
  ReleaseFromNewerOperator: {
    class: 'blocked',
    description:
      'The newest release was made by a newer operator; what runs is left alone until the operator is upgraded.',
  },
  InstanceNotFound: {
    class: 'blocked',
    description:
      'An AppTask names an AppInstance that is not in this namespace; waited for, at most 10 minutes. Nothing is run then.',
  },
  AppNotFound: { class: 'blocked', description: 'No App of that name in this namespace; waited for.' },
  EnvNotFound: { class: 'blocked', description: 'No AppEnv of that name; waited for.' },
  StackNotFound: { class: 'blocked', description: 'No AppStack of that name in this namespace; waited for.' },
  RevisionNotFound: {
    class: 'blocked',
    description: 'No AppStackRevision of that name in this namespace; waited for.',
  },
  InUse: {
    class: 'blocked',
    description: 'It is being deleted, and others still name it: it is removed when they are gone. Nothing cascades.',
  },
  ReferenceNotFound: {
    class: 'blocked',
    description:
      'No Secret or ConfigMap of that name that apps may use in this namespace: it is missing, or lacks the label appstead.dev/allow. Waited for; what ran, runs.',
  },
  ReferenceNotAllowed: {
    class: 'blocked',
    description:
      'The Secret or ConfigMap allows other apps or instances only, in appstead.dev/allow-apps or appstead.dev/allow-instances. Waited for; what ran, runs.',
  },
  ReferenceKeyMissing: {
    class: 'blocked',
    description: 'The Secret or ConfigMap lacks the key that is referred to. Waited for; what ran, runs.',
  },
  ReferenceNotUsable: {
    class: 'blocked',
    description: 'A value is too long for an environment variable, or no text. Give it as a file; what ran, runs.',
  },
  ActionNotFound: {
    class: 'invalid',
    description:
      'An AppTask names an action that the current release of the instance does not have, or none that runs by hand (run: Manual). The message names those there are.',
  },
  NotAllowed: {
    class: 'failed',
    description:
      'An AppTask asked for what is not allowed in the state of the instance, such as Suspended (see the table of operations). Make another one when it has changed.',
  },
  RevisionOfOtherStack: { class: 'invalid', description: 'The pinned revision belongs to another stack than the App.' },
  RevisionNameTaken: {
    class: 'invalid',
    description:
      'A revision of this name is there with other content; a revision never changes. Give the new content another spec.version.',
  },
  AutoUpgradeInProd: {
    class: 'invalid',
    description:
      'In an environment of type prod revisions are chosen by hand: spec.stack.autoUpgrade may not be true there.',
  },
  ImageMissing: { class: 'invalid', description: 'A service has no image, and none can be inherited.' },
  MainReplicasInStack: {
    class: 'invalid',
    description: "The main service's replicas stand in the AppInstance, not in the stack.",
  },
  ServiceNotFound: {
    class: 'invalid',
    description: 'The AppInstance overrides a service that its stack revision does not have (spec.services).',
  },
  MainServiceOverridden: {
    class: 'invalid',
    description:
      "The main service's image and replicas stand in spec.image and spec.replicas, not in spec.services; nor can it be disabled.",
  },
  ServiceDisabled: {
    class: 'invalid',
    description: 'A service is disabled that another one names in dependsOn, from, links or variables.',
  },
  ExternalMissing: {
    class: 'invalid',
    description:
      'A service of a type that is given from outside, and the AppInstance does not say where it is (spec.services[].external).',
  },
  ExternalNotPossible: {
    class: 'invalid',
    description:
      'The AppInstance says of a service that runs here that it is given from outside (spec.services[].external).',
  },
  RequestAboveLimit: {
    class: 'invalid',
    description: 'An override and the stack together ask for more of a resource than they limit it to.',
  },
  NoReplicaLeft: {
    class: 'invalid',
    description:
      'A service may lack as many replicas as it has while they are replaced (rollout.maxUnavailable): none would be left ready.',
  },
  VolumeConflict: {
    class: 'invalid',
    description:
      'A volume cannot be mounted as declared: by more pods than its access mode allows, or its claim is already that of something else.',
  },
  VolumeNotFound: {
    class: 'invalid',
    description:
      'What is said otherwise of a volume names none that the service has. The message names those there are.',
  },
  VolumeShrunk: {
    class: 'invalid',
    description: 'A volume is declared smaller than its claim is. Claims can grow, but never shrink.',
  },
  VolumeImmutable: {
    class: 'invalid',
    description:
      'The access mode or storage class of a volume is not that of its claim, or the class lets no claim grow. What a claim is cannot be changed; a volume of another name gets a new one.',
  },
  LinkKeyNotFound: {
    class: 'invalid',
    description:
      'A variable asks by a link for what the service does not tell: it tells host and port, where it speaks HTTP uri.',
  },
  TooManyVariables: {
    class: 'invalid',
    description: 'A service has more than 250 environment variables of all sources together.',
  },
  QuotaExceeded: {
    class: 'invalid',
    description:
      'The services would take more than the AppEnv lets each instance have (spec.defaults.quota), or have no limit where it asks for one. What runs, runs.',
  },
  ReleaseTooLarge: { class: 'invalid', description: 'The resolved services are larger than 256 KB.' },
  RefusedByServer: { class: 'invalid', description: 'The API server refused an object rendered from the spec.' },
  NamespaceTaken: {
    class: 'blocked',
    description:
      'The namespace in which the instance ran is gone, and one of the same name belongs to someone else; it is not touched, and waited for.',
  },
  NamespaceConflict: {
    class: 'failed',
    description:
      'The namespace of the same name belongs to someone else; it is not touched. Delete the instance and use another name, or have it tried again once the namespace is gone.',
  },
  CleanupDeadlineExceeded: {
    class: 'failed',
    description:
      'What the instance leaves did not go within spec.deletionDeadlineSeconds; the message says what is left and who holds it. It goes on by itself; appstead.dev/force-delete lets the instance go without it.',
  },
  ForeignClaim: {
    class: 'progressing',
    description:
      'The namespace is not removed, as it holds PersistentVolumeClaims that Appstead did not make; the message names them and the ways out. Past spec.deletionDeadlineSeconds the instance is Errored.',
  },
  ForceDeleted: {
    class: 'failed',
    description: 'The instance was let go by appstead.dev/force-delete; the message says what it left behind.',
  },
  InstanceDeleted: {
    class: 'failed',
    description:
      'What an AppTask records or asks for was not done, or nobody knows how it ended, when the instance was deleted.',
  },
  CreationDeadlineExceeded: {
    class: 'failed',
    description:
      'What the first release needs could not be made within spec.creationDeadlineSeconds; the message says what hindered it. Nothing was removed. Put it right and ask for a retry, or delete the instance.',
  },
} as const satisfies Record<string, ReasonDoc>

export type Reason = keyof typeof reasons

/** metav1.Condition. */
export const conditionSchema = z.object({
  type: z.string().max(64).meta({ description: 'Name of the condition, such as Ready.' }),
  status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'True, False or Unknown.' }),
  observedGeneration: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'metadata.generation of the object that this condition was derived from.', format: 'int64' }),
  lastTransitionTime: z.string().meta({ format: 'date-time', description: 'When status last changed.' }),
  reason: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Z][A-Za-z0-9]*$/)
    .meta({ description: 'Why, in one CamelCase word from the closed list in REFERENCE.md.' }),
  message: z.string().max(1024).meta({ description: 'For people: object, cause, next command.' }),
})

export type Condition = z.infer<typeof conditionSchema>
