// The values that the chart is rendered with in checks: as little as possible, and everything at once.

const settings = { KAFKA_BROKERS: 'kafka:9092', SCHEMA_REGISTRY_URL: 'https://registry.example.com' }
const keda = { enabled: true, minReplicas: 1, maxReplicas: 12, lagThreshold: '5000' }

export const renderings = {
  least: { settings },
  everything: {
    settings: {
      ...settings,
      KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: 'trailwarden',
      SCHEMA_REGISTRY_USERNAME: 'trailwarden',
    },
    image: { repository: 'registry.example.com/trailwarden', digest: `sha256:${'0'.repeat(64)}` },
    imagePullSecrets: [{ name: 'pull' }],
    secrets: {
      KAFKA_SASL_PASSWORD: { secret: 'kafka-user', key: 'password' },
      SCHEMA_REGISTRY_PASSWORD: { secret: 'registry-user', key: 'password' },
    },
    files: {
      KAFKA_SSL_CA_FILE: { configMap: 'kafka-ca', key: 'ca.crt' },
      KAFKA_SSL_CERT_FILE: { secret: 'kafka-client', key: 'tls.crt' },
      KAFKA_SSL_KEY_FILE: { secret: 'kafka-client', key: 'tls.key' },
    },
    rules: { configMap: 'our-rules' },
    suppressions: { configMap: 'our-suppressions' },
    normalize: {
      keda,
      podAnnotations: { 'example.com/team': 'detection' },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    },
    detect: { keda, settings: { BATCH_MAX_RECORDS: 2000 } },
    keda: { triggerAuthentication: 'kafka-user' },
    topicsJob: { enabled: true },
    serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/trailwarden' } },
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    networkPolicy: {
      enabled: true,
      from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    },
  },
}
