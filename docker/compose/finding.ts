/** Where something stands in a compose file: `['services', 'web', 'ports', 0]`. */
export type Path = readonly (string | number)[]

/** One thing in a compose file that is not taken as it is: where, why, and what to do about it. */
export interface Finding {
  readonly path: Path
  /**
   * `refused`: the file is not taken with it. `needs_permission`: it is taken once an operator grants the permission to this
   * application. `replaced`: the file is taken, and Clouder does something of its own in its place.
   */
  readonly kind: 'refused' | 'needs_permission' | 'replaced'
  readonly reason: string
  readonly remedy: string
  /** What would have to be granted: `capability:SYS_ADMIN`. */
  readonly permission: string | null
}

/** Gathers what is found while a file is read, so that everything is told at once. */
export class Findings {
  readonly #found: Finding[] = []
  readonly #grants: ReadonlySet<string>
  readonly #used = new Set<string>()

  constructor(grants: readonly string[]) {
    this.#grants = new Set(grants)
  }

  get all(): readonly Finding[] {
    return this.#found
  }

  /** The grants that the file makes use of, sorted. */
  get used(): string[] {
    return [...this.#used].sort()
  }

  refuse(path: Path, reason: string, remedy: string): void {
    this.#found.push({ path, kind: 'refused', reason, remedy, permission: null })
  }

  replace(path: Path, reason: string): void {
    this.#found.push({ path, kind: 'replaced', reason, remedy: 'nothing is to be done', permission: null })
  }

  /** Whether a permission was granted that nobody is asked for: what Clouder ships has it, and nothing else. */
  holds(permission: string): boolean {
    if (!this.#grants.has(permission)) return false
    this.#used.add(permission)
    return true
  }

  /** @returns true where the permission was granted; else the need for it is noted. */
  isGranted(path: Path, permission: string, reason: string): boolean {
    if (this.#grants.has(permission)) {
      this.#used.add(permission)
      return true
    }
    const remedy = `remove it, or grant ${permission} to this application`
    this.#found.push({ path, kind: 'needs_permission', reason, remedy, permission })
    return false
  }
}

/** `services.web.privileged (line 4): gives rights on the server; remove it, or grant privileged to this application` */
export function describeFinding({ path, reason, remedy }: Finding, line: number | undefined): string {
  return `${path.join('.') || '(file)'}${line === undefined ? '' : ` (line ${line})`}: ${reason}; ${remedy}`
}
