/** Preloaded by a process whose clock is to be off, by so many milliseconds for as long as it lives. */
const shiftMs = Number(process.env['CLOUDER_TEST_CLOCK_SHIFT_MS'] ?? 0)
const RightDate = Date

class ShiftedDate extends RightDate {
  constructor(...given: [] | [number | string | Date]) {
    super(given.length === 0 ? ShiftedDate.now() : given[0])
  }

  static override now(): number {
    return RightDate.now() + shiftMs
  }
}

globalThis.Date = ShiftedDate as DateConstructor

export {}
