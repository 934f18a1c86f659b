import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

type Rule = {
  /** Our folders that may be imported whole. */
  folders: string[]
  /** Our folders of which only types may be imported. */
  typesOf?: string[]
  /** Single files that may be imported whole, because they bring names and no code. */
  files?: string[]
  /** Packages that may be imported; undefined: any. A Node built-in counts as a package. */
  packages?: string[]
  fix: string
}

const rules: Record<string, Rule> = {
  domain: {
    folders: ['domain'],
    packages: ['big.js', 'jsep'],
    fix: 'Pass the value in as an argument and do the reading or writing in activities/, db/ or docker/.',
  },
  workflows: {
    folders: ['domain', 'workflows'],
    typesOf: ['activities'],
    packages: ['@temporalio/workflow'],
    fix: 'Do it in an activity and call it through proxyActivities; its type comes with `import type`.',
  },
  activities: {
    folders: ['domain', 'db', 'docker', 'documents', 'activities'],
    fix: 'An activity gets what it needs through createActivities(deps); bin/ wires it.',
  },
  db: { folders: ['domain', 'db'], fix: 'Let the caller pass plain values to a query function.' },
  docker: {
    folders: ['domain', 'docker'],
    fix: 'Let the activity read the rows and pass plain values to the runner.',
  },
  documents: {
    folders: ['domain', 'db', 'documents'],
    fix: 'Print values that the caller has read; who asks for a document is in api/ or activities/.',
  },
  api: {
    folders: ['domain', 'db', 'documents', 'api'],
    typesOf: ['workflows'],
    files: ['#workflows/contract.ts'],
    fix: 'Write the intent with db/ and tell the workflow: what may be known of it is in workflows/contract.ts.',
  },
  bin: {
    folders: ['domain', 'workflows', 'activities', 'db', 'docker', 'documents', 'api', 'bin'],
    fix: 'Move the shared part out of the tests.',
  },
}

/** Packages that belong to one folder, wherever else imports are free. */
const packageOwners: Record<string, string[]> = {
  dockerode: ['docker', 'test', 'bench'],
  kysely: ['db', 'test', 'bench'],
  // Processes are started by entry points only, from argument lists without request data.
  'node:child_process': ['bin', 'test', 'bench'],
}

const impure: { pattern: RegExp; fix: string }[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bTemporal\.Now\b|\bperformance\.now\(/,
    fix: 'take `now` as an argument',
  },
  {
    pattern: /\bMath\.random\(|\bcrypto\.(randomUUID|getRandomValues)\(/,
    fix: 'take the random value as an argument',
  },
  { pattern: /\bawait\b|\basync\b/, fix: 'take the awaited value as an argument' },
  { pattern: /\bprocess\.|\bconsole\./, fix: 'return the value and let the caller read or print' },
]

type Import = { specifier: string; isTypeOnly: boolean }

/** Every way one file can name another: static, dynamic, re-export, side effect and `import()` types. */
function importsOf(source: string): Import[] {
  const code = withoutComments(source)
  const found: Import[] = []
  const statement = /(?:^|[;\n}])\s*(?:import|export)\s+(type\s+)?(?:([^'"`;]*?)\sfrom\s*)?['"]([^'"]+)['"]/g
  for (const [, type, clause, specifier] of code.matchAll(statement)) {
    if (specifier !== undefined)
      found.push({ specifier, isTypeOnly: type !== undefined || namesTypesOnly(clause) })
  }
  for (const [, type, specifier] of code.matchAll(/(\btypeof\s+)?\bimport\(\s*['"]([^'"]+)['"]/g)) {
    if (specifier !== undefined) found.push({ specifier, isTypeOnly: type !== undefined })
  }
  return found
}

/** `import { type A, type B }` brings no code either. */
function namesTypesOnly(clause: string | undefined): boolean {
  const names = clause === undefined ? null : /^\{(.*)\}$/s.exec(clause.trim())
  const list = names?.[1]?.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()])) ?? []
  return list.length > 0 && list.every((name) => name.startsWith('type '))
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/[^\n]*/g, '$1')
}

/** The top-level folder an import leads to, or undefined for a package. */
function folderOf(specifier: string, file: string): string | undefined {
  if (specifier.startsWith('#')) return specifier.slice(1).split('/')[0]
  if (specifier.startsWith('.')) return relative(root, resolve(root, dirname(file), specifier)).split('/')[0]
  return undefined
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** What is wrong with one file, each with what to do instead. */
function violationsOf(file: string, source: string): string[] {
  const from = file.split('/')[0] ?? ''
  const rule = rules[from]
  const violations = importsOf(source).flatMap(({ specifier, isTypeOnly }) => {
    const to = folderOf(specifier, file)
    if (to === undefined) return packageViolation(file, from, rule, specifier, isTypeOnly)
    if (to !== from && specifier.startsWith('.')) {
      return [`${file} imports ${specifier}: write #${to}/… so that every file is spelled one way.`]
    }
    if (
      rule === undefined ||
      rule.folders.includes(to) ||
      rule.files?.includes(specifier) ||
      (isTypeOnly && rule.typesOf?.includes(to))
    )
      return []
    return [`${file} imports ${specifier}: ${from}/ may not import ${to}/. ${rule.fix}`]
  })
  if (from === 'domain') violations.push(...impurities(file, source))
  if (file === 'workflows/contract.ts') violations.push(...codeInContract(source))
  return violations
}

/** The API reads this file: what it imported would come along into a process that must not have it. */
function codeInContract(source: string): string[] {
  const code = importsOf(source).filter(({ isTypeOnly }) => !isTypeOnly)
  return code.map(
    ({ specifier }) =>
      `workflows/contract.ts imports ${specifier}: it may import types only. Move the code out.`,
  )
}

function packageViolation(
  file: string,
  from: string,
  rule: Rule | undefined,
  specifier: string,
  isTypeOnly: boolean,
): string[] {
  const name = packageOf(specifier)
  const owners = packageOwners[name]
  if (owners !== undefined && !isTypeOnly && !owners.includes(from)) {
    return [
      `${file} imports ${name}: only ${owners[0]}/ uses it. Add the function you need there and call that.`,
    ]
  }
  if (rule?.packages === undefined || rule.packages.includes(name)) return []
  return [`${file} imports ${specifier}: ${from}/ may import only ${rule.packages.join(', ')}. ${rule.fix}`]
}

function impurities(file: string, source: string): string[] {
  const code = withoutComments(source).replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
  return impure.flatMap(({ pattern, fix }) => {
    const match = pattern.exec(code)
    return match === null ? [] : [`${file} uses ${match[0]}: domain/ is pure, so ${fix}.`]
  })
}

function sourceFiles(): string[] {
  const folders = [...Object.keys(rules), 'test', 'bench']
  return folders.flatMap((folder) =>
    readdirSync(root).includes(folder)
      ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter((name) => /\.(ts|tsx|mjs)$/.test(name))
          .map((name) => `${folder}/${name}`)
      : [],
  )
}

test('every file imports only what its folder may import, and domain is pure', () => {
  const files = sourceFiles()
  assert.ok(files.includes('domain/errors.ts'), 'the walk over the source files finds them')
  const violations = files.flatMap((file) => violationsOf(file, readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(violations, [], `\n${violations.join('\n')}\n`)
})

const refused: [file: string, source: string, says: RegExp][] = [
  ['domain/a.ts', "import { Kysely } from 'kysely'", /only db\/ uses it/],
  ['domain/a.ts', "import { readFile } from 'node:fs'", /may import only big\.js, jsep/],
  ['domain/a.ts', "import { findOrder } from '#db/order.ts'", /domain\/ may not import db\//],
  ['domain/a.ts', 'const now = Temporal.Now.instant()', /take `now` as an argument/],
  ['domain/a.ts', 'const now = Date.now()', /take `now` as an argument/],
  ['domain/a.ts', 'const id = Math.random()', /take the random value/],
  ['domain/a.ts', 'export async function f() {}', /take the awaited value/],
  ['workflows/a.ts', "import { createActivities } from '#activities/index.ts'", /may not import activities/],
  ['workflows/a.ts', "export { createActivities } from '#activities/index.ts'", /may not import activities/],
  ['workflows/a.ts', "import { type A, b } from '#activities/index.ts'", /may not import activities/],
  ['workflows/a.ts', "import assert from 'node:assert'", /may import only @temporalio\/workflow/],
  ['activities/a.ts', "import { app } from '#api/app.ts'", /may not import api/],
  ['db/a.ts', "const x = await import('#docker/runner.ts')", /db\/ may not import docker/],
  ['api/a.ts', "import {\n  startBuild,\n} from '#activities/build.ts'", /may not import activities/],
  ['api/a.ts', "import { subscription } from '#workflows/subscription.ts'", /may not import workflows/],
  ['workflows/contract.ts', "import { planBuild } from '#domain/build-plan.ts'", /types only/],
  ['api/a.ts', "import '#bin/start.ts'", /may not import bin/],
  ['bin/a.ts', "import { pool } from '#test/support/pool.ts'", /may not import test/],
  ['activities/a.ts', "import Docker from 'dockerode'", /only docker\/ uses it/],
  ['docker/a.ts', "import { execFile } from 'node:child_process'", /only bin\/ uses it/],
  ['api/a.ts', "import { x } from '../db/x.ts'", /write #db/],
]

for (const [file, source, says] of refused) {
  test(`${file} may not say: ${source.replaceAll('\n', ' ')}`, () => {
    assert.match(violationsOf(file, source).join('\n'), says)
  })
}

const allowed: [file: string, source: string][] = [
  ['domain/a.ts', "import Big from 'big.js'\nimport { b } from './b.ts'"],
  [
    'domain/a.ts',
    '// Date.now() would be wrong here; we await nothing.\nexport const a = "await Date.now()"',
  ],
  ['workflows/a.ts', "import type { Activities } from '#activities/index.ts'"],
  ['workflows/a.ts', "import { type A, type B } from '#activities/index.ts'"],
  ['workflows/a.ts', "type A = typeof import('#activities/index.ts')"],
  ['api/a.tsx', "import type { subscription } from '#workflows/subscription.ts'"],
  ['api/a.ts', "import { workflowIds } from '#workflows/contract.ts'"],
  ['bin/a.ts', "import { createActivities } from '#activities/index.ts'"],
  ['test/a.ts', "import { migrate } from '#db/migrate.ts'\nimport Docker from 'dockerode'"],
]

for (const [file, source] of allowed) {
  test(`${file} may say: ${source.replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(violationsOf(file, source), [])
  })
}
