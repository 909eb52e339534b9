import { functionsOf, statementsOf } from './case.ts'
import { cases } from './cases.ts'
import { facesOf, scriptOn } from './faces.ts'

/** Every name that some case calls or needs. */
export const batteryCalls: readonly string[] = [
  ...new Set(cases.flatMap((one) => facesOf(one).flatMap((face) => [...functionsOf(statementsOf(scriptOn(one, face)))])))
]
