import { HDR, RING_ENTRIES, RING_WORDS } from '../machine/layout.ts'
import type { Machine } from '../machine/machine.ts'
import { enter, leave, PATIENCE } from '../machine/section.ts'
import { CALLS } from './calls.ts'
import type { CallName } from './calls.ts'
import { COM_CALLS, COM_KINDS, HOST_CALLS, HOST_KINDS } from './uppercalls.ts'
import type { ComCall, ComKind, HostCall, HostKind } from './uppercalls.ts'

export type Severity = 'error' | 'warning' | 'note'

/** One place where a call breaks a rule or is left undefined by CE. */
export interface Finding {
  /** Id of the rule or choice: `ceheap rules ID` explains it. */
  readonly rule: string
  readonly severity: Severity
  readonly call: string
  /** Id of the calling thread. */
  readonly thread: number
  readonly message: string
}

export type FindingKind =
  | 'badHeap'
  | 'nullPointer'
  | 'foreign'
  | 'appPages'
  | 'otherHeap'
  | 'freed'
  | 'interior'
  | 'control'
  | 'unlistedFlags'
  | 'exceptions'
  | 'execute'
  | 'processHeap'
  | 'moveable'
  | 'nullHandle'
  | 'sharedReadonly'
  | 'fixedLimit'
  | 'overrun'
  | 'busyHeap'
  | 'badPages'
  | 'pagesThrew'
  | 'strayPages'
  | 'commitNull'
  | 'heapPages'
  | 'badOut'
  | 'misalignedOut'
  | 'structureSize'
  | 'guardSpent'
  | 'otherProcess'
  | 'since6'
  | 'sharedAlloc'
  | 'dwSize'
  | 'badSnapshot'
  | 'heapIdIsHandle'
  | 'noSection'
  | 'sectionDeleted'
  | 'sectionCopied'
  | 'sectionOverwritten'
  | 'notOwner'
  | 'sectionHeld'
  | 'sectionOwn'
  | 'sectionTwice'
  | 'sectionsFull'
  | DeathKind

/** Told of a thread that died, not by one that calls. */
export type DeathKind = 'diedInHeap' | 'diedInside' | 'diedOwning'

export interface Kind {
  /** The rule to look up; 'pointer' for the choice that speaks of bad pointers given to the call. */
  readonly rule: string
  readonly severity: Severity
  readonly text: (a: number, b: number) => string
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16).toUpperCase().padStart(8, '0')}`

/** How a call ended whose thread died in a heap; by number in the finding. */
const OUTCOMES: readonly string[] = [
  'the call has changed nothing, or all that it was to change',
  'the block that it had made and handed to nobody was freed',
  'the heap, which was being made or destroyed, is gone'
]
/** Sections of the process itself; by number in the finding. */
const INSIDES: readonly string[] = ['the process section', 'the ring of findings', "the task allocator's section"]

/** What the emulated OS itself can say about a call; `a` and `b` are the two numbers given to `raise`. */
export const KINDS: Readonly<Record<FindingKind, Kind>> = {
  badHeap: { rule: 'C-4', severity: 'error', text: (a) => `${hex(a)} is not the handle of a live heap` },
  nullPointer: {
    rule: 'pointer',
    severity: 'error',
    text: () => 'the pointer is NULL: CE, unlike desktop Windows, does not promise that this is harmless (HF-4, HR-3)'
  },
  foreign: { rule: 'pointer', severity: 'error', text: (a) => `${hex(a)} was never handed out by a heap` },
  appPages: {
    rule: 'pointer',
    severity: 'error',
    text: (a) => `${hex(a)} lies in pages that the program took with VirtualAlloc, not in a heap`
  },
  otherHeap: { rule: 'pointer', severity: 'error', text: (a) => `${hex(a)} belongs to another heap` },
  freed: { rule: 'pointer', severity: 'error', text: (a) => `${hex(a)} was freed before` },
  interior: { rule: 'pointer', severity: 'error', text: (a, b) => `${hex(a)} points into the block at ${hex(b)}, not at its start` },
  control: { rule: 'pointer', severity: 'error', text: (a) => `${hex(a)} points into the heap's own structures` },
  unlistedFlags: { rule: 'C-13', severity: 'warning', text: (a) => `flags ${hex(a)} are not in CE's table and are ignored` },
  exceptions: {
    rule: 'W-2',
    severity: 'warning',
    text: () => 'HEAP_GENERATE_EXCEPTIONS is not a CE flag: a failure returns NULL and nothing is raised'
  },
  execute: { rule: 'W-3', severity: 'warning', text: () => 'HEAP_CREATE_ENABLE_EXECUTE is not a CE flag: the heap is not made executable' },
  processHeap: { rule: 'C-12', severity: 'error', text: () => 'the process heap must not be destroyed' },
  moveable: {
    rule: 'C-14',
    severity: 'warning',
    text: (a) => `flags ${hex(a)} ask for movable memory, which CE does not have: the block is fixed`
  },
  nullHandle: { rule: 'pointer', severity: 'error', text: () => 'the handle is NULL: only LocalFree takes that (LF-2)' },
  sharedReadonly: { rule: 'C-16', severity: 'error', text: () => 'HEAP_SHARED_READONLY needs kernel mode' },
  fixedLimit: {
    rule: 'W-16',
    severity: 'error',
    text: (a) => `${a} bytes asked of a fixed heap, which refuses 0x7FFF8 (524,288 - 8) bytes and more`
  },
  overrun: { rule: 'DT-2', severity: 'error', text: (a, b) => `the block at ${hex(a)} was written past its end, first at ${hex(b)}` },
  busyHeap: {
    rule: 'C-44',
    severity: 'error',
    text: (a) => `the heap ${hex(a)} is in the middle of a call: its page callbacks cannot use it`
  },
  badPages: {
    rule: 'C-35',
    severity: 'error',
    text: (a) => `the heap's page callback answered ${hex(a)}, which is not the pages it was asked for`
  },
  pagesThrew: {
    rule: 'C-35',
    severity: 'error',
    text: () => "the heap's page callback threw an error, which is taken for an answer of 0"
  },
  strayPages: {
    rule: 'C-43',
    severity: 'error',
    text: () => 'the heap needs pages, but its page callbacks live in the thread that created it'
  },
  commitNull: {
    rule: 'C-20',
    severity: 'note',
    text: () => 'MEM_COMMIT without an address also reserves here, as on desktop Windows; CE 5.0 asks for MEM_RESERVE first'
  },
  heapPages: {
    rule: 'C-21',
    severity: 'error',
    text: (a) => `${hex(a)} lies in a heap: its pages are not the program's to free, commit or protect`
  },
  badOut: {
    rule: 'C-62',
    severity: 'error',
    text: (a, b) => `${hex(a)} is no place where the program could write ${b} bytes: the call writes nothing`
  },
  misalignedOut: {
    rule: 'C-63',
    severity: 'warning',
    text: (a) => `${hex(a)} is not a multiple of 4: many CE processors cannot write a DWORD there`
  },
  structureSize: {
    rule: 'GM-3',
    severity: 'warning',
    text: (a, b) => `the size field holds ${a}: it is to be set to ${b} before the call`
  },
  otherProcess: {
    rule: 'C-94',
    severity: 'error',
    text: (a) => `${hex(a)} is neither this process's pseudo handle nor its id: there is no other process`
  },
  since6: { rule: 'VX-1', severity: 'error', text: () => 'CE 5.0 does not have the function: a program that calls it does not link' },
  sharedAlloc: { rule: 'VX-2', severity: 'error', text: () => 'only a program in kernel mode may call it' },
  guardSpent: { rule: 'C-68', severity: 'warning', text: (a) => `${hex(a)} lies in a guard page, whose guard has gone off unseen by this` },
  dwSize: {
    rule: 'TH-11',
    severity: 'error',
    text: (a, b) => `dwSize holds ${a}: set it to ${b}, the size of the structure, before the call`
  },
  badSnapshot: { rule: 'C-74', severity: 'error', text: (a) => `${hex(a)} is not an open snapshot of this thread's` },
  heapIdIsHandle: {
    rule: 'TH-16',
    severity: 'error',
    text: (a) => `${hex(a)} is a heap handle: pass th32HeapID of the HEAPLIST32 instead`
  },
  noSection: { rule: 'C-76', severity: 'error', text: (a) => `${hex(a)} is no critical section: it was never initialised, or is deleted` },
  sectionDeleted: {
    rule: 'C-76',
    severity: 'error',
    text: (a) => `the critical section ${hex(a)} was deleted while this thread waited for it: nothing is entered`
  },
  sectionCopied: {
    rule: 'C-77',
    severity: 'error',
    text: (a, b) => `${hex(a)} is a copy of the critical section ${hex(b)}, and no section itself`
  },
  sectionOverwritten: {
    rule: 'C-78',
    severity: 'error',
    text: (a, b) => `the critical section ${hex(a)} was overwritten: its hCrit held ${hex(b)}, and is mended`
  },
  notOwner: {
    rule: 'C-79',
    severity: 'error',
    text: (a, b) => `the critical section ${hex(a)} is ${b === 0 ? "nobody's" : `thread ${b}'s`}, not this thread's`
  },
  sectionHeld: {
    rule: 'C-80',
    severity: 'error',
    text: (a, b) => `thread ${b} is inside the critical section ${hex(a)}, which therefore stays as it is`
  },
  sectionOwn: {
    rule: 'C-80',
    severity: 'warning',
    text: (a) => `this thread is still inside the critical section ${hex(a)} that it deletes`
  },
  sectionTwice: {
    rule: 'C-81',
    severity: 'warning',
    text: (a) => `the critical section ${hex(a)} was not deleted before it is initialised again`
  },
  sectionsFull: { rule: 'C-83', severity: 'error', text: (a) => `no critical section is left for ${hex(a)}: too many live at once` },
  diedInHeap: {
    rule: 'C-92',
    severity: 'error',
    text: (a, b) => `the thread ended inside the section of heap ${hex(a)}, which is free now: ${OUTCOMES[b]}`
  },
  diedInside: {
    rule: 'C-92',
    severity: 'error',
    text: (a) => `the thread ended inside ${INSIDES[a]}, which is free now: what it had begun there is done or undone`
  },
  diedOwning: {
    rule: 'CS-6',
    severity: 'error',
    text: (a) => `the thread ended inside the critical section ${hex(a)}, which is free now (C-84)`
  }
}

/** A kind of finding, of this layer or of one above. */
export type AnyKind = FindingKind | ComKind | HostKind
/** A call that a finding can name. */
export type AnyCall = CallName | ComCall | HostCall

const ALL_KINDS: Readonly<Record<AnyKind, Kind>> = { ...KINDS, ...COM_KINDS, ...HOST_KINDS }
const NAMES = Object.keys(ALL_KINDS) as AnyKind[]
const ALL_CALLS: readonly AnyCall[] = [...CALLS, ...COM_CALLS, ...HOST_CALLS]

/** Each choice on bad pointers speaks of its own functions. */
function pointerRule(call: AnyCall | ''): string {
  if ((COM_CALLS as readonly string[]).includes(call)) return 'C-53'
  if (call === 'HeapReAlloc') return 'C-6'
  if (call === 'HeapSize') return 'C-38'
  return call.startsWith('Heap') ? 'C-5' : 'C-15'
}

/** The call that a section's word names (machine/section.ts): its place in the list plus one, 0 for none. */
export function callNumber(call: AnyCall | ''): number {
  return (ALL_CALLS as readonly string[]).indexOf(call) + 1
}

/** The name of a call by that number; empty for none. */
export function nameOfCall(number: number): AnyCall | '' {
  return ALL_CALLS[number - 1] ?? ''
}

export function makeFinding(kind: AnyKind, call: AnyCall | '', thread: number, a: number, b: number): Finding {
  const { rule, severity, text } = ALL_KINDS[kind]
  return {
    rule: rule === 'pointer' ? pointerRule(call) : rule,
    severity,
    call,
    thread,
    message: `${call === '' ? '' : `${call}: `}${text(a, b)}`
  }
}

// Findings of other threads travel through a ring in system memory: kind, call, thread and two numbers an entry.

/** Leaves a finding of `thread` for the creating thread, by the hand of `who`; when the ring is full the finding is counted as lost. */
export function postFinding(
  machine: Machine,
  kind: AnyKind,
  call: AnyCall | '',
  thread: number,
  a: number,
  b: number,
  who: number = thread
): void {
  const { sys } = machine
  enter(machine, HDR.RING_LOCK, who)
  const count = sys[HDR.RING_COUNT] as number
  if (count >= RING_ENTRIES) sys[HDR.RING_LOST] = (sys[HDR.RING_LOST] as number) + 1
  else {
    const at = machine.layout.ringAt + count * RING_WORDS
    sys[at] = NAMES.indexOf(kind)
    sys[at + 1] = callNumber(call)
    sys[at + 2] = thread
    sys[at + 3] = a
    sys[at + 4] = b
    sys[HDR.RING_COUNT] = count + 1
  }
  leave(machine, HDR.RING_LOCK)
}

/** Takes what other threads left, oldest first, and how many did not fit. */
export function takeFindings(machine: Machine, thread: number): { findings: Finding[]; lost: number } {
  const { sys } = machine
  const findings: Finding[] = []
  enter(machine, HDR.RING_LOCK, thread, PATIENCE)
  for (let entry = 0; entry < (sys[HDR.RING_COUNT] as number); entry++) {
    const at = machine.layout.ringAt + entry * RING_WORDS
    const word = (offset: number): number => (sys[at + offset] as number) >>> 0
    findings.push(makeFinding(NAMES[word(0)] as AnyKind, nameOfCall(word(1)), word(2), word(3), word(4)))
  }
  sys[HDR.RING_COUNT] = 0
  const lost = sys[HDR.RING_LOST] as number
  sys[HDR.RING_LOST] = 0
  leave(machine, HDR.RING_LOCK)
  return { findings, lost }
}
