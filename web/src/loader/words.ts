/** The launcher's few words, in the host page's language until the panel brings the visitor's own. */

export interface Words {
  readonly open: string;
  readonly close: string;
  readonly failed: string;
  /** After the label: how many replies have not been read. */
  readonly unread: string;
}

const WORDS: Readonly<Record<string, Words>> = {
  en: {
    open: "Open the chat",
    close: "Close the chat",
    failed: "The chat cannot be reached. Try again later.",
    unread: "new replies:",
  },
  es: {
    open: "Abrir el chat",
    close: "Cerrar el chat",
    failed: "No se puede llegar al chat. Prueba más tarde.",
    unread: "respuestas nuevas:",
  },
  he: {
    open: "פתיחת הצ׳אט",
    close: "סגירת הצ׳אט",
    failed: "אי אפשר להגיע לצ׳אט. כדאי לנסות שוב.",
    unread: "תשובות חדשות:",
  },
};

const ENGLISH = WORDS.en as Words;

export function wordsFor(locale: string): Words {
  return WORDS[locale.slice(0, 2).toLowerCase()] ?? ENGLISH;
}
