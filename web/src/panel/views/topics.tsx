/** All that the site's answers cover, to look through and to search; choosing one asks it. */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { KbTopic } from "../../engines/kb/protocol.ts";
import { directionOfText } from "../../i18n/direction.ts";
import { containing } from "../search.ts";
import { usePanel } from "./context.ts";
import { Search, Sheet } from "./sheet.tsx";

type Listed = readonly KbTopic[] | "loading" | "failed";

export function Topics({ onClose }: { readonly onClose: () => void }): VNode {
  const { state, topics } = usePanel();
  const say = state.say.value;
  const [listed, setListed] = useState<Listed>("loading");
  useEffect(() => {
    topics().then(setListed, () => setListed("failed"));
  }, []);
  return (
    <Sheet title={say("topics.title")} onClose={onClose}>
      {typeof listed === "string" ? (
        <p class="empty" role="status">
          {say(`topics.${listed}`)}
        </p>
      ) : (
        <List topics={listed} onClose={onClose} />
      )}
    </Sheet>
  );
}

interface ListProps {
  readonly topics: readonly KbTopic[];
  readonly onClose: () => void;
}

function List({ topics, onClose }: ListProps): VNode {
  const { state, conversation } = usePanel();
  const say = state.say.value;
  const [words, setWords] = useState("");
  const found = topics.filter(containing(words, ({ question }) => question));
  const ask = (question: string) => {
    onClose();
    void conversation.choose(question);
  };
  return (
    <>
      <Search
        label={say("topics.search")}
        words={words}
        onWords={setWords}
        found={say("topics.found", { n: found.length })}
      />
      {found.length === 0 && <p class="empty">{say("topics.found", { n: 0 })}</p>}
      <ul class="topics">
        {found.map(({ entry_id, question, locale }) => (
          <li key={entry_id}>
            <button
              type="button"
              dir={directionOfText(question)}
              lang={locale}
              onClick={() => ask(question)}
            >
              {question}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
