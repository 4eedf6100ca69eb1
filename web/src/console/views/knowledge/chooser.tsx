/** Looks for the entry that a question should be a way to ask of. */

import { useEffect } from "preact/hooks";
import { nameOf } from "../../knowledge/form";
import type { Entry, Unanswered } from "../../knowledge/wire";
import { explain, language, languageOf } from "../../words";
import { useConsole, useStrings } from "../context";
import { Dialog } from "../dialogs";
import { SearchField } from "../search";

interface ChooserProps {
  readonly item: Unanswered;
  readonly open: boolean;
  readonly onClose: () => void;
  /** Makes a deed out of one that deals with the question. */
  readonly onDone: (deal: () => Promise<void>) => () => void;
}

export function Chooser({ item, open, onClose, onDone }: ChooserProps) {
  const { finder, unanswered } = useConsole().knowledge;
  const { unanswered: words, list } = useStrings().knowledge;
  useEffect(() => {
    if (!open) return;
    finder.clear();
    void finder.load();
  }, [open, finder]);
  const choose = (entry: Entry): void => {
    onClose();
    onDone(() => unanswered.addTo(item.question, entry))();
  };
  const { value: page } = finder.page.value;
  return (
    <Dialog open={open} title={words.chooseTitle} onClose={onClose}>
      <p class="dialog-lead" dir="auto">
        {item.question}
      </p>
      <SearchField
        label={list.search}
        value={finder.search.value.text}
        found={page ? list.total(page.total) : ""}
        onSearch={(text) => finder.find({ text })}
      />
      <Found onChoose={choose} />
      <button type="button" class="button" onClick={onClose}>
        {words.cancel}
      </button>
    </Dialog>
  );
}

function Found({ onChoose }: { onChoose: (entry: Entry) => void }) {
  const { finder, site } = useConsole().knowledge;
  const strings = useStrings();
  const { list } = strings.knowledge;
  const { value: page } = finder.page.value;
  const { value: trouble } = finder.page.trouble;
  if (trouble !== null) return <p class="error">{explain(trouble, strings)}</p>;
  const many = (site.value?.locales.length ?? 0) > 1;
  return (
    <ul class="choices" aria-label={list.title}>
      {page === null && <li class="hint">{list.loading}</li>}
      {page?.items.length === 0 && <li class="hint">{list.noMatch}</li>}
      {page?.items.map((entry) => (
        <li key={nameOf(entry)}>
          <button type="button" class="choice" onClick={() => onChoose(entry)}>
            <span dir="auto" lang={languageOf(entry.question, entry.locale)}>
              {entry.question}
            </span>
            {many && <span class="hint">{language(entry.locale, strings)}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}
