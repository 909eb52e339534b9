import { createDestroy, manyHeaps, resizeStorm } from './heapwork.ts'
import { mixed } from './mixedwork.ts'
import type { Workload } from './workload.ts'

/** The workloads that come with the package, the default first. */
export const builtinWorkloads: readonly Workload[] = [mixed, resizeStorm as Workload, manyHeaps as Workload, createDestroy]
