// The ways to a heap: one battery runs over each of them.
import type { ConformCase, Group } from './case.ts'

/** What a case on `blocks` does with a block, as the calls of a face; $1, $2 are the arguments. */
type Verb = 'alloc' | 'zalloc' | 'resize' | 'zresize' | 'size' | 'free'

export interface Face {
  readonly name: string
  readonly title: string
  /** Whose rules it follows. */
  readonly group: Group
  /** The calls that lead to it. */
  readonly prolog: string
  readonly verbs: Readonly<Partial<Record<Verb, string>>>
  /** What a good free answers. */
  readonly freed: string
  /** Whether `heap` is the handle of a heap then. */
  readonly handle: boolean
}

const heapVerbs: Face['verbs'] = {
  alloc: 'HeapAlloc(heap, 0, $1)',
  zalloc: 'HeapAlloc(heap, HEAP_ZERO_MEMORY, $1)',
  resize: 'HeapReAlloc(heap, 0, $1, $2)',
  zresize: 'HeapReAlloc(heap, HEAP_ZERO_MEMORY, $1, $2)',
  size: 'HeapSize(heap, 0, $1)',
  free: 'HeapFree(heap, 0, $1)'
}

function heapFace(name: string, title: string, prolog: string): Face {
  return { name, title, group: 'heap', prolog, verbs: heapVerbs, freed: 'nonzero', handle: true }
}

export const faces: readonly Face[] = [
  heapFace('growable', 'HeapCreate without a maximum', 'heap = HeapCreate(0, 0x1000, 0) -> nonzero'),
  heapFace('fixed', 'HeapCreate with a maximum of 1 MB', 'heap = HeapCreate(0, 0x1000, 0x100000) -> nonzero'),
  heapFace('process', 'GetProcessHeap', 'heap = GetProcessHeap() -> nonzero'),
  heapFace('ceheap', 'CeHeapCreate', "pages = NewPager('virtual')\nheap = CeHeapCreate(0, 0x1000, 0, pages, pages) -> nonzero"),
  {
    name: 'local',
    title: 'LocalAlloc and its relatives',
    group: 'local',
    prolog: '',
    verbs: {
      alloc: 'LocalAlloc(LMEM_FIXED, $1)',
      zalloc: 'LocalAlloc(LPTR, $1)',
      resize: 'LocalReAlloc($1, $2, LMEM_MOVEABLE)',
      zresize: 'LocalReAlloc($1, $2, LMEM_MOVEABLE + LMEM_ZEROINIT)',
      size: 'LocalSize($1)',
      free: 'LocalFree($1)'
    },
    freed: '0',
    handle: false
  },
  {
    name: 'imalloc',
    title: 'IMalloc',
    group: 'com',
    prolog: 'CoGetMalloc(MEMCTX_TASK, &malloc) -> S_OK',
    verbs: {
      alloc: 'IMalloc::Alloc(malloc, $1)',
      resize: 'IMalloc::Realloc(malloc, $1, $2)',
      size: 'IMalloc::GetSize(malloc, $1)',
      free: 'IMalloc::Free(malloc, $1)'
    },
    freed: 'any',
    handle: false
  },
  {
    name: 'cotaskmem',
    title: 'CoTaskMemAlloc and its relatives',
    group: 'com',
    prolog: '',
    verbs: { alloc: 'CoTaskMemAlloc($1)', resize: 'CoTaskMemRealloc($1, $2)', free: 'CoTaskMemFree($1)' },
    freed: 'any',
    handle: false
  },
  {
    name: 'hostmalloc',
    title: 'IHostMalloc',
    group: 'host',
    prolog: "OpenHost('generous', &manager, &host)\nIHostMemoryManager::CreateMalloc(manager, MALLOC_THREADSAFE, &malloc) -> S_OK",
    verbs: { alloc: 'IHostMalloc::Alloc(malloc, $1, eTaskCritical, &$0)', free: 'IHostMalloc::Free(malloc, $1)' },
    freed: 'S_OK',
    handle: false
  }
]

/** What a case on `once` runs in. */
const plain: Face = { name: 'api', title: 'the calls themselves', group: 'heap', prolog: '', verbs: {}, freed: '', handle: false }

const verbForm = /\b(z?alloc|z?resize|size|free)\(([^()]*)\)/g

/** The faces that a case runs over. */
export function facesOf(one: ConformCase): readonly Face[] {
  if (one.surface === 'once') return [plain]
  if (one.surface === 'heap') return faces.filter(({ handle }) => handle)
  const verbs = new Set([...one.script.matchAll(verbForm)].map((match) => match[1] as Verb))
  return faces.filter((face) => one.rules[face.group] !== undefined && [...verbs].every((verb) => face.verbs[verb] !== undefined))
}

/** The case's calls as this face makes them. */
export function scriptOn(one: ConformCase, face: Face): string {
  if (one.surface !== 'blocks') return `${face.prolog}\n${one.script}`
  const lines = one.script
    .split(/\n/)
    .map((line) => line.split('; ').map((part) => part.replace(/(?:\b(\w+) = )?\b(z?alloc|z?resize|size|free)\(([^()]*)\)/, expand)))
  function expand(_: string, target: string | undefined, verb: Verb, given: string): string {
    const args = given.split(',').map((text) => text.trim())
    const name = target ?? 'answer'
    const call = (face.verbs[verb] ?? '').replace(/\$(\d)/g, (__, at: string) => (at === '0' ? name : (args[Number(at) - 1] ?? '')))
    // An out-parameter of the same name is what the line speaks of.
    return target === undefined && !call.includes(`&${name}`) ? call : `${name} = ${call}`
  }
  return `${face.prolog}\n${lines.map((parts) => parts.join('; ')).join('\n')}`.replace(/-> ok\b/g, `-> ${face.freed}`)
}
