/** What a file's personality says, for reading. */

import { type Form, LISTS, linesOf } from "../../personality/form";
import { usePersonalityWords } from "./context";
import { labelOf, optionWord } from "./words";

export function Facts({ form }: { form: Form }) {
  const words = usePersonalityWords();
  const said = Object.keys(words.fields).filter((field) => field in form);
  return (
    <dl class="manner-facts">
      {said.map((field) => (
        <div key={field}>
          <dt>{labelOf(words, field)}</dt>
          <dd>
            <bdi>
              <Value field={field} value={form[field] ?? ""} />
            </bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ field, value }: { field: string; value: string | boolean }) {
  const words = usePersonalityWords();
  if (field in words.words) return <>{optionWord(words, field, String(value))}</>;
  if (typeof value === "boolean") return <>{value ? words.yes : words.no}</>;
  if (LISTS.includes(field)) return <>{linesOf(value).join(", ")}</>;
  return <>{value}</>;
}
