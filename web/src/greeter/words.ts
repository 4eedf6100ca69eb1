/** The greeter's own words; what it says is the site's. */
import type { Locale } from "../i18n/locale.ts";

export const CLOSE: Readonly<Record<Locale, string>> = {
  en: "Close this message",
  es: "Cerrar este mensaje",
  he: "סגירת ההודעה",
};
