import { InvariantError } from '../coredll/check.ts'
import type { CeProcess } from '../coredll/process.ts'

/** What `process.check()` says against the process. */
export function invariantFault(process: CeProcess): { readonly kind: 'invariant'; readonly message: string } | undefined {
  try {
    process.check()
    return undefined
  } catch (error) {
    if (error instanceof InvariantError) return { kind: 'invariant', message: error.message }
    throw error
  }
}
