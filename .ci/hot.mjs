// Compiles src/heap/hot.as to the bytes in src/heap/hotcode.ts. Wants a build: the constants come from the compiled TypeScript.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const source = new URL('../src/heap/hot.as', import.meta.url)
const target = new URL('../src/heap/hotcode.ts', import.meta.url)

/** Every numeric constant of a module, and those of its tables as TABLE_FIELD. */
async function constantsOf(name) {
  const found = {}
  for (const [key, value] of Object.entries(await import(new URL(`../build/src/${name}.js`, import.meta.url).href))) {
    if (typeof value === 'number') found[key] = value
    else if (/^[A-Z]+$/.test(key) && typeof value === 'object') {
      for (const [field, number] of Object.entries(value)) if (typeof number === 'number') found[`${key}_${field}`] = number
    }
  }
  return found
}

const MODULES = [
  'machine/layout',
  'machine/pages',
  'machine/scheduleboard',
  'machine/schedulegrants',
  'heap/block',
  'heap/record',
  'heap/cells'
]

/** Only what the source names: two modules may have a constant of the same name. */
async function prelude(text) {
  const used = new Set(text.match(/\b[A-Z][A-Z_]+\b/g))
  const lines = new Map()
  for (const name of MODULES) {
    for (const [key, value] of Object.entries(await constantsOf(name))) if (used.has(key)) lines.set(key, `const ${key}: i32 = ${value}`)
  }
  return [...lines.values()].join('\n')
}

/** The module's bytes in base64; `logs`: of the code that writes each grant down. */
export async function compileHot(logs = false) {
  const folder = mkdtempSync(join(tmpdir(), 'ceheap-hot-'))
  try {
    const text = readFileSync(source, 'utf8')
    writeFileSync(join(folder, 'hot.ts'), `${await prelude(text)}\nconst LOGS: bool = ${logs}\n${text}`)
    const memory = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--enable', 'threads']
    const options = [
      'hot.ts',
      '--outFile',
      'hot.wasm',
      '--baseDir',
      folder,
      '--runtime',
      'stub',
      '-O3',
      '--noAssert',
      '--use',
      'abort=',
      ...memory
    ]
    const { error, stderr } = await asc.main(options)
    if (error) throw new Error(`${fileURLToPath(source)}: ${stderr.toString()}`)
    return readFileSync(join(folder, 'hot.wasm')).toString('base64')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const constant = async (name, logs) => {
    const lines = (await compileHot(logs)).match(/.{1,120}/g).map((line) => `  '${line}'`)
    return `export const ${name}: string = [\n${lines.join(',\n')}\n].join('')\n`
  }
  const head = '/** src/heap/hot.as as compiled, in base64. Written by `npm run hot`: change the source, not this. */'
  const logs = '/** The same, writing each grant down. */'
  writeFileSync(target, `${head}\n${await constant('HOT_CODE', false)}\n${logs}\n${await constant('HOT_LOG_CODE', true)}`)
}
