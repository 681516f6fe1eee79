// What the account of an operator may do in the namespace that it looks after, as the chart gives it without a look into Secrets.
const verbs = ['get', 'list', 'watch', 'create', 'patch', 'delete']

export const operatorRules = [
  { apiGroups: ['presence.daarion.city'], resources: ['citypresences'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['presence.daarion.city'], resources: ['citypresences/status'], verbs: ['get', 'patch'] },
  // To own objects whose deletion waits for them.
  { apiGroups: ['presence.daarion.city'], resources: ['citypresences/finalizers'], verbs: ['update'] },
  { apiGroups: [''], resources: ['configmaps', 'serviceaccounts', 'services'], verbs },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs },
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...verbs, 'update'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies', 'ingresses'], verbs },
]
