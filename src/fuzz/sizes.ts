const BORDERS = [0, 1, 4, 31, 32, 33, 63, 64, 65, 7, 8, 9, 95, 96, 97, 127, 128, 129, 4064, 4065, 4095, 4096, 4097, 8192]
const UNITS = [0xffe0, 0xffff, 0x10000, 0x10001]
const GIANTS = [0x7fff6, 0x7fff7, 0x7fff8, 0x7fff9, 0x7fffffff, 0x80000000, 0xffffffe0, 0xfffffffe, 0xffffffff]
const AROUND = [-33, -32, -1, 0, 1, 31, 32, 33, 4096]

/** Bytes to ask a heap for: mostly few, often at a border, now and then far too many. `kind` is a byte, `amount` 16 bits, `threshold` where big blocks begin. */
export function sizeOf(kind: number, amount: number, threshold: number): number {
  if (kind < 184) return amount % 300
  if (kind < 224) return BORDERS[amount % BORDERS.length] as number
  if (kind < 248) return amount % 6000
  if (kind < 250) return amount >>> 1
  if (kind < 251) return UNITS[amount % UNITS.length] as number
  if (kind < 254) return threshold + (AROUND[amount % AROUND.length] as number)
  return GIANTS[amount % GIANTS.length] as number
}
