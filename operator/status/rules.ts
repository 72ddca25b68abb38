/**
 * What the API server said of an object that it refused, without the object's name: whoever reads it has been told that, or
 * it is a pod that never was. In: its words, with or without what it was asked for.
 */
export function withoutName(said: string): string {
  return said.replace(
    /(?:^|(?<=: ))[\w./-]+ "[^"]*" is forbidden: |^Internal error occurred: (?=failed calling webhook)/,
    '',
  )
}

/**
 * What shows the rule by which the API server refused something, as a command; '' when its words name none.
 * In: what the API server said, the namespace of what was refused.
 */
export function commandForRule(said: string, namespace: string): string {
  if (said.includes('exceeded quota')) return `kubectl describe resourcequota -n ${namespace}`
  const [, policy] = /ValidatingAdmissionPolicy '([^']+)'/.exec(said) ?? []
  if (policy !== undefined) return `kubectl get validatingadmissionpolicy ${policy} -o yaml`
  if (/admission webhook|failed calling webhook/.test(said)) {
    return 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations'
  }
  return /(?:maximum|minimum) .* usage per (?:Container|Pod)/.test(said)
    ? `kubectl describe limitrange -n ${namespace}`
    : ''
}
