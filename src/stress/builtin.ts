import { createDestroy, manyHeaps, resizeStorm } from './heapwork.ts'
import { mixed } from './mixedwork.ts'
import { bleeding, producerConsumer, recursion } from './sectionwork.ts'
import type { Workload } from './workload.ts'

/** The workloads that come with the package, the default first. */
export const builtinWorkloads: readonly Workload[] = [
  bleeding as Workload,
  producerConsumer as Workload,
  resizeStorm as Workload,
  manyHeaps as Workload,
  createDestroy,
  recursion as Workload,
  mixed
]
