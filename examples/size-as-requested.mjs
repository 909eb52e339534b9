// A shim as ports have them: CE's calls on another allocator, here the emulator with two habits of desktop Windows. `ceheap conform` finds both.
import { emulator } from 'ceheap/conform'

export default ({ profile, build }) => {
  const heap = emulator(profile, build)
  const sizes = new Map()
  return {
    ...heap,
    HeapAlloc(hHeap, dwFlags, dwBytes) {
      const p = heap.HeapAlloc(hHeap, dwFlags, dwBytes)
      sizes.set(p, dwBytes)
      return p
    },
    HeapSize: (hHeap, dwFlags, lpMem) => sizes.get(lpMem) ?? heap.HeapSize(hHeap, dwFlags, lpMem),
    HeapFree: (hHeap, dwFlags, lpMem) => (lpMem === 0 ? 1 : heap.HeapFree(hHeap, dwFlags, lpMem))
  }
}
