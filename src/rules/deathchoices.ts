import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

/** Threads that end in the middle of a call. */
export const deathChoices: readonly Rule[] = section('Our choices', [
  rule('C-92', 'choice', '', 'emulated', {
    statement:
      'A thread that ends inside a call leaves its sections free and the heap whole. What the call had made and given to nobody is undone; a ' +
      'block that was being freed is live or free; one that was being resized has its old size or its new one, and where it moves one of the ' +
      'two is left, with its contents. A finding names the thread, the call and the section.',
    source: [ourChoice, 'leans on CS-6'],
    seeAlso: ['CS-6', 'C-84', 'C-93'],
    advice:
      'Let no thread be ended from outside: ask it to end, and wait for it. On a device the section may stay taken, and every other call on ' +
      'the heap wait for ever.'
  }),
  rule('C-93', 'choice', '', 'emulated', {
    statement:
      'TerminateThread is process.terminateThread: it ends a thread at its next call, or at the wait that it is in, which throws ' +
      'ThreadTerminated, as does every call that the thread makes afterwards. What it owned is free then, and its blocks stay live.',
    value: 'true; false for a thread that has been ended already',
    source: [ourChoice, 'no page on TerminateThread was read'],
    seeAlso: ['CS-6', 'C-84', 'C-92'],
    advice: 'Avoid TerminateThread: what the thread had allocated is lost, and what it was changing is half changed.'
  })
])
