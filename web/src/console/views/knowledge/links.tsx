/** The links that are shown under an answer: title and address, one a line. */

import { isBroken } from "../../knowledge/form";
import type { Link } from "../../knowledge/wire";
import { useConsole, useStrings } from "../context";
import { CrossIcon, PlusIcon } from "../icons";
import { replaced, useLines, without } from "./lines";

export function Links() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const { box, focus } = useLines();
  const links = editor.form.value?.links ?? [];
  const wrong = editor.flaws.value.includes("links");
  const set = (next: readonly Link[], then: number): void => {
    focus(then);
    editor.write({ links: next });
  };
  return (
    <fieldset class="field lines" id="entry-links" ref={box}>
      <legend>{words.links}</legend>
      <ol>
        {links.map((link, place) => (
          <Line
            key={place}
            place={place}
            link={link}
            wrong={wrong && isBroken(link)}
            onWrite={(change) =>
              editor.write({ links: replaced(links, place, { ...link, ...change }) })
            }
            onRemove={() => set(without(links, place), place - 1)}
          />
        ))}
      </ol>
      <p id="links-error" class="error" role="alert">
        {wrong && words.linkWrong}
      </p>
      <button
        type="button"
        class="button-text lines-add"
        data-add
        onClick={() => set([...links, { title: "", url: "" }], links.length)}
      >
        <PlusIcon /> {words.addLink}
      </button>
    </fieldset>
  );
}

interface LineProps {
  readonly place: number;
  readonly link: Link;
  readonly wrong: boolean;
  readonly onWrite: (change: Partial<Link>) => void;
  readonly onRemove: () => void;
}

function Line({ place, link, wrong, onWrite, onRemove }: LineProps) {
  const { editor: words } = useStrings().knowledge;
  const invalid = wrong ? "true" : undefined;
  return (
    <li class="line line-link">
      <input
        class="input"
        type="text"
        data-line
        dir="auto"
        autocomplete="off"
        aria-label={words.linkTitle(place + 1)}
        aria-invalid={link.title.trim() === "" ? invalid : undefined}
        aria-describedby="links-error"
        placeholder={words.linkTitlePlaceholder}
        value={link.title}
        onInput={(event) => onWrite({ title: event.currentTarget.value })}
      />
      <input
        class="input"
        type="url"
        inputMode="url"
        dir="ltr"
        autocomplete="off"
        aria-label={words.linkUrl(place + 1)}
        aria-invalid={link.title.trim() === "" ? undefined : invalid}
        aria-describedby="links-error"
        placeholder="https://"
        value={link.url}
        onInput={(event) => onWrite({ url: event.currentTarget.value })}
      />
      <button
        type="button"
        class="button-text"
        aria-label={words.removeLink(link.title.trim())}
        onClick={onRemove}
      >
        <CrossIcon />
      </button>
    </li>
  );
}
