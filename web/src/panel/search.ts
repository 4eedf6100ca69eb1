/** Searching in lists that are already here: every word must be in, whatever its case and accents. */

function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** Whether an item's text contains every word of `words`; all items do where there is none. */
export function containing<Item>(
  words: string,
  textOf: (item: Item) => string,
): (item: Item) => boolean {
  const wanted = plain(words).split(/\s+/).filter(Boolean);
  return (item) => {
    const text = plain(textOf(item));
    return wanted.every((word) => text.includes(word));
  };
}
