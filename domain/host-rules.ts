import { overlaps } from './subnet.ts'

/**
 * Where a machine of a cloud asks about itself, and is told its credentials: link-local for most of them, and what Alibaba, Azure and
 * Oracle have besides.
 */
const METADATA_RANGES = [
  '169.254.0.0/16',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
] as const

/** What became of the rules that keep containers from their server, and from where its cloud tells about it. */
export interface HostRules {
  /**
   * `kept`: seen to be there. `not_permitted`: whoever looks after the server may not change its rules. `not_possible`: they are not
   * where it could reach them. `failed`: it was tried and went wrong. `off`: an operator wants none.
   */
  readonly state: 'kept' | 'not_permitted' | 'not_possible' | 'failed' | 'off'
  /** For people. */
  readonly detail: string
}

/** Whose containers are kept from where: an installation's, by the addresses of its networks on one server. */
export interface GuestAddresses {
  /** `ins_…` */
  readonly installation: string
  /** From which its environments have their subnets. */
  readonly pool: string
  /** Networks of its own, also those that have addresses besides the pool. */
  readonly networks: readonly string[]
}

/** A chain of the host's packet filter, and its rules in the form in which `iptables -S` lists them. */
export interface Chain {
  readonly name: string
  readonly rules: readonly string[]
}

/**
 * The two chains of an installation: the first sends what comes from its containers into the second, which lets names be looked up, for
 * some clouds have that where their metadata are, and what answers a question of the host.
 * @returns names of at most 28 characters, as iptables takes them
 */
export function planChains({ installation, pool, networks }: GuestAddresses): readonly [Chain, Chain] {
  const guests = `CLOUDER-${installation.slice(-12)}`
  const wall = `${guests}-WALL`
  const beside = [...new Set(networks)].filter((range) => !overlaps(range, pool)).toSorted()
  return [
    { name: guests, rules: [pool, ...beside].map((range) => `-s ${range} -j ${wall}`) },
    {
      name: wall,
      rules: [
        '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
        '-p udp -m udp --dport 53 -j RETURN',
        '-p tcp -m tcp --dport 53 -j RETURN',
        ...METADATA_RANGES.map((range) => `-d ${range} -j DROP`),
        '-m addrtype --dst-type LOCAL -j DROP',
      ],
    },
  ]
}

/**
 * What a host's filter lacks: chains that are not as planned, and chains of others from which the first one is not entered.
 * @param listing what `iptables -S` says: every chain and rule, one a line
 * @param parents chains that packets to the host, and through it, pass
 */
export function findLacking(
  listing: string,
  chains: readonly [Chain, Chain],
  parents: readonly string[],
): { readonly chains: readonly Chain[]; readonly parents: readonly string[] } {
  const lines = listing.split('\n').map((line) => line.trim())
  const [first] = chains
  return {
    chains: chains.filter(({ name, rules }) => {
      const listed = lines.filter((line) => line.startsWith(`-A ${name} `))
      const wanted = rules.map((rule) => `-A ${name} ${rule}`)
      return !lines.includes(`-N ${name}`) || listed.join('\n') !== wanted.join('\n')
    }),
    parents: parents.filter((parent) => !lines.includes(`-A ${parent} -j ${first.name}`)),
  }
}

/**
 * All chains anew, in one step, as `iptables-restore --noflush` reads them: what else the filter has stays as it is.
 */
export function toRestoreText(chains: readonly Chain[]): string {
  return [
    '*filter',
    ...chains.map(({ name }) => `:${name} - [0:0]`),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
    'COMMIT',
    '',
  ].join('\n')
}
