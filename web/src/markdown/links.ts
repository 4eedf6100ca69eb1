/**
 * Which addresses a message may link to.
 *
 * Decides: http, https and mailto, absolute, without a user name in them. Refuses all else: the words of
 * such a link stay, the link does not.
 */

const SCHEMES: readonly string[] = ["http:", "https:", "mailto:"];

/** `address` in its normal form when a message may link to it. */
export function safeLink(address: string): string | undefined {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return undefined;
  }
  if (!SCHEMES.includes(url.protocol)) return undefined;
  // "https://bank.example@evil.example" reads as another site than it is.
  if (url.username || url.password) return undefined;
  return url.href;
}
