/** COM's task allocator: IMalloc, the CoTaskMem functions, and the spy on them. */
export { openCom, spyState } from './com.ts'
export type { CoGetMallocResult, Com } from './com.ts'
export type { IMalloc } from './malloc.ts'
export type { IMallocSpy, NewRequest } from './spy.ts'
export type { Interface } from '../coredll/unknown.ts'
export type { SpyState } from '../coredll/spyregistration.ts'
