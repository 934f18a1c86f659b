import { formatsOf, type Formats } from '#documents/formats.ts'
import { profileOf, toLanguage, type Language } from '#documents/language.ts'
import { de } from './messages/de.ts'
import { en, type Messages } from './messages/en.ts'
import { fr } from './messages/fr.ts'

/** In which language, and how written, a page of the portal speaks: as documents do to the same customer. */
export interface Speech {
  readonly language: Language
  readonly locale: string
  readonly direction: 'ltr' | 'rtl'
  readonly words: Messages
  readonly formats: Formats
}

const words: Readonly<Partial<Record<Language, Messages>>> = { en, de, fr }

/** For a customer's language tag, or what a browser accepts; English for what we do not have. */
export function speechOf(tag: string | null | undefined): Speech {
  const asked = toLanguage(tag)
  const language = words[asked] === undefined ? 'en' : asked
  const { locale, direction } = profileOf(language)
  return { language, locale, direction, words: words[language] ?? en, formats: formatsOf(language) }
}
