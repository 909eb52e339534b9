import { misuse, wholeNumber } from '../errors.ts'
import type { UserMemory } from '../machine/memory.ts'

/** Where a field lies: its offset from the structure's address and its size, in bytes. */
export interface Field {
  readonly at: number
  readonly bytes: 2 | 4
}

/** A DWORD, HANDLE or pointer at `at`. */
export function dword(at: number): Field {
  return { at, bytes: 4 }
}

export function word(at: number): Field {
  return { at, bytes: 2 }
}

/** The table of one CE structure. */
export interface StructureTable<T> {
  readonly name: string
  /** sizeof, in bytes. */
  readonly size: number
  /** The page or header that gives the layout. */
  readonly source: string
  readonly fields: { readonly [K in keyof T]: Field }
}

/**
 * A CE structure in user memory, laid out as on the device: little-endian, offsets by its table. All accesses are checked ones: they raise
 * an AccessViolation where the app could not have made them.
 *
 *     ce.VirtualQuery(p, buffer, MEMORY_BASIC_INFORMATION.size)
 *     MEMORY_BASIC_INFORMATION.read(ce.memory, buffer).RegionSize
 *     HEAPENTRY32.set(ce.memory, entry, 'dwSize', HEAPENTRY32.size)
 */
export class Structure<T extends { readonly [K in keyof T]: number }> {
  readonly name: string
  readonly size: number
  readonly source: string
  readonly fields: { readonly [K in keyof T]: Field }

  constructor({ name, size, source, fields }: StructureTable<T>) {
    this.name = name
    this.size = size
    this.source = source
    this.fields = fields
  }

  /** All fields of the structure at `address`, as plain data. */
  read(memory: UserMemory, address: number): T {
    const bytes = memory.read(address, this.size)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const values: Partial<Record<keyof T, number>> = {}
    for (const [name, { at, bytes: size }] of this.#entries())
      values[name] = size === 4 ? view.getUint32(at, true) : view.getUint16(at, true)
    return values as T
  }

  /** Writes all fields at `address`, or raises before any of them is written. A value that does not fit its field throws. */
  write(memory: UserMemory, address: number, values: T): void {
    const view = new DataView(new ArrayBuffer(this.size))
    for (const [name, { at, bytes }] of this.#entries()) {
      const value = wholeNumber(`${this.name}.${String(name)}`, values[name], 0, bytes === 4 ? 0xffffffff : 0xffff)
      if (bytes === 4) view.setUint32(at, value, true)
      else view.setUint16(at, value, true)
    }
    memory.write(address, new Uint8Array(view.buffer))
  }

  get(memory: UserMemory, address: number, field: keyof T): number {
    const { at, bytes } = this.#field(field)
    return bytes === 4 ? memory.readU32(address + at) : memory.readU16(address + at)
  }

  set(memory: UserMemory, address: number, field: keyof T, value: number): void {
    const { at, bytes } = this.#field(field)
    if (bytes === 4) memory.writeU32(address + at, value)
    else memory.writeU16(address + at, value)
  }

  #entries(): [keyof T, Field][] {
    return Object.entries(this.fields) as [keyof T, Field][]
  }

  #field(name: keyof T): Field {
    if (!Object.hasOwn(this.fields, name)) throw misuse(`${this.name}: field`, `one of ${Object.keys(this.fields).join(', ')}`, name)
    return this.fields[name]
  }
}
