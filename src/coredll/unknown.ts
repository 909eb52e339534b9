import { IID_IUnknown } from '../constants.ts'

/** What QueryInterface answers: an HRESULT, and the interface or null. */
export interface Interface<T> {
  readonly hr: number
  readonly ppvObject: T | null
}

/** Whether an object whose interface is `own` has the interface `riid`: its own or IUnknown, in any case, with or without braces. */
export function hasInterface(riid: string, own: string): boolean {
  const iid = riid.replace(/^\{(.*)\}$/, '$1').toLowerCase()
  return iid === own || iid === IID_IUnknown
}
