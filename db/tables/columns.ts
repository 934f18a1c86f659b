import type { ColumnType, Generated, GeneratedAlways } from 'kysely'

/** A UTC instant as ISO text, such as `2026-01-31T09:00:00.000Z`. */
export type Instant = string
/** A calendar date as ISO text, such as `2026-01-31`. */
export type CalendarDate = string
/** An exact decimal as text, such as `0.0000012345`. */
export type Decimal = string
/** A half-open range of dates as PostgreSQL writes it, such as `[2026-01-31,2026-02-28)`. */
export type DateRange = string

/** A column the database fills when it is left out. */
export type Defaulted<T> = ColumnType<T, T | undefined, T>
/** A JSON column: read as a value, written as text. */
export type Json<T> = ColumnType<T, string, string>
export type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>
export type DefaultedJson<T> = ColumnType<T, string | undefined, string>
export type { Generated, GeneratedAlways }
