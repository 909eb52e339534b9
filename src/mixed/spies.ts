import { IID_IMallocSpy, S_OK } from '../constants.ts'
import type { IMallocSpy, Interface, NewRequest } from '../com/index.ts'

/** A spy that lets everything through as it is and writes down what it was asked; single methods may be replaced. */
export class Witness implements IMallocSpy {
  /** Each method that was called, with its arguments: `PreAlloc 100`. */
  readonly log: string[] = []
  references = 0

  QueryInterface(riid: string): Interface<object> {
    this.log.push(`QueryInterface ${riid === IID_IMallocSpy ? 'IID_IMallocSpy' : riid}`)
    this.references++
    return { hr: S_OK, ppvObject: this }
  }

  AddRef(): number {
    this.log.push('AddRef')
    return ++this.references
  }

  Release(): number {
    this.log.push('Release')
    return --this.references
  }

  PreAlloc(cbRequest: number): number {
    this.log.push(`PreAlloc ${cbRequest}`)
    return cbRequest
  }

  PostAlloc(pActual: number): number {
    this.log.push(`PostAlloc ${pActual}`)
    return pActual
  }

  PreFree(pRequest: number, fSpyed: number): number {
    this.log.push(`PreFree ${pRequest} ${fSpyed}`)
    return pRequest
  }

  PostFree(fSpyed: number): void {
    this.log.push(`PostFree ${fSpyed}`)
  }

  PreRealloc(pRequest: number, cbRequest: number, fSpyed: number): NewRequest {
    this.log.push(`PreRealloc ${pRequest} ${cbRequest} ${fSpyed}`)
    return { cb: cbRequest, ppNewRequest: pRequest }
  }

  PostRealloc(pActual: number, fSpyed: number): number {
    this.log.push(`PostRealloc ${pActual} ${fSpyed}`)
    return pActual
  }

  PreGetSize(pRequest: number, fSpyed: number): number {
    this.log.push(`PreGetSize ${pRequest} ${fSpyed}`)
    return pRequest
  }

  PostGetSize(cbActual: number, fSpyed: number): number {
    this.log.push(`PostGetSize ${cbActual} ${fSpyed}`)
    return cbActual
  }

  PreDidAlloc(pRequest: number, fSpyed: number): number {
    this.log.push(`PreDidAlloc ${pRequest} ${fSpyed}`)
    return pRequest
  }

  PostDidAlloc(pRequest: number, fSpyed: number, fActual: number): number {
    this.log.push(`PostDidAlloc ${pRequest} ${fSpyed} ${fActual}`)
    return fActual
  }

  PreHeapMinimize(): void {
    this.log.push('PreHeapMinimize')
  }

  PostHeapMinimize(): void {
    this.log.push('PostHeapMinimize')
  }

  /** What was written down since the last time. */
  take(): string[] {
    return this.log.splice(0)
  }
}

/** A spy that puts `header` bytes in front of each block that it has seen allocated, as a debugging allocator does, and hides them again. */
export class Headers extends Witness {
  readonly header: number

  constructor(header: number) {
    super()
    this.header = header
  }

  override PreAlloc(cbRequest: number): number {
    return super.PreAlloc(cbRequest) + this.header
  }

  override PostAlloc(pActual: number): number {
    return super.PostAlloc(pActual) === 0 ? 0 : pActual + this.header
  }

  override PreFree(pRequest: number, fSpyed: number): number {
    return super.PreFree(pRequest, fSpyed) - fSpyed * this.header
  }

  override PreRealloc(pRequest: number, cbRequest: number, fSpyed: number): NewRequest {
    super.PreRealloc(pRequest, cbRequest, fSpyed)
    // A block that it has not seen gets no header now, and so none may be taken off it later (SP-16, SP-19): such a spy must remember those.
    if (fSpyed === 0) return { cb: 0, ppNewRequest: pRequest }
    return { cb: cbRequest + this.header, ppNewRequest: pRequest - this.header }
  }

  override PostRealloc(pActual: number, fSpyed: number): number {
    return super.PostRealloc(pActual, fSpyed) === 0 ? 0 : pActual + this.header
  }

  override PreGetSize(pRequest: number, fSpyed: number): number {
    return super.PreGetSize(pRequest, fSpyed) - fSpyed * this.header
  }

  override PostGetSize(cbActual: number, fSpyed: number): number {
    return super.PostGetSize(cbActual, fSpyed) - fSpyed * this.header
  }

  override PreDidAlloc(pRequest: number, fSpyed: number): number {
    return super.PreDidAlloc(pRequest, fSpyed) - fSpyed * this.header
  }
}
