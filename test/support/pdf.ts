import { getDocumentProxy, getResolvedPDFJS } from 'unpdf'

/** A PDF as a reader finds it: the text of each page, one space between words, and how many glyphs are missing. */
export interface ReadPdf {
  readonly pages: readonly string[]
  readonly text: string
  readonly glyphCount: number
  /** Boxes in place of characters that no font has. */
  readonly missingGlyphCount: number
}

export async function readPdf(content: Uint8Array): Promise<ReadPdf> {
  const pdf = await getDocumentProxy(new Uint8Array(content))
  const { OPS } = await getResolvedPDFJS()
  const pages: string[] = []
  const glyphs: number[] = []
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number)
    const { items } = await page.getTextContent()
    pages.push(plain(items.map((item) => ('str' in item ? item.str : '')).join(' ')))
    const { fnArray, argsArray } = await page.getOperatorList()
    for (const [index, operator] of fnArray.entries()) {
      if (operator === OPS.showText) glyphs.push(...glyphIds(argsArray[index]))
    }
  }
  await pdf.cleanup()
  return {
    pages,
    text: pages.join(' '),
    glyphCount: glyphs.length,
    missingGlyphCount: glyphs.filter((id) => id === 0).length,
  }
}

/** Glyph 0 of every font is the one that stands for a missing character. */
function glyphIds(args: unknown): number[] {
  if (!Array.isArray(args) || !Array.isArray(args[0])) return []
  return args[0].flatMap((glyph: unknown) =>
    typeof glyph === 'object' &&
    glyph !== null &&
    'originalCharCode' in glyph &&
    typeof glyph.originalCharCode === 'number'
      ? [glyph.originalCharCode]
      : [],
  )
}

/** Text without marks of direction, with plain spaces. */
export function plain(text: string): string {
  return text
    .replaceAll(/[\u200b\u200e\u200f\u2060\u2066-\u2069]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
