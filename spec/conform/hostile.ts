// Makes implementations that misbehave, and checks what holds of a report whatever they did.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type ConformReport, conform, conformHtml, conformJson, conformJunit, formatConform } from '../../src/conform/index.ts'
import { Folder } from '../cli/run.ts'
import { xmlProblems } from './xml.ts'

export const folder: Folder = new Folder()
export const library: string = new URL('../../src/conform/index.js', import.meta.url).href
/** Cases that any allocator can do. */
export const few: { readonly rule: string[] } = {
  rule: ['blocks/one-byte', 'blocks/two-apart', 'blocks/zeroed', 'blocks/neighbours-freed']
}
let made = 0

/** A command on this emulator that speaks the protocol; `answer` says what it prints for a call, `begin` runs first. */
export function command(answer: string, begin = ''): string {
  const path = join(folder.path, `command${++made}.mjs`)
  writeFileSync(
    path,
    `import { createInterface } from 'node:readline'
import { emulator } from '${library}'
let subject = emulator('compact-2013', 'retail')
const write = (text) => process.stdout.write(text)
const functions = ['HeapCreate', 'HeapDestroy', 'HeapAlloc', 'HeapFree', 'HeapReAlloc', 'HeapSize', 'read', 'write', 'reset']
const right = (line) => {
  const [a, b] = line.args
  if (line.call === 'reset') { subject = emulator('compact-2013', 'retail'); return { ...line, result: 0 } }
  if (line.call === 'read') return { ...line, result: 0, bytes: Buffer.from(subject.memory.read(a, b)).toString('hex') }
  if (line.call === 'write') { subject.memory.write(a, Buffer.from(line.bytes, 'hex')); return { ...line, result: 0 } }
  return { ...line, result: subject[line.call](...line.args) ?? 0 }
}
const text = (line) => JSON.stringify(right(line)) + '\\n'
let last = ''
${begin}
createInterface({ input: process.stdin }).on('line', (json) => {
  const line = JSON.parse(json)
  if (line.ceheap) return write(JSON.stringify({ ceheap: 'conform', version: 1, functions, threads: 1 }) + '\\n')
  ${answer}
})
`
  )
  return `command:"${process.execPath}" "${path}"`
}

export function module(name: string, text: string): string {
  const path = join(folder.path, name)
  writeFileSync(path, text)
  return path
}

export async function run(
  implementation: string,
  more: { face?: string[]; rule?: string[]; timeout?: number } = {}
): Promise<ConformReport> {
  const report = await conform({ implementation, face: ['growable'], rule: ['blocks'], timeout: 3000, ...more })
  // Whatever happened, every case has a result, and every form of the report can be read.
  assert.is(report.passed + report.failed + report.notApplicable + report.differing, report.cases)
  assert.equal(xmlProblems(conformJunit(report)), [])
  assert.not.match(conformHtml(report), /<script/)
  assert.equal(JSON.parse(conformJson(report)), JSON.parse(JSON.stringify(report)))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey
  assert.not.match(formatConform(report), /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/)
  return report
}

export function reasonOf(report: ConformReport, id: string): string {
  return report.results.find((one) => one.id === id)?.reason ?? ''
}
