/** What a reader sees of HTML: no tags, one space between words. */
export function textOf(html: string): string {
  return html
    .replaceAll(/<(script|style)[^>]*>.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll(/\s+/g, ' ')
}

/** The text of the section with this id. */
export function sectionText(html: string, id: string): string {
  const [, content] = new RegExp(`<section[^>]*id="${id}"[^>]*>(.*?)</section>`, 's').exec(html) ?? []
  if (content === undefined) throw new Error(`the page has no section ${id}`)
  return textOf(content)
}
