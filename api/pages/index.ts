import type { Frame } from '../frame.ts'

/** Every page. */
export function registerPages(_frame: Frame): void {}
