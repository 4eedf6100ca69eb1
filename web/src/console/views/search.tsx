/** A field to search with; how much was found is told to screen readers. */

import type { Ref } from "preact";
import { useRef } from "preact/hooks";
import { useStrings } from "./context";
import { CrossIcon, SearchIcon } from "./icons";

interface SearchFieldProps {
  readonly inputRef?: Ref<HTMLInputElement>;
  readonly label: string;
  readonly value: string;
  /** What came of it, in words. */
  readonly found: string;
  readonly onSearch: (text: string) => void;
}

export function SearchField({ inputRef, label, value, found, onSearch }: SearchFieldProps) {
  const { list } = useStrings();
  const field = useRef<HTMLDivElement>(null);
  const clear = (): void => {
    onSearch("");
    field.current?.querySelector("input")?.focus();
  };
  return (
    <div class="search" ref={field}>
      <SearchIcon />
      <input
        ref={inputRef ?? null}
        type="text"
        inputMode="search"
        enterkeyhint="search"
        dir="auto"
        aria-label={label}
        placeholder={label}
        autocomplete="off"
        value={value}
        onInput={(event) => onSearch(event.currentTarget.value)}
      />
      {value !== "" && (
        <button type="button" class="button-text" aria-label={list.clearSearch} onClick={clear}>
          <CrossIcon />
        </button>
      )}
      <span class="unseen" role="status">
        {found}
      </span>
    </div>
  );
}
