/**
 * The hot path in AssemblyScript: HeapAlloc and HeapFree where nothing is out of the ordinary, entering the heap's section and leaving it
 * inside one call of WebAssembly. V8 needs some 75 ns for the pair of calls in JavaScript and 45 for this.
 *
 * It spells out, step by step, what `allocate` and `freeBlock` do with bins.ts or cells.ts: these are the ones to read, and the ones that define
 * what happens; spec/heap/hot.spec.ts holds both against each other, pointer by pointer. Whatever is not the common case (a section that is taken, a bad
 * pointer, a big block, pages to commit, a heap to grow, a debug build) is answered with 0, and nothing has been done.
 *
 * The compiled bytes stand in hotcode.ts: `npm run hot` writes them, spec/heap/hotcode.spec.ts fails when they are stale. The constants in capitals come from
 * the TypeScript (layout.ts, block.ts, record.ts, cells.ts) when it is compiled.
 *
 * A worker that is terminated stops at the head of a loop or at the entry of a function, and nowhere else in this code. No loop lies between the
 * first store that changes a block and the last one, so a call of this path is never cut there.
 */

@external('heap', 'mapAt') declare const mapAt: i32
@external('heap', 'unitsAt') declare const unitsAt: i32
@external('heap', 'pagesAt') declare const pagesAt: i32
@external('heap', 'cellsAt') declare const cellsAt: i32
@external('heap', 'units') declare const units: i32
@external('heap', 'heapsAt') declare const heapsAt: i32
@external('heap', 'heapsEnd') declare const heapsEnd: i32
@external('heap', 'granules') declare const granules: i32
/** In a recorded process, whose code is compiled with LOGS: the thread's log, and its entries. */
@external('heap', 'log') declare const log: i32
@external('heap', 'logEntries') declare const logEntries: i32
/** Wakes one of those who wait for the section at a word. */
@external('heap', 'wake') declare function wake(at: i32): void

@inline function get(word: i32): i32 {
  return load<i32>(<usize>word << 2)
}

@inline function set(word: i32, value: i32): void {
  store<i32>(<usize>word << 2, value)
}

/** Word 0 of a block's entry. */
@inline function entry(block: i32): i32 {
  return mapAt + (block << 2)
}

// machine/section.ts, heap/record.ts

/** The record of the heap with its section entered; 0 if the handle names no record or somebody is inside. */
@inline function enter(who: i32, handle: i32): i32 {
  const record = heapsAt + (((handle >>> 2) & INDEX_MASK) << HEAP_SHIFT)
  if ((handle & 3) != 2 || record >= heapsEnd) return 0
  if (LOGS && get(log + LOG_HEAD) - get(log + LOG_LIMIT) >= 0) return 0
  return atomic.cmpxchg<i32>(<usize>record << 2, 0, who) == 0 ? record : 0
}

/** Whoever entered a section that was free is in it for the first time, so there is no count to look at. */
@inline function leave(record: i32): void {
  if (atomic.xchg<i32>(<usize>record << 2, 0) < 0) wake(record)
}

// machine/schedulegrants.ts

/** Writes the grant down. Only where something was done: else the plain path enters once more, and writes that down. */
@inline function granted(record: i32): void {
  const number = get(record + REC_GRANTS) + 1
  set(record + REC_GRANTS, number)
  const deed = (record << 2) | TAKE
  const head = get(log + LOG_HEAD)
  const open = log + LOG_WORDS + ((head & (logEntries - 1)) << 2)
  if (get(open) == deed && get(open + 1) + get(open + 2) == number) {
    set(open + 2, get(open + 2) + 1)
    return
  }
  const at = log + LOG_WORDS + (((head + 1) & (logEntries - 1)) << 2)
  set(at, deed)
  set(at + 1, number)
  set(at + 2, 1)
  set(log + LOG_HEAD, head + 1)
}

// machine/pages.ts

@inline function regionOf(block: i32): i32 {
  return get(unitsAt + (block >>> UNIT_OF_GRANULE) * UNIT_WORDS + RES_OWNER) - 1
}

@inline function granulesIn(region: i32): i32 {
  return get(unitsAt + region * UNIT_WORDS + RES_GRANULES)
}

@inline function nextRegion(region: i32): i32 {
  return get(unitsAt + region * UNIT_WORDS + RES_NEXT)
}

@inline function allCommitted(block: i32, size: i32): bool {
  const last = <u32>(block + size - 1) / GRANULES_PER_PAGE
  for (let page = <u32>block / GRANULES_PER_PAGE; page <= last; page++) {
    if ((get(pagesAt + page) & PAGE_STATE) != PAGE_COMMITTED) return false
  }
  return true
}

// heap/bins.ts

@inline function binOf(size: i32): i32 {
  if (size < 64) return size
  const shift = 26 - clz(size)
  return (shift << 5) + (size >>> shift)
}

@inline function setBits(record: i32, bin: i32): void {
  const level = bin >>> 5
  set(record + REC_SL_MAPS + level, get(record + REC_SL_MAPS + level) | (1 << bin))
  set(record + REC_FL_MAP, get(record + REC_FL_MAP) | (1 << level))
}

@inline function clearBits(record: i32, bin: i32): void {
  const level = bin >>> 5
  const lists = get(record + REC_SL_MAPS + level) & ~(1 << bin)
  set(record + REC_SL_MAPS + level, lists)
  if (lists == 0) set(record + REC_FL_MAP, get(record + REC_FL_MAP) & ~(1 << level))
}

@inline function binLink(record: i32, block: i32, bin: i32): void {
  const head = record + REC_BINS + bin
  const first = get(head)
  set(head, block)
  set(entry(block) + 1, first)
  if (first != 0) set(entry(first) + 2, block)
  else setBits(record, bin)
}

@inline function binUnlink(record: i32, block: i32, bin: i32): void {
  const head = record + REC_BINS + bin
  const next = get(entry(block) + 1)
  if (get(head) == block) {
    set(head, next)
    if (next == 0) clearBits(record, bin)
  } else {
    const previous = get(entry(block) + 2)
    set(entry(previous) + 1, next)
    if (next != 0) set(entry(next) + 2, previous)
  }
}

@inline function binReplace(record: i32, old: i32, block: i32, bin: i32): void {
  const head = record + REC_BINS + bin
  const next = get(entry(old) + 1)
  const previous = get(entry(old) + 2)
  set(entry(block) + 1, next)
  set(entry(block) + 2, previous)
  if (next != 0) set(entry(next) + 2, block)
  if (get(head) == old) set(head, block)
  else set(entry(previous) + 1, block)
}

@inline function binFind(record: i32, size: i32): i32 {
  let bin = size
  if (size >= 64) {
    const first = get(record + REC_BINS + binOf(size))
    if (get(entry(first)) >>> SIZE_SHIFT >= size) return first
    bin = binOf(size + (1 << (26 - clz(size))) - 1)
  }
  let level = bin >>> 5
  let lists = get(record + REC_SL_MAPS + level) & (-1 << bin)
  if (lists == 0) {
    const levels = get(record + REC_FL_MAP) & (-2 << level)
    if (levels == 0) return 0
    level = ctz(levels)
    lists = get(record + REC_SL_MAPS + level)
  }
  return get(record + REC_BINS + (level << 5) + ctz(lists))
}

@inline function binCarve(record: i32, block: i32, have: i32, rest: i32, left: i32): void {
  const from = binOf(have)
  const to = binOf(left)
  if (from == to) binReplace(record, block, rest, from)
  else {
    binUnlink(record, block, from)
    if (left != 0) binLink(record, rest, to)
  }
}

@inline function binMerge(record: i32, block: i32, size: i32, before: i32, ahead: i32, behind: i32): void {
  const to = binOf(ahead + size + behind)
  const from = binOf(behind)
  if (before == 0 && from == to) binReplace(record, block + size, block, to)
  else {
    if (behind != 0) binUnlink(record, block + size, from)
    const old = binOf(ahead)
    if (old != to) {
      if (before != 0) binUnlink(record, before, old)
      binLink(record, before == 0 ? block : before, to)
    }
  }
}

// heap/cells.ts

@inline function cellBound(cell: i32): i32 {
  return cellsAt + units * 64 + cell
}

@inline function unitBound(unit: i32): i32 {
  return cellsAt + units * 96 + unit
}

@inline function groupBound(region: i32, unit: i32): i32 {
  return cellsAt + units * 97 + region + ((unit - region) >>> GROUP_SHIFT)
}

@inline function lastCell(region: i32): i32 {
  return (region + <i32>(<u32>(granulesIn(region) + GRANULES_PER_UNIT - 1) / GRANULES_PER_UNIT)) * CELLS_PER_UNIT - 1
}

@inline function raise(at: i32, size: i32): void {
  if (get(at) < size) set(at, size)
}

@inline function cellAdd(region: i32, block: i32, size: i32): void {
  const word = cellsAt + (block >>> WORD_SHIFT)
  set(word, get(word) | (1 << block))
  const bound = cellBound(block >>> CELL_SHIFT)
  if (get(bound) < size) {
    set(bound, size)
    const unit = block >>> UNIT_OF_GRANULE
    raise(unitBound(unit), size)
    raise(groupBound(region, unit), size)
  }
}

@inline function cellDrop(block: i32): void {
  const word = cellsAt + (block >>> WORD_SHIFT)
  set(word, get(word) & ~(1 << block))
}

/** Both words of a cell. */
@inline function freeStarts(cell: i32): u64 {
  return load<u64>(<usize>(cellsAt + (cell << 1)) << 2)
}

@inline function findInCell(cell: i32, size: i32): i32 {
  let most = 0
  for (let bits = freeStarts(cell); bits != 0; bits &= bits - 1) {
    const block = (cell << CELL_SHIFT) + <i32>ctz(bits)
    const have = get(entry(block)) >>> SIZE_SHIFT
    if (have >= size) return block
    most = max(most, have)
  }
  set(cellBound(cell), most)
  return 0
}

@inline function findFrom(rover: i32, size: i32): i32 {
  const cell = rover >>> CELL_SHIFT
  if (get(cellBound(cell)) < size) return 0
  for (let bits = freeStarts(cell) & (<u64>-1 << <u64>(rover & 63)); bits != 0; bits &= bits - 1) {
    const block = (cell << CELL_SHIFT) + <i32>ctz(bits)
    if (get(entry(block)) >>> SIZE_SHIFT >= size) return block
  }
  return 0
}

function findInUnit(unit: i32, from: i32, last: i32, size: i32): i32 {
  const bound = unitBound(unit)
  if (get(bound) < size) return 0
  const first = unit * CELLS_PER_UNIT
  const end = min(last, first + CELLS_PER_UNIT - 1)
  let most = 0
  for (let cell = from; cell <= end; cell++) {
    const at = cellBound(cell)
    let largest = get(at)
    if (largest >= size) {
      const found = findInCell(cell, size)
      if (found != 0) return found
      largest = get(at)
    }
    if (largest > most) most = largest
  }
  if (from == first && end == first + CELLS_PER_UNIT - 1) set(bound, most)
  return 0
}

function findInCells(region: i32, from: i32, last: i32, size: i32): i32 {
  let cell = from
  while (cell <= last) {
    const unit = <i32>(<u32>cell / CELLS_PER_UNIT)
    const group = region + (((unit - region) >>> GROUP_SHIFT) << GROUP_SHIFT)
    const groupEnd = (group + (1 << GROUP_SHIFT)) * CELLS_PER_UNIT
    const bound = groupBound(region, unit)
    if (get(bound) >= size) {
      let most = 0
      let at = unit
      for (; at * CELLS_PER_UNIT < groupEnd && at * CELLS_PER_UNIT <= last; at++) {
        const found = findInUnit(at, max(cell, at * CELLS_PER_UNIT), last, size)
        if (found != 0) return found
        most = max(most, get(unitBound(at)))
      }
      if (cell == group * CELLS_PER_UNIT && at * CELLS_PER_UNIT > min(groupEnd - 1, lastCell(region))) set(bound, most)
    }
    cell = groupEnd
  }
  return 0
}

function findInRegions(region: i32, stop: i32, size: i32): i32 {
  for (let at = region; at != stop && at != 0; at = nextRegion(at)) {
    const found = findInCells(at, at * CELLS_PER_UNIT, lastCell(at), size)
    if (found != 0) return found
  }
  return 0
}

function cellFind(record: i32, size: i32): i32 {
  const start = get(record + REC_REGIONS)
  if (start == 0) return 0
  const rover = get(record + REC_ROVER)
  if (rover == 0) return findInRegions(start, 0, size)
  const near = findFrom(rover, size)
  if (near != 0) return near
  const cell = rover >>> CELL_SHIFT
  const home = regionOf(rover)
  let found = findInCells(home, cell + 1, lastCell(home), size)
  if (found == 0) found = findInRegions(nextRegion(home), 0, size)
  if (found == 0) found = findInRegions(start, home, size)
  if (found == 0) found = findInCells(home, home * CELLS_PER_UNIT, cell, size)
  return found
}

// heap/allocate.ts and heap/free.ts

/** The address of a new block of `bytes` (0 to 2^32 - 1), not zeroed; 0 if nothing was done. */
export function alloc(who: i32, handle: i32, bytes: i32): i32 {
  const record = enter(who, handle)
  if (record == 0) return 0
  const pointer = allocInside(record, handle, bytes)
  if (LOGS && pointer != 0) granted(record)
  leave(record)
  return pointer
}

@inline function allocInside(record: i32, handle: i32, bytes: i32): i32 {
  const hot = get(record + REC_HOT)
  if (get(record + REC_HANDLE) != handle || hot < 0 || <u32>bytes > <u32>hot) return 0
  const size = bytes == 0 ? 1 : (bytes + GRANULE - 1) >>> GRANULE_SHIFT
  const nextFit = get(record + REC_NEXT_FIT) != 0
  const block = nextFit ? cellFind(record, size) : binFind(record, size)
  if (block == 0) return 0
  const at = entry(block)
  const header = get(at)
  const holes = header & HOLES
  if (holes != 0 && !allCommitted(block, size)) return 0
  const have = header >>> SIZE_SHIFT
  const left = have - size
  const end = at + (size << 2)
  if (nextFit) {
    cellDrop(block)
    if (left != 0) cellAdd(regionOf(block), block + size, left)
    set(record + REC_ROVER, block)
  } else binCarve(record, block, have, block + size, left)
  if (left != 0) {
    set(end + (left << 2) - 1, ((block + size) << 1) | 1)
    set(end, (left << SIZE_SHIFT) | START | FREE | holes)
  }
  set(at + 1, bytes)
  set(at + 2, record)
  set(end - 1, block << 1)
  set(at, (size << SIZE_SHIFT) | START)
  const live = get(record + REC_LIVE_BYTES) + bytes
  set(record + REC_LIVE_BYTES, live)
  if (live > get(record + REC_PEAK_BYTES)) set(record + REC_PEAK_BYTES, live)
  return block << GRANULE_SHIFT
}

/** Frees the block at `pointer` and returns 1; 0 if nothing was done. */
export function free(who: i32, handle: i32, pointer: i32): i32 {
  const record = enter(who, handle)
  if (record == 0) return 0
  const done = freeInside(record, handle, pointer)
  if (LOGS && done != 0) granted(record)
  leave(record)
  return done
}

@inline function freeInside(record: i32, handle: i32, pointer: i32): i32 {
  const block = pointer >>> GRANULE_SHIFT
  if (get(record + REC_HANDLE) != handle || block >= granules || (pointer & (GRANULE - 1)) != 0) return 0
  const at = entry(block)
  const header = get(at)
  if ((header & (START | FREE | BIG | CONTROL)) != START || get(at + 2) != record || get(record + REC_HOT) < 0) return 0
  set(record + REC_LIVE_BYTES, get(record + REC_LIVE_BYTES) - get(at + 1))
  const size = header >>> SIZE_SHIFT
  const after = at + (size << 2)
  const region = regionOf(block)
  const first = region * GRANULES_PER_UNIT
  const next = block + size == first + granulesIn(region) ? 0 : get(after)
  const tag = block == first ? 0 : get(at - 1)
  const behind = (next & FREE) == 0 ? 0 : next >>> SIZE_SHIFT
  const before = (tag & 1) == 0 ? 0 : tag >>> 1
  const previous = before == 0 ? 0 : get(entry(before))
  const ahead = previous >>> SIZE_SHIFT
  const start = before == 0 ? block : before
  const total = ahead + size + behind
  const holes = ((behind == 0 ? 0 : next) | previous) & HOLES
  set(entry(start + total) - 1, (start << 1) | 1)
  set(entry(start), (total << SIZE_SHIFT) | START | FREE | holes)
  if (before != 0) set(at, STALE)
  if (behind != 0) set(after, STALE)
  if (get(record + REC_NEXT_FIT) != 0) {
    if (behind != 0) cellDrop(block + size)
    cellAdd(region, start, total)
    set(record + REC_ROVER, start)
  } else binMerge(record, block, size, before, ahead, behind)
  return 1
}
