import type { Group } from './groups.ts'
import type { Run } from './run.ts'

const runtimeCalls = ['malloc', 'calloc', 'realloc', 'free', '_msize']
const taskCalls = ['CoTaskMemAlloc', 'CoTaskMemRealloc', 'CoTaskMemFree', 'IMalloc::GetSize', 'IMalloc::HeapMinimize']

/** The choices that were touched, in the order of their numbers, with how many calls touched each. */
export function touchedChoices(run: Run, groups: readonly Group[], callsByName: Readonly<Record<string, number>>): Record<string, number> {
  const counts = new Map<string, number>()
  const add = (id: string, count: number): void => {
    if (id !== '' && count > 0) counts.set(id, (counts.get(id) ?? 0) + count)
  }
  for (const { verdict, call, count } of groups) {
    // HeapReAlloc has a choice of its own for the limit of fixed heaps.
    add(verdict.choice === 'C-2' && call !== 'HeapAlloc' ? 'C-9' : verdict.choice, count)
  }
  const callsOf = (names: readonly string[]): number => names.reduce((sum, name) => sum + (callsByName[name] ?? 0), 0)
  add('C-26', callsOf(runtimeCalls))
  counts.delete('C-52')
  add('C-52', callsOf(taskCalls))
  add('C-27', run.emptyHeaps)
  counts.delete('C-40')
  add('C-40', run.unknownPointers)
  const number = (id: string): number => Number(id.slice(2))
  return Object.fromEntries([...counts].sort(([a], [b]) => number(a) - number(b)))
}
