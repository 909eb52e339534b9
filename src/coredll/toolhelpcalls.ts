import { closeSnapshot, createSnapshot, entryFirst, entryNext, listFirst, listNext } from './toolhelp.ts'
import { VirtualCalls } from './virtualcalls.ts'

/** Tool help (section 6 of the rules): walks over a moment of all heaps. On the device these stand in toolhelp.dll (TH-17). */
export class ToolHelpCalls extends VirtualCalls {
  /**
   * Takes a snapshot of all heaps (TH-1 to TH-4): one moment, whatever other threads do meanwhile. `dwFlags` has TH32CS_SNAPHEAPLIST, or
   * TH32CS_SNAPPROCESS without TH32CS_SNAPNOHEAPS. INVALID_HANDLE_VALUE and ERROR_INVALID_PARAMETER without any snapshot flag or for another process (C-73).
   *
   *     const snapshot = ce.CreateToolhelp32Snapshot(TH32CS_SNAPHEAPLIST, 0)
   *     HEAPLIST32.set(ce.memory, list, 'dwSize', HEAPLIST32.size)
   *     for (let more = ce.Heap32ListFirst(snapshot, list); more; more = ce.Heap32ListNext(snapshot, list)) …
   *     ce.CloseToolhelp32Snapshot(snapshot)
   */
  CreateToolhelp32Snapshot(dwFlags: number, th32ProcessID: number): number {
    return createSnapshot(this, dwFlags, th32ProcessID)
  }

  /** Writes the first heap to the HEAPLIST32 at `lphl`, whose dwSize is set (TH-7, TH-11). FALSE and ERROR_NO_MORE_FILES if there is none. */
  Heap32ListFirst(hSnapshot: number, lphl: number): number {
    return listFirst(this, hSnapshot, lphl)
  }

  /** The next heap; FALSE and ERROR_NO_MORE_FILES at the end (TH-7). */
  Heap32ListNext(hSnapshot: number, lphl: number): number {
    return listNext(this, hSnapshot, lphl)
  }

  /**
   * Writes the first block of a heap to the HEAPENTRY32 at `lphe`, whose dwSize is set (TH-8, TH-11 to TH-13). `th32HeapID` is the id of the list, not a
   * handle (TH-16). FALSE and ERROR_NO_MORE_FILES for a heap that is empty or not there (TH-9).
   */
  Heap32First(hSnapshot: number, lphe: number, th32ProcessID: number, th32HeapID: number): number {
    return entryFirst(this, hSnapshot, lphe, th32ProcessID, th32HeapID)
  }

  /** The next block of that heap (TH-10); FALSE and ERROR_NO_MORE_FILES at the end. */
  Heap32Next(hSnapshot: number, lphe: number): number {
    return entryNext(this, hSnapshot, lphe)
  }

  /** Ends a snapshot (TH-5); FALSE and ERROR_INVALID_HANDLE for anything else (C-74). */
  CloseToolhelp32Snapshot(hSnapshot: number): number {
    return closeSnapshot(this, hSnapshot)
  }
}
