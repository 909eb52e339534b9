// Which rules the specs name, from their sources. `npm run uncovered` lists the rules that state behaviour and that no spec names.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Rule, rules } from '../../src/rules/index.ts'

// From build/spec/rules/ back to the sources.
const root = fileURLToPath(new URL('../../../spec/', import.meta.url))
const folders = ['heap', 'coredll', 'com', 'hosting', 'machine', 'trace', 'check']

/** The ids that `text` names as whole words: `HA-1` is not in `HA-10`. */
export function idsIn(text: string): string[] {
  return text.match(/(?<![\w-])[A-Z]{1,2}-\d+(?![\w-]*\w)/g) ?? []
}

/** Every id in every spec of the folders that hold the emulator to the rules. */
export function namedIds(): string[] {
  return folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('.spec.ts'))
    .flatMap((path) => idsIn(readFileSync(path, 'utf8')))
}

/** Rules that state behaviour of the emulator and that no spec names. */
export function uncovered(): Rule[] {
  const named = new Set(namedIds())
  return rules.filter(({ id, status }) => status === 'emulated' && !named.has(id))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missing = uncovered()
  for (const { id, topic, statement } of missing) process.stdout.write(`${id.padEnd(6)} ${topic}: ${statement}\n`)
  const stating = rules.filter(({ status }) => status === 'emulated').length
  process.stdout.write(`${missing.length} of ${stating} rules that state behaviour are named by no spec\n`)
  process.exitCode = missing.length === 0 ? 0 : 1
}
