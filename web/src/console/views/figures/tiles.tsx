/** The headline numbers. */

import { alone, money, number, portion, wait } from "../../figures/numbers";
import type { Figures } from "../../figures/wire";
import { useFigureWords } from "./context";

export function Tiles({ figures }: { figures: Figures }) {
  const { tiles: words, locale } = useFigureWords();
  const { total } = figures;
  const answered = alone(total);
  const { median, p95 } = total.total;
  return (
    <section aria-label={words.title}>
      <dl class="tiles">
        <Tile
          name={words.alone}
          value={portion(answered, total.turns, locale)}
          more={words.aloneOf(number(answered, locale), number(total.turns, locale))}
        />
        <Tile
          name={words.handed}
          value={number(total.escalated, locale)}
          more={words.handedOf(portion(total.escalated, total.turns, locale))}
        />
        <Tile
          name={words.spend}
          value={money(total.micros, locale)}
          more={words.spendEach(money(total.micros / Math.max(1, total.turns), locale))}
        />
        <Tile
          name={words.wait}
          value={wait(median, locale)}
          more={p95 === null ? "" : words.waitLate(wait(p95, locale))}
        />
      </dl>
    </section>
  );
}

function Tile({ name, value, more }: { name: string; value: string; more: string }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <span class="tile-value">{value}</span>
        <span class="tile-more">{more}</span>
      </dd>
    </div>
  );
}
