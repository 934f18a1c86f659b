/** What of a line can be announced to its customer when it changes (C-48). */
export type AnnouncedField = 'price' | 'quantity' | 'product' | 'recurrence'
export const announcedFields: readonly AnnouncedField[] = ['price', 'quantity', 'product', 'recurrence']

/** Each in words. */
export type AnnouncedValues = Readonly<Partial<Record<AnnouncedField, string>>>

export interface AnnouncedChange {
  readonly field: AnnouncedField
  readonly oldValue: string
  readonly newValue: string
}

/** The fields among those that are chosen whose words differ. What only one side says is not compared. */
export function announcedChanges(
  chosen: readonly AnnouncedField[],
  before: AnnouncedValues,
  after: AnnouncedValues,
): AnnouncedChange[] {
  return announcedFields
    .filter((field) => chosen.includes(field))
    .flatMap((field) => {
      const [oldValue, newValue] = [before[field], after[field]]
      return oldValue === undefined || newValue === undefined || oldValue === newValue
        ? []
        : [{ field, oldValue, newValue }]
    })
}
