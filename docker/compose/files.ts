import { literalTemplate } from '#domain/interpolation.ts'
import {
  textOf,
  below,
  fixedText,
  listOf,
  mapOf,
  pathInFolder,
  refuse,
  template,
  type Place,
} from './reading.ts'
import type { KeyReader } from './service-draft.ts'
import { containerPath, trueOrFalse } from './values.ts'

/** The text of a file of the application's folder; a dollar sign in it stands for itself. */
function fileText(path: string, place: Place): string | undefined {
  const name = pathInFolder(path)
  if (name === undefined)
    return refuse(place, `${path} leads out of the application's folder`, 'keep the file in the folder')
  const text = place.reading.folder.textOf(name)
  if (text !== undefined) return text
  return refuse(
    place,
    `the file ${name} is not in the application's folder`,
    'put it there, or write the values out',
  )
}

const ENV_LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:=\s*(.*))?$/

/** The variables of the files come first: what `environment` says wins, whatever stands first in the service. */
const envFile: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const at = below(place, index)
    const isOptional = mapOf(item)['required'] === false
    const path = fixedText(typeof item === 'object' ? mapOf(item)['path'] : item, at)
    if (
      path === undefined ||
      (isOptional && at.reading.folder.textOf(path.replace(/^\.\//, '')) === undefined)
    )
      continue
    const text = fileText(path, at)
    if (text !== undefined) draft.environment = { ...readEnvFile(text, at), ...draft.environment }
  }
}

/** `NAME=value` a line; `#` begins a comment; quotes around a value are taken off, and what is in single ones is as it is. */
function readEnvFile(text: string, place: Place): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue
    const [, name, raw = ''] = ENV_LINE.exec(line) ?? []
    if (name === undefined) {
      refuse(place, `line ${index + 1} of the file is not NAME=value`, 'mend it')
      continue
    }
    const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(raw)
    const value = quoted?.[2] ?? raw.replace(/\s+#.*$/, '').trim()
    const isLiteral = quoted?.[1] === "'"
    variables[name] = isLiteral ? literalTemplate(value) : (template(value, place) ?? '')
  }
  return variables
}

/** `configs` and `secrets` of a service: files in the container, whose text stands in the file's own block of that name. */
const kept =
  (kind: 'configs' | 'secrets'): KeyReader =>
  (draft, value, place) => {
    for (const [index, item] of listOf(value).entries()) {
      const at = below(place, index)
      const long = mapOf(item)
      const source = typeof item === 'string' ? item : textOf(long['source'])
      const target = typeof item === 'string' ? undefined : long['target']
      const content = contentOf(kind, source, at)
      const path = containerPath(pathOf(kind, source, target), at)
      const mode = long['mode'] === undefined ? 0o444 : Number.parseInt(textOf(long['mode']), 8)
      if (content !== undefined && path !== undefined) draft.files.push({ path, content, mode })
    }
  }

function pathOf(kind: 'configs' | 'secrets', source: string, target: unknown): string {
  const name = target === undefined ? source : textOf(target)
  if (name.startsWith('/')) return name
  return kind === 'secrets' ? `/run/secrets/${name}` : `/${name}`
}

function contentOf(kind: 'configs' | 'secrets', name: string, place: Place): string | undefined {
  const block = place.reading[kind]
  if (!Object.hasOwn(block, name))
    return refuse(place, `there is no ${name} under ${kind}`, `declare it there`)
  const declared = mapOf(block[name])
  const at = { ...place, path: [kind, name] }
  if (trueOrFalse(declared['external'] ?? false, at) === true)
    return refuse(at, 'is an object of others', 'give it a file, a content or an environment variable')
  if (typeof declared['content'] === 'string') return template(declared['content'], below(at, 'content'))
  if (typeof declared['environment'] === 'string') return `\${${declared['environment']}}`
  if (typeof declared['file'] !== 'string')
    return refuse(at, 'has no text', 'give it a file, a content or an environment variable')
  const text = fileText(fixedText(declared['file'], at) ?? '', below(at, 'file'))
  return text === undefined ? undefined : literalTemplate(text)
}

export const readFiles = { envFile, configs: kept('configs'), secrets: kept('secrets') }
