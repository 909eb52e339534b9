import { isDword, notDword } from '../errors.ts'
import { touch } from '../machine/access.ts'
import type { Access } from '../machine/access.ts'
import { needOpen } from './caller.ts'
import type { Caller } from './caller.ts'
import { whoIn } from './who.ts'

/** IsBadReadPtr and its relatives: 1 if the bytes cannot be accessed, 0 if they can or are none. They touch the memory, and so set a guard off. */
function isBad(
  ce: Caller,
  call: 'IsBadReadPtr' | 'IsBadWritePtr' | 'IsBadCodePtr',
  address: number,
  bytes: number,
  access: Access
): number {
  needOpen(ce, call)
  const { at, guard } = touch(ce.machine, whoIn(ce, call), address, bytes, access)
  if (guard) ce.raise('guardSpent', call, at)
  return at < 0 ? 0 : 1
}

export function isBadReadPtr(ce: Caller, lp: number, ucb: number): number {
  if (!isDword(lp)) throw notDword('IsBadReadPtr', 'lp', lp)
  if (!isDword(ucb)) throw notDword('IsBadReadPtr', 'ucb', ucb)
  return isBad(ce, 'IsBadReadPtr', lp, ucb, 'read')
}

export function isBadWritePtr(ce: Caller, lp: number, ucb: number): number {
  if (!isDword(lp)) throw notDword('IsBadWritePtr', 'lp', lp)
  if (!isDword(ucb)) throw notDword('IsBadWritePtr', 'ucb', ucb)
  return isBad(ce, 'IsBadWritePtr', lp, ucb, 'write')
}

/** One byte: the call takes no size. */
export function isBadCodePtr(ce: Caller, lpfn: number): number {
  if (!isDword(lpfn)) throw notDword('IsBadCodePtr', 'lpfn', lpfn)
  return isBad(ce, 'IsBadCodePtr', lpfn, 1, 'read')
}
