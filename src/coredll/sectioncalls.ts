import {
  deleteCriticalSection,
  enterCriticalSection,
  initializeCriticalSection,
  leaveCriticalSection,
  tryEnterCriticalSection
} from './critical.ts'
import { ToolHelpCalls } from './toolhelpcalls.ts'

/** Critical sections of the program's own, on CRITICAL_SECTION structures of 20 bytes in user memory (section 5 of the rules, C-75). */
export class SectionCalls extends ToolHelpCalls {
  /**
   * Makes the 20 bytes at `lpCriticalSection` a critical section that nobody owns (CS-3).
   *
   *     const section = ce.LocalAlloc(0, CRITICAL_SECTION.size)
   *     ce.InitializeCriticalSection(section)
   */
  InitializeCriticalSection(lpCriticalSection: number): void {
    initializeCriticalSection(this, lpCriticalSection)
  }

  /**
   * Waits until the thread owns the section; once more at once if it does already (CS-1, CS-2). Where CE would wait for ever, a LockTimeoutError
   * after the process's `lockTimeout` (C-85).
   */
  EnterCriticalSection(lpCriticalSection: number): void {
    enterCriticalSection(this, lpCriticalSection)
  }

  /** Enters without waiting: 1 if the thread owns the section now, 0 if another one does (CS-4). */
  TryEnterCriticalSection(lpCriticalSection: number): number {
    return tryEnterCriticalSection(this, lpCriticalSection)
  }

  /** Leaves once; the last leave frees the section (CS-2). By a thread that does not own it: a finding, and nothing else (C-79). */
  LeaveCriticalSection(lpCriticalSection: number): void {
    leaveCriticalSection(this, lpCriticalSection)
  }

  /** Ends a section, whichever thread made it (CS-5); not while another thread owns it (C-80). */
  DeleteCriticalSection(lpCriticalSection: number): void {
    deleteCriticalSection(this, lpCriticalSection)
  }
}
