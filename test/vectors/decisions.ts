/** Rules of other engines that are not ours, and why. An adapter names the entry; nothing is excused by its id. */
export const decisions: Readonly<Record<string, string>> = {}
