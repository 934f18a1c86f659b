/** Whether the database can keep a text: PostgreSQL keeps neither halves of characters nor the one of code 0. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** The same text, with `\u{FFFD}` in place of each character that could not be kept. */
export function toStorable(text: string): string {
  return text.replaceAll('\0', '\u{FFFD}').toWellFormed()
}
