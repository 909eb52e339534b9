import type { SubjectMemory } from './subject.ts'

/** The memory of a wasm module as cases read and write it. */
export function wasmMemory(memory: WebAssembly.Memory): SubjectMemory {
  // The buffer is another one after each growth.
  return {
    read: (address, length) => bytesAt(memory, address, length).slice(),
    write: (address, data) => bytesAt(memory, address, data.length).set(data)
  }
}

function bytesAt(memory: WebAssembly.Memory, address: number, length: number): Uint8Array {
  if (address + length > memory.buffer.byteLength)
    throw new RangeError(`address 0x${address.toString(16)}: expected ${length} bytes within memory, which has ${memory.buffer.byteLength}`)
  return new Uint8Array(memory.buffer, address, length)
}
