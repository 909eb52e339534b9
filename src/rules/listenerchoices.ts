import type { Rule } from './rule.ts'
import { rule, section } from './rule.ts'
import { ourChoice } from './source.ts'

/** Functions of the program that the library calls. */
export const listenerChoices: readonly Rule[] = section('Our choices', [
  rule('C-97', 'choice', '', 'emulated', {
    statement:
      'What a listener or a callback of the program throws never takes the place of the answer of the call that it is told of, and keeps no other listener from being told. The error ' +
      'is thrown apart, once the JavaScript that is running has ended, as from an event listener: uncaught unless the thread handles uncaught errors.',
    source: [ourChoice, 'leans on event listeners of browsers and Node'],
    seeAlso: ['C-35', 'C-60', 'C-90'],
    advice: 'Catch what a listener may throw where it is thrown.'
  })
])
