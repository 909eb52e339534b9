// What every way to a block of memory promises, run over each of them.
import { caseOf, type ConformCase, family, type GroupRules } from './case.ts'

const allocates: GroupRules = { heap: 'HA-6', local: 'LA-8', com: 'IM-3 CT-1', host: 'HO-8' }
const resizes: GroupRules = { heap: 'HR-4 HR-8', local: 'LR-4', com: 'IM-7 CT-2' }

export const blockCases: readonly ConformCase[] = family('blocks', [
  caseOf('one-byte', allocates, 'a block of 1 byte is a block', 'p = alloc(1) -> pointer\nfree(p) -> ok'),
  caseOf(
    'whole-block',
    allocates,
    'every byte that was asked for can be written and read',
    `p = alloc(1000) -> pointer
     fill(p, 1000, 0xA5)
     bytes(p, 1000) -> all 0xA5`
  ),
  caseOf(
    'two-apart',
    allocates,
    'two blocks share no byte',
    `p = alloc(100) -> pointer
     fill(p, 100, 0x11)
     q = alloc(100) -> pointer, not p
     fill(q, 100, 0x22)
     bytes(p, 100) -> all 0x11
     bytes(q, 100) -> all 0x22`
  ),
  caseOf(
    'many-apart',
    allocates,
    'a block keeps its bytes while others come and go around it',
    `a = alloc(64) -> pointer
     p = alloc(333) -> pointer
     fill(p, 333, 0x5A)
     free(a) -> ok
     repeat 50: x = alloc(48) -> pointer, not p; fill(x, 48, 0xFF)
     bytes(p, 333) -> all 0x5A`
  ),
  caseOf(
    'sizes-apart',
    allocates,
    'blocks of sizes around granules and pages share no byte',
    `a = alloc(1) -> pointer
     b = alloc(31) -> pointer
     c = alloc(32) -> pointer
     d = alloc(33) -> pointer
     e = alloc(4095) -> pointer
     f = alloc(4096) -> pointer
     g = alloc(4097) -> pointer
     i = alloc(0x4000) -> pointer
     fill(a, 1, 1)
     fill(b, 31, 2)
     fill(c, 32, 3)
     fill(d, 33, 4)
     fill(e, 4095, 5)
     fill(f, 4096, 6)
     fill(g, 4097, 7)
     fill(i, 0x4000, 8)
     bytes(a, 1) -> all 1
     bytes(b, 31) -> all 2
     bytes(c, 32) -> all 3
     bytes(d, 33) -> all 4
     bytes(e, 4095) -> all 5
     bytes(f, 4096) -> all 6
     bytes(g, 4097) -> all 7
     bytes(i, 0x4000) -> all 8`
  ),
  caseOf(
    'neighbours-freed',
    { heap: 'HA-3', local: 'LA-6', com: 'IM-3', host: 'HO-8' },
    'freeing both neighbours leaves the block between them as it is',
    `a = alloc(96) -> pointer
     b = alloc(96) -> pointer
     c = alloc(96) -> pointer
     fill(b, 96, 0x3C)
     free(a) -> ok
     free(c) -> ok
     d = alloc(200) -> pointer, not b
     fill(d, 200, 0xC3)
     bytes(b, 96) -> all 0x3C`
  ),
  caseOf(
    'reuse-when-full',
    { heap: 'HF-5 HI-1', local: 'LF-1', com: 'IM-8 CT-4', host: 'HO-10' },
    'what is freed can be allocated again, for ever',
    'repeat 200: p = alloc(0x8000) -> pointer; free(p) -> ok'
  ),
  caseOf(
    'reuse-pair',
    { heap: 'HF-5 HI-1', local: 'LF-1', com: 'IM-8 CT-4', host: 'HO-10' },
    'free blocks are merged, so that turns of small and large blocks do not eat the memory up',
    `repeat 150: a = alloc(0x3000) -> pointer; b = alloc(0x5000) -> pointer; free(a) -> ok; free(b) -> ok; c = alloc(0x7000) -> pointer; free(c) -> ok`
  ),
  caseOf(
    'too-large',
    { heap: 'HA-4', local: 'LA-7', com: 'IM-3 CT-1', host: 'HO-8' },
    'a request of nearly 4 GB gives NULL',
    'p = alloc(0xFFFF0000) -> NULL'
  ),
  caseOf(
    'too-large-wraps',
    { heap: 'HA-4 W-15', local: 'LA-7 W-15', com: 'IM-3 W-15', host: 'HO-8' },
    'the arithmetic of a size does not wrap to a small block',
    'p = alloc(0xFFFFFFFF) -> NULL\np = alloc(0xFFFFFFE1) -> NULL\np = alloc(0xFFFFFFF8) -> NULL'
  ),
  caseOf(
    'after-failure',
    { heap: 'HA-4', local: 'LA-7', com: 'IM-3 CT-1', host: 'HO-8' },
    'a failed request leaves the allocator as it was',
    `p = alloc(64) -> pointer
     fill(p, 64, 0x77)
     q = alloc(0x80000000) -> NULL
     r = alloc(64) -> pointer, not p
     bytes(p, 64) -> all 0x77`
  ),
  caseOf(
    'exhausted',
    { heap: 'HA-4 HC-4', local: 'LA-7', com: 'IM-3 CT-1', host: 'HO-8' },
    'memory that is used up gives NULL',
    'drain 5000: p = alloc(0x10000)'
  ),
  caseOf(
    'exhausted-and-back',
    { heap: 'HA-4 HF-5', local: 'LA-7 LF-1', com: 'IM-3 IM-8 CT-4', host: 'HO-8 HO-10' },
    'after memory was used up, freeing a block makes room for another',
    `drain 5000: p = alloc(0x10000)
     free(p) -> ok
     q = alloc(0x4000) -> pointer`
  ),
  caseOf(
    'address',
    { heap: 'VL-3', local: 'VL-3', com: 'VL-3', host: 'VL-3' },
    'no block lies in the lowest 64 KB, which are never mapped',
    'p = alloc(32) -> >= 0x10000'
  ),
  caseOf(
    'size-enough',
    { heap: 'HS-1 HA-6', local: 'LS-1 LA-8', com: 'IM-9' },
    'the size that is told is at least what was asked for',
    `p = alloc(1) -> pointer
     size(p) -> >= 1, < 0x10000
     q = alloc(500) -> pointer
     size(q) -> >= 500, < 0x10000
     r = alloc(0x7000) -> pointer
     size(r) -> >= 0x7000, < 0x20000`
  ),
  caseOf(
    'size-usable',
    { heap: 'HA-6', local: 'LA-8', com: 'IM-9' },
    'two blocks of the sizes that are told do not overlap',
    `p = alloc(50) -> pointer
     q = alloc(50) -> pointer
     n = size(p) -> >= 50, < 0x10000
     m = size(q) -> >= 50, < 0x10000
     fill(p, n, 0x99)
     fill(q, m, 0x66)
     bytes(p, n) -> all 0x99`
  ),
  caseOf(
    'size-31-32-33',
    { heap: 'HS-3 HS-4 HA-7', local: 'LS-2 LA-8' },
    'the size told is rounded to 32 on retail, exact on debug',
    `a = alloc(31) -> pointer
     size(a) -> size 31
     b = alloc(32) -> pointer
     size(b) -> size 32
     c = alloc(33) -> pointer
     size(c) -> size 33`
  ),
  caseOf(
    'size-one',
    { heap: 'HS-3 HS-4 HA-7', local: 'LS-2 LA-8' },
    'the size told of 1 byte is 32 on retail, 1 on debug',
    'p = alloc(1) -> pointer\nsize(p) -> size 1'
  ),
  caseOf(
    'size-large',
    { heap: 'HS-3 HS-4', local: 'LS-2 LA-8' },
    'the size told of a large block follows the same rule',
    'p = alloc(10001) -> pointer\nsize(p) -> size 10001'
  ),
  caseOf(
    'size-stays',
    { heap: 'HS-1', local: 'LS-1', com: 'IM-9' },
    'the size of a block does not change by other calls',
    `p = alloc(77) -> pointer
     n = size(p) -> >= 77
     q = alloc(500) -> pointer
     free(q) -> ok
     size(p) -> n`
  ),
  caseOf(
    'zeroed',
    { heap: 'FL-3', local: 'LA-3' },
    'a zeroed block is zero over the requested bytes',
    'p = zalloc(5000) -> pointer\nbytes(p, 5000) -> all 0'
  ),
  caseOf(
    'zeroed-after-use',
    { heap: 'FL-3', local: 'LA-3' },
    'memory that was used before is zeroed too',
    `repeat 20: p = alloc(600) -> pointer; fill(p, 600, 0xEE); free(p) -> ok; q = zalloc(600) -> pointer; bytes(q, 600) -> all 0; fill(q, 600, 0xDD); free(q) -> ok`
  ),
  caseOf(
    'grow-keeps',
    { heap: 'HR-2 HR-4', local: 'LR-4', com: 'IM-7 CT-2' },
    'growing keeps the contents',
    `p = alloc(100) -> pointer
     fill(p, 100, 0x42)
     q = resize(p, 4000) -> pointer
     bytes(q, 100) -> all 0x42
     fill(q, 4000, 0x43)
     bytes(q, 4000) -> all 0x43`
  ),
  caseOf(
    'grow-blocked',
    { heap: 'HR-5 HR-2', local: 'LR-4', com: 'IM-7 CT-2' },
    'a block that cannot grow where it is moves with its contents',
    `p = alloc(64) -> pointer
     q = alloc(64) -> pointer
     fill(p, 64, 0x10)
     fill(q, 64, 0x20)
     r = resize(p, 3000) -> pointer, not q
     bytes(r, 64) -> all 0x10
     bytes(q, 64) -> all 0x20`
  ),
  caseOf(
    'grow-not-into-neighbour',
    resizes,
    'a block that grew does not reach into its neighbour',
    `p = alloc(64) -> pointer
     q = alloc(64) -> pointer
     fill(q, 64, 0x20)
     r = resize(p, 200) -> pointer
     fill(r, 200, 0x30)
     bytes(q, 64) -> all 0x20`
  ),
  caseOf(
    'shrink-keeps',
    resizes,
    'shrinking keeps the contents that are left',
    `p = alloc(3000) -> pointer
     fill(p, 3000, 0x18)
     q = resize(p, 40) -> pointer
     bytes(q, 40) -> all 0x18`
  ),
  caseOf(
    'shrink-gives-back',
    resizes,
    'what shrinking gives back can be used by others and stays apart',
    `p = alloc(3000) -> pointer
     q = resize(p, 40) -> pointer
     fill(q, 40, 0x18)
     r = alloc(2000) -> pointer, not q
     fill(r, 2000, 0x81)
     bytes(q, 40) -> all 0x18`
  ),
  caseOf(
    'same-size',
    resizes,
    'resizing to the same size keeps everything',
    `p = alloc(128) -> pointer
     fill(p, 128, 0x61)
     q = resize(p, 128) -> pointer
     bytes(q, 128) -> all 0x61
     free(q) -> ok`
  ),
  caseOf(
    'grow-by-one',
    resizes,
    'growing a byte at a time keeps every byte',
    `p = alloc(1) -> pointer
     fill(p, 1, 9)
     q = resize(p, 2) -> pointer
     r = resize(q, 32) -> pointer
     s = resize(r, 33) -> pointer
     t = resize(s, 65) -> pointer
     bytes(t, 1) -> all 9`
  ),
  caseOf(
    'grow-and-shrink',
    resizes,
    'growing and shrinking for ever needs no more memory',
    'p = alloc(0x1000) -> pointer\nrepeat 60: p = resize(p, 0x9000) -> pointer; p = resize(p, 0x1000) -> pointer'
  ),
  caseOf(
    'resize-size',
    { heap: 'HR-8', local: 'LR-4', com: 'IM-7 IM-9' },
    'the size told after a resize is at least the new one',
    `p = alloc(100) -> pointer
     q = resize(p, 1000) -> pointer
     size(q) -> >= 1000
     r = resize(q, 10) -> pointer
     size(r) -> >= 10`
  ),
  caseOf(
    'resize-size-exact',
    { heap: 'HS-3 HS-4 HR-8', local: 'LS-2' },
    'the size told after a resize is the new one, by the rule of the build',
    'p = alloc(100) -> pointer\nq = resize(p, 1001) -> pointer\nsize(q) -> size 1001\nr = resize(q, 45) -> pointer\nsize(r) -> size 45'
  ),
  caseOf(
    'resize-too-large',
    { heap: 'HR-6', local: 'LR-6', com: 'IM-6' },
    'a resize to nearly 4 GB gives NULL',
    'p = alloc(100) -> pointer\nq = resize(p, 0xFFFF0000) -> NULL\nr = resize(p, 0xFFFFFFFF) -> NULL'
  ),
  caseOf(
    'resize-fails-keeps',
    { heap: 'HR-7', local: 'LR-6', com: 'IM-6' },
    'a resize that fails leaves the block, its contents and its size',
    `p = alloc(100) -> pointer
     fill(p, 100, 0x7E)
     n = size(p) -> >= 100
     q = resize(p, 0xF0000000) -> NULL
     bytes(p, 100) -> all 0x7E
     size(p) -> n
     free(p) -> ok`
  ),
  caseOf(
    'resize-fails-keeps-bytes',
    { heap: 'HR-7', local: 'LR-6', com: 'IM-6 CT-2' },
    'a resize that fails leaves the contents',
    'p = alloc(100) -> pointer\nfill(p, 100, 0x7E)\nq = resize(p, 0xF0000000) -> NULL\nbytes(p, 100) -> all 0x7E\nfree(p) -> ok'
  ),
  caseOf(
    'resize-when-full',
    { heap: 'HR-7', local: 'LR-6', com: 'IM-6 CT-2' },
    'a resize for which there is no memory gives NULL and keeps the block',
    `p = alloc(100) -> pointer
     fill(p, 100, 0x7E)
     drain 5000: x = alloc(0x8000)
     q = resize(p, 0x90000) -> NULL
     bytes(p, 100) -> all 0x7E`
  ),
  caseOf(
    'zero-resize',
    { heap: 'HR-2', local: 'LR-5' },
    'a zeroing resize keeps the contents and zeroes what it adds beyond the block',
    `p = zalloc(64) -> pointer
     fill(p, 64, 0x33)
     q = zresize(p, 640) -> pointer
     bytes(q, 64) -> all 0x33
     bytes(q + 64, 576) -> all 0`
  ),
  caseOf(
    'zero-resize-used',
    { heap: 'HR-2', local: 'LR-5' },
    'a zeroing resize zeroes memory that was used before',
    `a = alloc(4000) -> pointer
     fill(a, 4000, 0xCC)
     free(a) -> ok
     p = zalloc(64) -> pointer
     fill(p, 64, 0x33)
     q = zresize(p, 3200) -> pointer
     bytes(q, 64) -> all 0x33
     bytes(q + 64, 3136) -> all 0`
  ),
  caseOf(
    'zero-resize-shrink',
    { heap: 'HR-2', local: 'LR-5' },
    'a zeroing resize that shrinks touches nothing that stays',
    'p = alloc(512) -> pointer\nfill(p, 512, 0x44)\nq = zresize(p, 128) -> pointer\nbytes(q, 128) -> all 0x44'
  ),
  caseOf(
    'alignment',
    { heap: 'C-22', local: 'C-22', com: 'C-22', host: 'C-22' },
    'blocks lie at multiples of 32',
    'p = alloc(1) -> pointer, multiple of 32\nq = alloc(40) -> pointer, multiple of 32'
  ),
  caseOf(
    'alignment-8',
    { heap: 'C-22', local: 'C-22', com: 'C-22', host: 'C-22' },
    'blocks lie at multiples of 8',
    'p = alloc(1) -> pointer, multiple of 8\nq = alloc(13) -> pointer, multiple of 8\nr = alloc(1000) -> pointer, multiple of 8'
  ),
  caseOf(
    'reset-to-zero',
    { heap: 'C-7', local: 'C-41' },
    'a resize to 0 bytes gives a block and frees nothing',
    'p = alloc(100) -> pointer\nq = resize(p, 0) -> pointer\nfree(q) -> ok'
  ),
  caseOf(
    'zero-bytes',
    { com: 'IM-3 CT-1' },
    '0 bytes give a block of their own',
    'p = alloc(0) -> pointer\nq = alloc(0) -> pointer, not p\nfree(p) -> ok\nfree(q) -> ok'
  ),
  caseOf(
    'zero-bytes-choice',
    { heap: 'C-1', local: 'C-1', host: 'C-1' },
    '0 bytes give a block of their own',
    'p = alloc(0) -> pointer\nq = alloc(0) -> pointer, not p\nfree(p) -> ok\nfree(q) -> ok'
  ),
  caseOf(
    'resize-null',
    { com: 'IM-4 CT-2' },
    'a resize of NULL allocates',
    'p = resize(0, 100) -> pointer\nfill(p, 100, 1)\nfree(p) -> ok'
  ),
  caseOf(
    'resize-to-nothing',
    { com: 'IM-5 CT-2' },
    'a resize to 0 bytes frees and gives NULL',
    'repeat 200: p = alloc(0x8000) -> pointer; resize(p, 0) -> NULL'
  ),
  caseOf(
    'free-null',
    { com: 'IM-8 CT-4' },
    'a free of NULL has no effect',
    'p = alloc(10) -> pointer\nfree(0) -> ok\nfill(p, 10, 1)\nfree(p) -> ok'
  )
])
