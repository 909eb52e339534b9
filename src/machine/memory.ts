import { EXCEPTION_ACCESS_VIOLATION, EXCEPTION_GUARD_PAGE } from '../constants.ts'
import { isDword, misuse, notDword, wholeNumber } from '../errors.ts'
import { firstFault, touch } from './access.ts'
import type { Access } from './access.ts'
import type { Machine } from './machine.ts'

const hex = (address: number): string => `0x${address.toString(16).padStart(8, '0')}`

/** The emulated OS's EXCEPTION_ACCESS_VIOLATION (LF-4): an access to a page that is not committed or does not allow it. */
export class AccessViolation extends Error {
  readonly code: number = EXCEPTION_ACCESS_VIOLATION
  /** The first byte that could not be accessed. */
  readonly address: number
  readonly access: Access

  constructor(address: number, access: Access) {
    super(`access violation (0xC0000005): cannot ${access} address ${hex(address)}`)
    this.name = 'AccessViolation'
    this.address = address
    this.access = access
  }
}

/** The emulated OS's STATUS_GUARD_PAGE (VP-4): the first access to a page with PAGE_GUARD, which has lost it by now. Nothing was read or written. */
export class GuardPageException extends Error {
  readonly code: number = EXCEPTION_GUARD_PAGE
  /** The first byte of the access that lies in the page. */
  readonly address: number
  readonly access: Access

  constructor(address: number, access: Access) {
    super(`guard page (0x80000001): first ${access} at address ${hex(address)}`)
    this.name = 'GuardPageException'
    this.address = address
    this.access = access
  }
}

/** Raises what the device would when `who` accesses these bytes; address and length are 0 to 2^32 - 1. */
export function mustAccess(machine: Machine, who: number, address: number, length: number, access: Access): void {
  if (firstFault(machine, address, length, access) < 0) return
  const { at, guard } = touch(machine, who, address, length, access)
  // Another thread may have made the pages accessible in between.
  if (at >= 0) throw guard ? new GuardPageException(at, access) : new AccessViolation(at, access)
}

/**
 * User memory as the app sees it. `bytes` is the raw memory; the methods check each access as the device would and raise
 * `AccessViolation` on a page that is free, reserved or protected, `GuardPageException` once on a page with PAGE_GUARD. Little-endian; any alignment.
 */
export class UserMemory {
  readonly bytes: Uint8Array
  readonly #machine: Machine
  readonly #who: number
  readonly #view: DataView

  /** `who` accesses it: only to set a guard page off. */
  constructor(machine: Machine, who: number) {
    this.#machine = machine
    this.#who = who
    this.bytes = machine.bytes
    this.#view = new DataView(machine.bytes.buffer)
  }

  readU8(address: number): number {
    this.#need('readU8', address, 1, 'read')
    return this.#view.getUint8(address)
  }

  readU16(address: number): number {
    this.#need('readU16', address, 2, 'read')
    return this.#view.getUint16(address, true)
  }

  readU32(address: number): number {
    this.#need('readU32', address, 4, 'read')
    return this.#view.getUint32(address, true)
  }

  writeU8(address: number, value: number): void {
    this.#need('writeU8', address, 1, 'write')
    this.#view.setUint8(address, wholeNumber('writeU8: value', value, 0, 0xff))
  }

  writeU16(address: number, value: number): void {
    this.#need('writeU16', address, 2, 'write')
    this.#view.setUint16(address, wholeNumber('writeU16: value', value, 0, 0xffff), true)
  }

  writeU32(address: number, value: number): void {
    this.#need('writeU32', address, 4, 'write')
    this.#view.setUint32(address, wholeNumber('writeU32: value', value, 0, 0xffffffff), true)
  }

  /** Sets `length` bytes to `value`, as memset. */
  fill(address: number, value: number, length: number): void {
    wholeNumber('fill: value', value, 0, 0xff)
    this.#need('fill', address, length, 'write')
    this.bytes.fill(value, address, address + length)
  }

  /** Copies `length` bytes, as memmove: the ranges may overlap. */
  copy(to: number, from: number, length: number): void {
    this.#need('copy', from, length, 'read')
    this.#need('copy', to, length, 'write')
    this.bytes.copyWithin(to, from, from + length)
  }

  /** A copy of `length` bytes. */
  read(address: number, length: number): Uint8Array {
    this.#need('read', address, length, 'read')
    return this.bytes.slice(address, address + length)
  }

  write(address: number, data: Uint8Array): void {
    if (!(data instanceof Uint8Array)) throw misuse('write: data', 'a Uint8Array', data)
    this.#need('write', address, data.length, 'write')
    // No bytes may be written anywhere, even where the array ends before.
    if (data.length > 0) this.bytes.set(data, address)
  }

  /** The zero-terminated string at `address`: UTF-16 as CE's own (`wide`, the default), or one byte a character. */
  readString(address: number, wide = true): string {
    let text = ''
    for (let at = address; ; at += wide ? 2 : 1) {
      const unit = wide ? this.readU16(at) : this.readU8(at)
      if (unit === 0) return text
      text += String.fromCharCode(unit)
    }
  }

  /** Writes `text` and a terminating zero; returns the bytes written. One-byte strings take characters up to U+00FF. */
  writeString(address: number, text: string, wide = true): number {
    if (typeof text !== 'string') throw misuse('memory.writeString: text', 'a string', text)
    const step = wide ? 2 : 1
    this.#need('writeString', address, (text.length + 1) * step, 'write')
    for (let i = 0; i < text.length; i++) {
      if (wide) this.writeU16(address + i * 2, text.charCodeAt(i))
      else this.writeU8(address + i, text.charCodeAt(i))
    }
    if (wide) this.writeU16(address + text.length * 2, 0)
    else this.writeU8(address + text.length, 0)
    return (text.length + 1) * step
  }

  #need(call: string, address: number, length: number, access: Access): void {
    if (!isDword(address)) throw notDword(`memory.${call}`, 'address', address)
    if (!isDword(length)) throw notDword(`memory.${call}`, 'length', length)
    this.#machine.seat?.touches(address, length, access === 'write')
    mustAccess(this.#machine, this.#who, address, length, access)
  }
}
