import { celog } from './celog.ts'
import { choices } from './choices.ts'
import { functions, numbers } from './codes.ts'
import { comChoices } from './comchoices.ts'
import { coGetMalloc, coTaskMem, iMalloc } from './com.ts'
import { criticalSections } from './critical.ts'
import { deathChoices } from './deathchoices.ts'
import { flags } from './flags.ts'
import { globalAlloc, globalMemoryStatus } from './global.ts'
import { heapAlloc, heapFree, heapReAlloc } from './heapalloc.ts'
import { ceHeapCreate, heapCreate, heapDestroy } from './heapcreate.ts'
import { getProcessHeap, heapCompact, heapSize, heapValidate } from './heapsize.ts'
import { hostChoices } from './hostchoices.ts'
import { hosting } from './hosting.ts'
import { internals } from './internals.ts'
import { localAlloc, localFree, localMacros, localReAlloc, localSize } from './local.ts'
import { listenerChoices } from './listenerchoices.ts'
import { moreChoices } from './morechoices.ts'
import { porting } from './porting.ts'
import { regionChoices } from './regionchoices.ts'
import type { Rule } from './rule.ts'
import { sectionChoices } from './sectionchoices.ts'
import { mallocSpy } from './spy.ts'
import { toolHelp, toolHelpChoices } from './toolhelp.ts'
import { tools } from './tools.ts'
import { addressSpace, virtualAlloc, virtualAllocEx, virtualFree, virtualProtect, virtualQuery } from './virtual.ts'
import { virtualChoices } from './virtualchoices.ts'

export type { Basis, Rule, Status } from './rule.ts'

/** Every rule, section by section; within a family in the order of the numbers. */
export const rules: readonly Rule[] = [
  numbers,
  functions,
  flags,
  heapCreate,
  ceHeapCreate,
  heapDestroy,
  heapAlloc,
  heapReAlloc,
  heapFree,
  heapSize,
  heapValidate,
  heapCompact,
  getProcessHeap,
  localAlloc,
  localReAlloc,
  localFree,
  localSize,
  localMacros,
  globalAlloc,
  globalMemoryStatus,
  virtualAlloc,
  virtualFree,
  virtualProtect,
  virtualQuery,
  virtualAllocEx,
  addressSpace,
  internals,
  criticalSections,
  toolHelp,
  coGetMalloc,
  iMalloc,
  coTaskMem,
  mallocSpy,
  hosting,
  tools,
  porting,
  celog,
  choices,
  moreChoices,
  comChoices,
  virtualChoices,
  toolHelpChoices,
  sectionChoices,
  hostChoices,
  deathChoices,
  regionChoices,
  listenerChoices
].flat()

const byId: ReadonlyMap<string, Rule> = new Map(rules.map((entry) => [entry.id, entry]))

/** The rule of that id in any case (`ha-2`), or undefined. Throws a TypeError for what is not a string. */
export function ruleById(id: string): Rule | undefined {
  return byId.get(words(id).toUpperCase())
}

/**
 * Rules for a text, in any case. A family (`HA`) or the beginning of an id (`HA-1`) gives the rules whose ids begin so; a topic
 * (`HeapAlloc`) or any other words give the rules that contain all of them, those with them in the topic first. A blank text gives none.
 * Throws a TypeError for what is not a string.
 */
export function searchRules(text: string): Rule[] {
  const wanted = words(text).toLowerCase()
  if (wanted === '') return []
  const ids = rules.filter(({ id }) => id.toLowerCase().startsWith(wanted.includes('-') ? wanted : `${wanted}-`))
  if (ids.length > 0) return ids
  const all = wanted.split(/\s+/)
  const inTopic = rules.filter(({ topic }) => holds(topic, all))
  const elsewhere = rules.filter((entry) => !inTopic.includes(entry) && holds(allText(entry), all))
  return [...inTopic, ...elsewhere]
}

function words(text: string): string {
  if (typeof text !== 'string') throw new TypeError(`rules: expected a string, got ${text === null ? 'null' : typeof text}`)
  return text.trim()
}

function holds(text: string, all: readonly string[]): boolean {
  const lower = text.toLowerCase()
  return all.every((word) => lower.includes(word))
}

function allText({ id, topic, statement, value, versions, advice = '' }: Rule): string {
  return [id, topic, statement, value, versions, advice].join('\n')
}
