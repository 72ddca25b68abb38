import type { Reason } from './conditions.ts'

/** The closed list of reasons that only Events have; an Event that tells of a change of a condition has the condition's reason. */
export const eventReasons = {
  RevisionPublished: 'A new revision of the stack was published.',
  NamespaceCreated: "The instance's namespace was created.",
  NamespaceTakenOver:
    'The namespace of a former instance of the name, with all that is in it, belongs to this instance now.',
  NamespaceDeleted: "The instance's namespace is being deleted with everything in it.",
  NamespaceReleased:
    'The instance is deleted, and its namespace stays with its claims and generated Secrets (deletionPolicy Retain), for the next instance of the name.',
  NamespaceLeft:
    "A namespace carries the instance's labels, but not its recorded uids: it is left as it is when the instance is deleted. If it is yours, delete it.",
  ReleaseLost:
    'The only release of an instance was deleted: what is declared was released anew, on another revision of its stack. To go back, set spec.stack.revision.',
  ForceDeleteRefused:
    'appstead.dev/force-delete names another uid than that of the object it is on: nothing is forced.',
  Retrying: 'What had failed for good is tried again, as was asked for.',
  Recovered: 'What had failed for good was done by a later try.',
  Resumed: 'spec.suspend is false again: the replicas of all services are started.',
  ActionStarted: 'The action that an AppTask asks for was started.',
  ActionSucceeded: 'The action that an AppTask asked for has ended well.',
  ReleaseCreated: 'A release was made: what follows is its roll-out.',
  ChangedByAdmission:
    'The API server stores something otherwise than applied: an admission policy or webhook changes it. It is left so.',
  DriftCorrected:
    'What others changed or deleted in the namespace of the instance was put back, or what was there under the name of a child has become it. What is to stay is said in the AppInstance or its stack.',
  ReconcileThrottled:
    'The object was changed more than 30 times in a short time and is looked at once in 10 seconds until that ends. Find out who changes it.',
} as const

export type EventReason = Reason | keyof typeof eventReasons
