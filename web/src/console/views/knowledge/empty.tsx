/** What stands where entries would, and what to do about it. */

import { address } from "../../navigation";
import { useConsole, useStrings } from "../context";

export function NoEntries() {
  const { entries } = useConsole().knowledge;
  const { list } = useStrings().knowledge;
  const { text, locale, unpublished } = entries.search.value;
  if (text.trim() !== "" || locale !== null) {
    return (
      <div class="list-body blank">
        <p class="blank-title">{list.noMatch}</p>
        <p>{list.noMatchBody}</p>
      </div>
    );
  }
  if (unpublished) {
    return (
      <div class="list-body blank">
        <p class="blank-title">{list.allPublished}</p>
        <p>{list.allPublishedBody}</p>
      </div>
    );
  }
  return <First />;
}

function First() {
  const { editor, site } = useConsole().knowledge;
  const { list } = useStrings().knowledge;
  const key = site.value?.site ?? null;
  return (
    <div class="list-body blank">
      <p class="blank-title">{list.empty}</p>
      <p>{list.emptyBody}</p>
      <div class="blank-deeds">
        <button type="button" class="button button-primary" onClick={() => editor.goOn()}>
          {list.write}
        </button>
        <a
          class="button"
          href={address({ room: "knowledge", site: key, page: "import", entry: null })}
        >
          {list.import}
        </a>
      </div>
    </div>
  );
}
