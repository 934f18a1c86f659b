// What every process of the project is started with (`node --import`). Node runs TypeScript by itself, but not the `.tsx` of the
// pages: they are transformed here, once for each content. Compiled code of all modules is kept too: a start then costs half.
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire, enableCompileCache, registerHooks } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'clouder')
const pages = join(folder, 'pages')
const options = {
  loader: 'tsx',
  format: 'esm',
  target: 'esnext',
  jsx: 'automatic',
  jsxImportSource: 'hono/jsx',
  sourcemap: 'inline',
}

/** There is one kept file for each page; its last line says of which content it is. */
function readTransformed(url) {
  const path = fileURLToPath(url)
  const source = readFileSync(path, 'utf8')
  const file = join(pages, `${hash(path)}.mjs`)
  const mark = `\n// ${hash(JSON.stringify([options, source]))}\n`
  const kept = readKept(file)
  if (kept?.endsWith(mark)) return kept
  const { code } = require('esbuild').transformSync(source, { ...options, sourcefile: path })
  keep(file, code + mark)
  return code
}

function hash(text) {
  return createHash('sha256').update(text).digest('hex')
}

function readKept(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** Whole or not at all, whoever else writes it. Where nothing can be kept, it is transformed each time. */
function keep(file, text) {
  try {
    mkdirSync(pages, { recursive: true })
    const unfinished = `${file}.${randomUUID()}`
    writeFileSync(unfinished, text)
    renameSync(unfinished, file)
  } catch {
    // The next start does it again.
  }
}

registerHooks({
  load: (url, context, nextLoad) =>
    url.endsWith('.tsx')
      ? { format: 'module', source: readTransformed(url), shortCircuit: true }
      : nextLoad(url, context),
})
enableCompileCache(join(folder, 'compiled'))
