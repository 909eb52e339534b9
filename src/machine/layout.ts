/**
 * The two shared buffers of an emulated process.
 *
 *   user memory   (the app sees it; a pointer is a byte offset)
 *   0         64 KB                                            memory
 *   | never   | unit 1      | unit 2      | ...                     |   unit:    64 KB, the step of reservations (VA-3)
 *   | mapped  | 16 pages    | 16 pages    |                         |   page:    4 KB  (VA-6)
 *   +---------+-------------+-------------+-------------------------+   granule: 32 bytes, the step of blocks (HA-7)
 *
 *   system memory (the app never sees it; 32-bit words)
 *   +--------+---------+--------+-------+------------+----------+-------+-------+-------+-----------+-------+
 *   | header | threads | heaps  | ring  | injections | sections | units | pages | cells | block map | marks |
 *   +--------+---------+--------+-------+------------+----------+-------+-------+-------+-----------+-------+
 *     64       1024 of   1 a      4096    8 of         16 a       8 a     1 a     98 a    4 a granule 1 a granule
 *     words    16 words  unit,    words   16 words     unit,      unit    page    unit    (heap/      (heap/
 *                        1024 w.          (failures.ts) 8 words           (heap/cells.ts)  block.ts)   marks.ts)
 *                                                      (sectiontable.ts)
 *
 * A heap needs at least one reservation, so with one heap record a unit the address space runs out before the heap table does.
 */
export const UNIT = 0x10000
export const UNIT_SHIFT = 16
export const PAGE = 0x1000
export const PAGE_SHIFT = 12
export const GRANULE = 32
export const GRANULE_SHIFT = 5
export const PAGES_PER_UNIT: number = UNIT / PAGE
export const GRANULES_PER_PAGE: number = PAGE / GRANULE
export const GRANULES_PER_UNIT: number = UNIT / GRANULE
/** granule >>> UNIT_OF_GRANULE = its unit */
export const UNIT_OF_GRANULE: number = UNIT_SHIFT - GRANULE_SHIFT

export const MAGIC = 0x0ce4ea90
export const LAYOUT_VERSION = 3

export const HEADER_WORDS = 64
export const THREAD_WORDS = 16
export const MAX_THREADS = 1024
export const HEAP_WORDS = 1024
export const HEAP_SHIFT = 10
export const UNIT_WORDS = 8
export const RING_ENTRIES = 512
export const RING_WORDS = 8
export const MAX_INJECTIONS = 8
export const INJECTION_WORDS = 16
export const SECTIONS_PER_UNIT = 16
export const SECTION_WORDS = 8
export const SECTION_SHIFT = 3
/** Where a heap's record counts its grants (heap/record.ts). */
export const HEAP_GRANTS = 11
/** The buffer of section counters (counts.ts): entries, and bytes in all. */
export const COUNT_ENTRIES = 4096
export const COUNT_WORDS = 16
export const COUNTS_BYTES: number = (COUNT_ENTRIES + 1) * COUNT_WORDS * 4

/** Words of the header, by offset in system memory. */
export const HDR = {
  MAGIC: 0,
  VERSION: 1,
  CLOSED: 2,
  UNITS: 3,
  PHYSICAL: 4, // pages that may be committed at once
  COMMITTED: 5, // pages committed now, over all reservations
  PEAK_COMMITTED: 6,
  LOCK: 8, // the process section: units, pages, taking a heap record
  LOCK_COUNT: 9,
  PROFILE: 10,
  DEBUG: 11,
  PLACEMENT: 12,
  KERNEL_MODE: 13,
  BIG_BLOCK: 14,
  REGION: 15,
  PROCESS_HEAP: 16,
  THREADS: 17, // thread slots ever used
  HEAPS: 18, // heap records ever used
  LISTENING: 19, // somebody wants the findings of threads other than his own
  RING_LOCK: 20,
  RING_LOCK_COUNT: 21,
  RING_COUNT: 22, // findings that wait
  RING_LOST: 24,
  LOCK_TIMEOUT: 25, // milliseconds, 0 for none
  USER_DIRTY: 26, // user memory was brought by the caller: its bytes are not known to be zero
  TICKETS: 27, // tokens given out
  LOW: 28, // memory is low while fewer pages than this can be committed (pressure.ts)
  IS_LOW: 29,
  HIBERNATIONS: 30, // how often memory became low
  OVERDRAWN: 31, // pages that were committed when the budget was lowered below them
  INJECTING: 32, // what failures are injected into (failures.ts)
  SECTIONS: 33, // records of critical sections ever used
  HOST_BYTES: 34, // bytes that the CLR hosts of the process have handed out (hosting/)
  HOST_DOWN: 35, // a request at process level failed: the CLR is disabled (HO-5)
  HOST_GIVEN: 36, // how often something was given back to a host: requests that wait park here
  SPY_MARKING: 37, // marks are changing (heap/marks.ts): found set by who enters the spy section, they are to be counted anew
  SPY_LOCK: 40, // held from Pre to Post of a spied call (com/, SP-13)
  SPY_LOCK_COUNT: 41,
  SPY: 42, // number of the spy that is registered, 0 for none
  SPY_THREAD: 43, // where it lives
  SPY_PENDING: 44, // its revoke waits for its last block (SP-6)
  SPY_BLOCKS: 45, // live blocks that were allocated under it
  SPY_NUMBERS: 46, // spies ever registered
  SPY_UNSEEN: 47, // calls that this spy was not shown
  DYING: 48, // not 0 while there are threads that process.terminateThread has ended and that have not noticed (threads.ts)
  LEFT_RESERVED: 49, // first unit of a reservation that a dead owner of the process section had made and told nobody of
  REDO: 50, // a change of pages that is under way (pages.ts): what, first page, last page, word
  REDO_FIRST: 51,
  REDO_LAST: 52,
  REDO_WORD: 53,
  LOCK_GRANTS: 54, // how often the section was entered, in a recorded process (schedulegrants.ts)
  SPY_GRANTS: 55,
  HOSTS: 56, // CLR hosts ever opened
  TERMINATIONS: 57 // how often process.terminateThread has ended a thread
} as const

export interface Layout {
  readonly units: number
  readonly pages: number
  readonly threadsAt: number
  readonly heapsAt: number
  readonly ringAt: number
  readonly injectionsAt: number
  readonly sectionsAt: number
  readonly unitsAt: number
  readonly pagesAt: number
  readonly cellsAt: number
  readonly cellWords: number
  readonly mapAt: number
  readonly marksAt: number
  readonly words: number
}

/** Where the parts of system memory lie, in words, for a user memory of `units` times 64 KB. */
export function layoutFor(units: number): Layout {
  const pages = units * PAGES_PER_UNIT
  const threadsAt = HEADER_WORDS
  const heapsAt = threadsAt + MAX_THREADS * THREAD_WORDS
  const ringAt = heapsAt + units * HEAP_WORDS
  const injectionsAt = ringAt + RING_ENTRIES * RING_WORDS
  const sectionsAt = injectionsAt + MAX_INJECTIONS * INJECTION_WORDS
  const unitsAt = sectionsAt + units * SECTIONS_PER_UNIT * SECTION_WORDS
  const pagesAt = unitsAt + units * UNIT_WORDS
  const cellsAt = pagesAt + pages
  // A bit for each granule and three levels of bounds above them (heap/cells.ts).
  const cellWords = units * 98
  // Four words to a cache line of 64 bytes: a granule's entry never straddles two lines.
  const mapAt = (cellsAt + cellWords + 15) & ~15
  const granules = units * GRANULES_PER_UNIT
  const marksAt = mapAt + granules * 4
  return {
    units,
    pages,
    threadsAt,
    heapsAt,
    ringAt,
    injectionsAt,
    sectionsAt,
    unitsAt,
    pagesAt,
    cellsAt,
    cellWords,
    mapAt,
    marksAt,
    words: marksAt + granules
  }
}
