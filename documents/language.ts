import { ar } from './messages/ar.ts'
import { de } from './messages/de.ts'
import { en, type Messages } from './messages/en.ts'
import { fr } from './messages/fr.ts'
import { ja } from './messages/ja.ts'

export const languages = ['en', 'fr', 'de', 'ar', 'ja'] as const
export type Language = (typeof languages)[number]

export interface LanguageProfile {
  /** For Intl. Dates are Gregorian and digits are 0 to 9 everywhere: what stands on a document is typed into other systems. */
  readonly locale: string
  readonly direction: 'ltr' | 'rtl'
  readonly messages: Messages
}

const profiles: Readonly<Record<Language, LanguageProfile>> = {
  en: { locale: 'en-GB', direction: 'ltr', messages: en },
  fr: { locale: 'fr', direction: 'ltr', messages: fr },
  de: { locale: 'de', direction: 'ltr', messages: de },
  ar: { locale: 'ar-u-ca-gregory-nu-latn', direction: 'rtl', messages: ar },
  ja: { locale: 'ja', direction: 'ltr', messages: ja },
}

export function profileOf(language: Language): LanguageProfile {
  return profiles[language]
}

/** The language of a document for a customer's language tag (BCP 47): `de-AT` gives `de`. English for what we do not have. */
export function toLanguage(tag: string | null | undefined): Language {
  const primary = tag?.toLowerCase().split(/[-_]/)[0]
  return languages.find((language) => language === primary) ?? 'en'
}
