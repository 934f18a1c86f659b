import type { ApplicationDefinition, CommandLimit, ServiceDefinition } from '#domain/application.ts'
import { CONTAINER_CEILING, type PlannedInstance } from '#domain/build-plan.ts'

export function serviceDefinition(name: string, dependsOn: readonly string[] = []): ServiceDefinition {
  return {
    name,
    image: { from: 'registry', reference: `${name}:1` },
    command: null,
    entrypoint: null,
    environment: {},
    mounts: [],
    dependsOn: dependsOn.map((service) => ({ service, condition: 'started' })),
    healthCheck: null,
    exposedPorts: [],
    user: null,
    workingDir: null,
    memoryMib: null,
    cpus: null,
    pids: null,
    hasInit: true,
    hasReadOnlyRoot: false,
    tmpfs: [],
    capabilities: [],
  }
}

export const limitDefinition: CommandLimit = {
  code: 'users',
  title: 'Users',
  service: 'web',
  set: ['/bin/set-limit', 'users', '{value}'],
  read: ['/bin/get-limit', 'users'],
  use: ['/bin/count', 'users'],
}

/** A shop of two services: web waits for its database. */
export const shop: ApplicationDefinition = {
  code: 'shop',
  title: 'Shop',
  isStandIn: false,
  notice: null,
  public: { service: 'web', port: 8080 },
  secrets: [{ name: 'PASSWORD', length: 32 }],
  metrics: [],
  limits: [limitDefinition],
  ready: { path: '/health', timeoutS: 60 },
  services: [
    { ...serviceDefinition('web', ['database']), environment: { DATABASE_PASSWORD: '${PASSWORD}' } },
    {
      ...serviceDefinition('database'),
      environment: { PASSWORD: '${PASSWORD}' },
      mounts: [{ volume: 'data', path: '/var/lib/data', isReadOnly: false }],
    },
  ],
  volumes: ['data'],
}

export const shopInstance: PlannedInstance = {
  installation: 'inst_1',
  customer: 'cus_1',
  subscription: 'sub_1',
  instance: 'ins_1',
  application: 'shop',
  generation: 3,
  environmentPrefix: 'acme',
  name: 'shop-1',
  hostPort: 20_001,
  ceiling: CONTAINER_CEILING,
}
