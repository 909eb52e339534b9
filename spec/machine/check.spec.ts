// Each invariant of address space and physical memory (machine/check.ts) is broken on purpose and must be told.
import { suite } from 'uvu'
import { HDR, PAGES_PER_UNIT } from '../../src/machine/layout.ts'
import { KIND_APP, RES, setRes } from '../../src/machine/pages.ts'
import { addTo, type Plant, run } from '../heap/plant.ts'

const pages: readonly Plant[] = [
  {
    invariant: 'a unit belongs to one reservation or to none: to one that does not hold it',
    plant: (f) => setRes(f.machine, f.app, RES.OWNER, f.regions[0] + 1),
    says: /belongs to a reservation at unit \d+ that does not hold it/
  },
  {
    invariant: "a reservation's units follow each other",
    plant: (f) => setRes(f.machine, f.bigs[1] + 1, RES.OWNER, 0),
    says: /unit \d+ is missing from the reservation at unit \d+/
  },
  {
    invariant: 'COMMITTED of a reservation counts its pages',
    plant: (f) => setRes(f.machine, f.app, RES.COMMITTED, 2),
    says: /counts 2 committed pages, has 1/
  },
  {
    invariant: 'COMMITTED of the process is the sum over the reservations',
    plant: (f) => addTo(f.machine.sys, HDR.COMMITTED, 1),
    says: /the process counts \d+ committed pages, its reservations have \d+/
  },
  {
    invariant: 'the process commits no more than physical memory',
    plant: (f) => {
      f.machine.sys[HDR.PHYSICAL] = 3
    },
    says: /pages committed, physical memory has 3/
  },
  {
    invariant: 'a page outside every reservation is free',
    plant: (f) => {
      f.machine.pages[15 * PAGES_PER_UNIT] = 1
    },
    says: /unit 15: a page outside every reservation is in use/
  },
  {
    invariant: 'a page behind the end of a reservation is free',
    plant: (f) => {
      f.machine.pages[f.app * PAGES_PER_UNIT + 2] = 1
    },
    says: /a page behind the reservation at unit \d+ is in use/
  },
  {
    invariant: 'a page of a reservation is not free',
    plant: (f) => {
      f.machine.pages[f.app * PAGES_PER_UNIT + 1] = 0
    },
    says: /free inside the reservation at unit/
  },
  {
    invariant: 'the first 64 KB are never mapped (VL-3)',
    plant: (f) => {
      setRes(f.machine, 0, RES.OWNER, 1)
      setRes(f.machine, 0, RES.PAGES, 1)
      setRes(f.machine, 0, RES.KIND, KIND_APP)
      f.machine.pages[0] = 1
    },
    says: /unit 0 is reserved/
  }
]

const paged = suite('check: address space and physical memory')
run(paged, pages)
paged.run()
