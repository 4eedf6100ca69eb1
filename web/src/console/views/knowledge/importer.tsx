/** Bringing entries in: an address or a file, what it would change, and the yes to it. */

import { useRef, useState } from "preact/hooks";
import { FILES } from "../../knowledge/import_store";
import type { Import, Named } from "../../knowledge/wire";
import { explain, languageOf } from "../../words";
import { useConsole, useStrings } from "../context";
import { AlertIcon, FileIcon } from "../icons";
import { Quoting } from "../text";

export function Importer() {
  const { importer } = useConsole().knowledge;
  const strings = useStrings();
  const { import: words } = strings.knowledge;
  const { value: found } = importer.found.value;
  const { value: trouble } = importer.found.trouble;
  const { value: objection } = importer.objection;
  return (
    <main class="page" aria-label={words.title}>
      <div class="page-head">
        <div>
          <h2>{words.title}</h2>
          <p class="page-lead">{words.lead}</p>
        </div>
      </div>
      <Address />
      <FileDrop />
      <p id="import-error" class="error" role="alert">
        {objection && words.objections[objection]}
        {trouble && (
          <>
            {words.failed(explain(trouble, strings))}{" "}
            <button type="button" class="button-text" onClick={() => void importer.again()}>
              {strings.knowledge.again}
            </button>
          </>
        )}
      </p>
      <p class="page-state" role="status">
        {importer.found.loading.value && <span class="busy">{words.looking}</span>}
      </p>
      {found && !importer.found.loading.value && <Preview key={found.id} found={found} />}
    </main>
  );
}

function Address() {
  const { importer } = useConsole().knowledge;
  const { import: words } = useStrings().knowledge;
  const submit = (event: Event): void => {
    event.preventDefault();
    void importer.lookAtAddress();
  };
  return (
    <form class="field" noValidate onSubmit={submit}>
      <label for="import-address">{words.address}</label>
      <div class="line">
        <input
          id="import-address"
          class="input"
          type="url"
          inputMode="url"
          dir="ltr"
          autocomplete="off"
          placeholder={words.addressPlaceholder}
          value={importer.address.value}
          aria-invalid={importer.objection.value === "address" ? "true" : undefined}
          aria-describedby="import-error"
          onInput={(event) => {
            importer.address.value = event.currentTarget.value;
          }}
        />
        <button type="submit" class="button">
          {words.look}
        </button>
      </div>
    </form>
  );
}

function FileDrop() {
  const { importer } = useConsole().knowledge;
  const { import: words } = useStrings().knowledge;
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file !== undefined) void importer.lookAtFile(file);
  };
  const drag = (event: DragEvent): void => {
    event.preventDefault(); // the browser would open the file in place of this page
    setOver(event.type === "dragover");
    if (event.type === "drop") take(event.dataTransfer?.files);
  };
  return (
    <fieldset
      aria-label={words.file}
      class={over ? "drop drop-over" : "drop"}
      onDragOver={drag}
      onDragLeave={drag}
      onDrop={drag}
    >
      <FileIcon />
      <p>
        {words.drop}{" "}
        <button type="button" class="drop-pick" onClick={() => input.current?.click()}>
          {words.pick}
        </button>
      </p>
      <p class="hint">{words.kinds}</p>
      <input
        ref={input}
        type="file"
        hidden
        accept={FILES.join(",")}
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = ""; // the same file may be picked again
        }}
      />
    </fieldset>
  );
}

function Preview({ found }: { found: Import }) {
  const { importer } = useConsole().knowledge;
  const { import: words } = useStrings().knowledge;
  const nothing = found.added.length + found.changed.length + found.removed.length === 0;
  return (
    <section class="preview" aria-labelledby="preview">
      <h3 id="preview">{words.preview(found.source)}</h3>
      {nothing && <p>{found.unchanged > 0 ? words.nothing : words.nothingFound}</p>}
      <Rows label={words.added(found.added.length)} rows={found.added} state="new" open />
      <Rows label={words.changed(found.changed.length)} rows={found.changed} state="changed" open />
      <Rows label={words.removed(found.removed.length)} rows={found.removed} state="removed" open />
      {found.unchanged > 0 && <p class="hint">{words.unchanged(found.unchanged)}</p>}
      <Problems problems={found.problems} />
      <div class="card-deeds">
        {!nothing && (
          <button
            type="button"
            class="button button-primary"
            aria-disabled={importer.accepting.value}
            onClick={() => void importer.accept()}
          >
            {importer.accepting.value ? words.accepting : words.accept}
          </button>
        )}
        <button type="button" class="button-text" onClick={() => importer.clear()}>
          {words.cancel}
        </button>
      </div>
    </section>
  );
}

interface RowsProps {
  readonly label: string;
  readonly rows: readonly Named[];
  readonly state: string;
  readonly open: boolean;
}

function Rows({ label, rows, state, open }: RowsProps) {
  if (rows.length === 0) return null;
  return (
    <details class="preview-rows" open={open && rows.length <= 12}>
      <summary>
        <span class={`badge badge-${state}`}>{label}</span>
      </summary>
      <ul>
        {rows.map((row) => (
          <li
            key={`${row.locale}/${row.id}`}
            dir="auto"
            lang={languageOf(row.question, row.locale)}
          >
            {row.question}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Problems({ problems }: { problems: readonly string[] }) {
  const { import: words } = useStrings().knowledge;
  if (problems.length === 0) return null;
  return (
    <details class="preview-rows" open={problems.length <= 12}>
      <summary class="preview-problems">
        <AlertIcon /> {words.problems(problems.length)}
      </summary>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>
            <Quoting text={problem} />
          </li>
        ))}
      </ul>
    </details>
  );
}
