/**
 * Which way a message runs.
 *
 * Decides: by most of its letters, not by its first one (`dir="auto"`): a Hebrew answer may well begin with a
 * Latin name, and must not run left to right for that. A text without letters is left to the browser.
 */

const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/g;
const LETTER = /\p{L}/gu;

export function directionOfText(text: string): "ltr" | "rtl" | "auto" {
  // Code and addresses are Latin in every language.
  const prose = text.replace(/```[\s\S]*?(```|$)|`[^`]*`|https?:\S+/g, "");
  const letters = prose.match(LETTER)?.length ?? 0;
  if (letters === 0) return "auto";
  const rtl = prose.match(RTL)?.length ?? 0;
  return rtl / letters > 0.3 ? "rtl" : "ltr";
}
