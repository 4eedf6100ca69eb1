/** In which language the entry is written, and the way to its others. */

import { address } from "../../navigation";
import { language } from "../../words";
import { useConsole, useStrings } from "../context";
import { PlusIcon } from "../icons";

export function Languages() {
  const { editor, site } = useConsole().knowledge;
  const locales = site.value?.locales ?? [];
  if (locales.length < 2) return null;
  return editor.key.value === "new" ? <Picker locales={locales} /> : <Others locales={locales} />;
}

function Picker({ locales }: { locales: readonly string[] }) {
  const { editor } = useConsole().knowledge;
  const strings = useStrings();
  return (
    <div class="field field-language">
      <label for="entry-language">{strings.knowledge.editor.language}</label>
      <div class="select">
        <select
          id="entry-language"
          value={editor.form.value?.locale ?? ""}
          onChange={(event) => editor.write({ locale: event.currentTarget.value })}
        >
          {locales.map((locale) => (
            <option key={locale} value={locale}>
              {language(locale, strings)}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

function Others({ locales }: { locales: readonly string[] }) {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const { value: key } = editor.key;
  if (key === null || key === "new") return null;
  const all = locales.includes(key.locale) ? locales : [key.locale, ...locales];
  return (
    <nav class="languages" aria-label={words.languages}>
      {all.map((locale) => (
        <Language key={locale} locale={locale} />
      ))}
    </nav>
  );
}

function Language({ locale }: { locale: string }) {
  const { editor, site } = useConsole().knowledge;
  const strings = useStrings();
  const { value: key } = editor.key;
  if (key === null || key === "new") return null;
  const name = language(locale, strings);
  const other = { id: key.id, locale };
  const begun = editor.unsaved.of(other) !== null;
  const written = editor.languages.value.value?.includes(locale) ?? false;
  if (locale === key.locale || written || begun) {
    const place = {
      room: "knowledge",
      site: site.value?.site ?? null,
      page: "entries",
      entry: other,
    } as const;
    return (
      <a href={address(place)} aria-current={locale === key.locale ? "true" : undefined}>
        {name}
      </a>
    );
  }
  if (editor.languages.value.value === null) return null;
  return (
    <button
      type="button"
      class="button-text"
      aria-label={strings.knowledge.editor.translate(name)}
      onClick={() => editor.translate(locale)}
    >
      <PlusIcon /> {name}
    </button>
  );
}
