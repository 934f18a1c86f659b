import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import test from 'node:test'
import type { Command, Option } from 'commander'
import { createProgram, writeOutUsual } from '#bin/clouder/program.ts'
import { startHelp } from '#bin/platform/configuration.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const ignored = (path: string) => /(^|\/)(node_modules|data|\.git)(\/|$)/.test(path)
const documents = globSync(['*.md', 'docs/**/*.md', '*/README.md'], {
  cwd: root,
  exclude: ignored,
}).toSorted()
const baseNames = new Set(
  globSync('**/*.{ts,tsx,mjs,js,css,sql,yaml,md}', { cwd: root, exclude: ignored }).map((path) =>
    basename(path),
  ),
)
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts
const program = createProgram(process)

/** Commands to copy: the lines of `sh` blocks, and what stands between backticks and begins like one. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, body = '']) => body.split('\n'))
  const inline = [...withoutBlocks(text).matchAll(/`((?:npx clouder|npm) [^`]+)`/g)].map(
    ([, command = '']) => command,
  )
  return [...blocks, ...inline]
    .map((line) => line.replace(/(^|\s)#.*/, '').trim())
    .flatMap((line) => line.split(/\s*(?:&&|;|\|)\s*/))
    .filter((command) => command !== '')
}

function withoutBlocks(text: string): string {
  return text.replace(/^```.*?^```/gms, '')
}

/** What is wrong with a command; undefined when nothing is, or when it is not one of ours. */
function wrongWith(command: string): string | undefined {
  const [first = '', second = '', ...rest] = command.match(/'[^']*'|"[^"]*"|\S+/g) ?? []
  if (first === 'npx') return second === 'clouder' ? wrongWithClouder(rest) : `npx ${second} is not ours`
  if (first === 'npm') return wrongWithNpm(second, rest)
  if (!first.endsWith('bin/node')) return undefined
  const files = command.match(/\S+\.ts/g) ?? []
  return files.find((file) => !existsSync(join(root, file)))
}

function wrongWithNpm(second: string, rest: readonly string[]): string | undefined {
  if (second === 'ci' || second === 'install') return undefined
  const script = second === 'run' ? (rest[0] ?? '') : second
  if (scripts[script] === undefined) return `there is no script ${script}`
  const missing = rest.filter((arg) => arg.startsWith('test/') && !existsSync(join(root, arg)))
  return missing.length === 0 ? undefined : `there is no ${missing.join(', ')}`
}

function wrongWithClouder(args: readonly string[]): string | undefined {
  const words = writeOutUsual(args)
  let command: Command = program
  for (let next = findCommand(command, words[0]); next; next = findCommand(command, words[0])) {
    command = next
    words.shift()
  }
  const operands: string[] = []
  const options = [...command.options, ...program.options]
  while (words.length > 0) {
    const word = words.shift() ?? ''
    if (!word.startsWith('-')) operands.push(word)
    else {
      const option = findOption(options, word)
      if (option === undefined) return `${command.name()} has no option ${word}`
      if (option.required) words.shift()
    }
  }
  return wrongOperands(command, operands)
}

function findCommand(parent: Command, word: string | undefined): Command | undefined {
  return parent.commands.find((command) => word === command.name() || command.aliases().includes(word ?? ''))
}

function findOption(options: readonly Option[], word: string): Option | undefined {
  return options.find((option) => option.long === word || option.short === word)
}

function wrongOperands(command: Command, operands: readonly string[]): string | undefined {
  const { registeredArguments } = command
  const required = registeredArguments.filter((argument) => argument.required).length
  if (operands.length > registeredArguments.length)
    return `${command.name()} does not take ${operands.join(' ')}`
  return operands.length < required ? `${command.name()} takes ${required} words` : undefined
}

/** Files that a document links, or names between backticks, and that are not there. */
function missingFiles(document: string, text: string): string[] {
  const prose = withoutBlocks(text)
  const links = [...prose.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target)
  const relative = links.filter((target) => !/^[a-z]+:/.test(target))
  const named = [...prose.matchAll(/`([\w./-]+\.(?:tsx?|mjs|js|css|sql|ya?ml|md))`/g)].map(
    ([, name = '']) => name,
  )
  return [
    ...relative.filter((target) => !existsSync(join(root, dirname(document), target))),
    ...named.filter((name) => !isNamedFile(document, name)),
  ]
}

/** A path is one from here or from the project's folder; a bare name may be that of any file. */
function isNamedFile(document: string, name: string): boolean {
  if (!name.includes('/')) return baseNames.has(name)
  return existsSync(join(root, dirname(document), name)) || existsSync(join(root, name))
}

for (const document of documents) {
  test(`every command in ${document} exists, with its options`, () => {
    const wrong = commandsOf(read(document)).flatMap((command) => {
      const reason = wrongWith(command)
      return reason === undefined ? [] : [`${command}: ${reason}`]
    })
    assert.deepEqual(wrong, [])
  })

  test(`every file that ${document} links or names exists`, () => {
    assert.deepEqual(missingFiles(document, read(document)), [])
  })
}

test('the commands of the README are found at all', () => {
  const commands = commandsOf(read('README.md'))
  for (const start of ['npm start', 'npm test', 'npx clouder order', 'npx clouder cancel'])
    assert.ok(
      commands.some((command) => command.startsWith(start)),
      start,
    )
})

const refused: [command: string, says: RegExp][] = [
  ['npm run biuld', /no script biuld/],
  ['npm test -- test/nowhere', /no test\/nowhere/],
  ['npx clouder ordr static-site', /clouder does not take ordr static-site/],
  ['npx clouder order static-site --costumer a', /no option --costumer/],
  ['npx clouder subscriptions change sub_… 6', /change takes 3 words/],
]
for (const [command, says] of refused) {
  test(`a document may not say: ${command}`, () => {
    assert.match(commandsOf(`\`\`\`sh\n${command} # why\n\`\`\`\n`).map(wrongWith).join('\n'), says)
  })
}

test('a document may not link or name a file that is gone', () => {
  const text = 'See [money](../domain/gone.ts), `db/gone.ts` and `gone.ts`, not `domain/money.ts`.'
  assert.deepEqual(missingFiles('docs/a.md', text), ['../domain/gone.ts', 'db/gone.ts', 'gone.ts'])
})

test('the README is at most 200 lines', () => {
  assert.ok(read('README.md').trimEnd().split('\n').length <= 200)
})

test('the glossary names tables that are in the schema', () => {
  const tables = new Set([...read('db/schema.sql').matchAll(/^CREATE TABLE (\w+)/gm)].map(([, name]) => name))
  const named = [...read('docs/glossary.md').matchAll(/\btables? ((?:`\w+`(?:, )?)+)/g)].flatMap(([, list]) =>
    [...(list ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
  )
  assert.ok(named.includes('subscription_documents'))
  assert.deepEqual(
    named.filter((name) => !tables.has(name)),
    [],
  )
})

test('every decision is in the list of decisions', () => {
  const pages = globSync('docs/decisions/0*.md', { cwd: root }).map((path) => basename(path))
  const list = read('docs/decisions/README.md')
  assert.ok(pages.length > 0)
  assert.deepEqual(
    pages.filter((page) => !list.includes(`](${page})`)),
    [],
  )
})

test('every variable that a start reads is documented', () => {
  const variables = [...startHelp.matchAll(/^ {4}([A-Z][A-Z_]+) /gm)].map(([, name]) => name ?? '')
  assert.ok(variables.includes('CLOUDER_DATA'))
  const text = read('docs/running.md')
  assert.deepEqual(
    variables.filter((name) => !text.includes(`\`${name}\``)),
    [],
  )
})
