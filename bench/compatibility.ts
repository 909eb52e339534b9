// npm run compatibility                                   writes bench/compatibility.md from fresh runs
// npm run compatibility -- --wine "wine conform.exe"      asks Wine too, and keeps what it answered for machines without it
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { trials } from '../src/conform/battery.ts'
import { conform } from '../src/conform/index.ts'
import { type ProfileName, profileNames } from '../src/profile.ts'
import { type Column, columnOf, compatibilityPage } from './compatibilitypage.ts'

export const pagePath: string = fileURLToPath(new URL('../../bench/compatibility.md', import.meta.url))
const winePath = fileURLToPath(new URL('../../bench/wine.json', import.meta.url))

const peers = [
  { name: 'dlmalloc', file: 'dlmalloc', about: "Doug Lea's malloc in wasm, as emnapi 1.11.3 ships it, behind [the shim](peers/shim.ts)." },
  { name: 'AssemblyScript', file: 'tlsf', about: "the heap of AssemblyScript's runtime (TLSF), behind the same shim." },
  { name: '@thi.ng/malloc', file: 'thing', about: 'an allocator in TypeScript, behind the same shim.' }
]

async function emulated(profile: ProfileName): Promise<Column> {
  return columnOf(profile, 'this emulator, retail and debug.', await conform({ profile }))
}

async function asked({ name, file, about }: (typeof peers)[number]): Promise<Column> {
  const implementation = fileURLToPath(new URL(`./peers/${file}.js`, import.meta.url))
  return columnOf(name, about, await conform({ implementation, timeout: 60_000 }))
}

/** Desktop Windows' heap, as it answered when it was asked last. */
function wineColumn(): Column {
  const column = JSON.parse(readFileSync(winePath, 'utf8')) as Column
  const today = new Set(trials({ profiles: ['compact-2013'], builds: ['retail'] }).map(({ case: { id } }) => id)).size
  if (column.cases === today) return column
  return { ...column, about: `${column.about} The battery was an older one: today's asks ${today} cases, some of them otherwise.` }
}

/** The page from runs made now. */
export async function freshPage(): Promise<string> {
  const columns: Column[] = []
  for (const profile of profileNames) columns.push(await emulated(profile))
  columns.push(wineColumn())
  for (const peer of peers) columns.push(await asked(peer))
  return compatibilityPage(columns)
}

/** What is kept is true of one day: which, of which Wine and by which command. */
function aboutWine(command: string): string {
  const [wine = ''] = command.split(' ')
  const version = execFileSync(wine, ['--version'], { encoding: 'utf8' }).trim()
  const day = new Date().toISOString().slice(0, 10)
  return (
    `the heap of desktop Windows as ${version} has it, through [conform-device.c](../examples/conform-device.c) built by mingw for 32 bits. Asked on ${day} by ` +
    `\`npm run compatibility -- --wine "${command}"\` and kept in wine.json; CI does not ask it again.`
  )
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { wine: { type: 'string' } } })
  if (values.wine !== undefined) {
    const column = columnOf('Wine', aboutWine(values.wine), await conform({ implementation: `command:${values.wine}`, timeout: 20_000 }))
    writeFileSync(winePath, `${JSON.stringify(column, null, 2)}\n`)
  }
  writeFileSync(pagePath, await freshPage())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
