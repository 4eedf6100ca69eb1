/** The charts, in the order of what an operator asks first. */

import { alone, money, moneyTick, number, portion } from "../../figures/numbers";
import { ticks, wholeTicks } from "../../figures/scales";
import type { Figures, TierSums } from "../../figures/wire";
import { Budgets } from "./budgets";
import { Confidence } from "./confidence";
import { useFigureWords } from "./context";
import { Models, Ranked } from "./ranked";
import { type Series, Stacks } from "./stacks";
import { Tiles } from "./tiles";
import { Waits } from "./waits";

/** Who may answer, in the order of the stack. */
const SOURCES = ["kb", "local", "cloud", "human"];
const TONES = 5;

export function Body({ figures }: { figures: Figures }) {
  const words = useFigureWords();
  const { total } = figures;
  return (
    <>
      <Tiles figures={figures} />
      <Budgets />
      <div class="figures">
        <WhoAnswered figures={figures} />
        <Spend figures={figures} />
        <Tiers figures={figures} />
        <Waits figures={figures} />
        <Confidence figures={figures} />
        <Ranked {...words.reasons} reasons={figures.reasons} of={total.escalated} />
        {figures.choices.length > 0 && (
          <Ranked
            {...words.choices}
            none=""
            reasons={figures.choices}
            of={figures.choices.reduce((all, { turns }) => all + turns, 0)}
          />
        )}
        <Models figures={figures} />
      </div>
    </>
  );
}

function WhoAnswered({ figures }: { figures: Figures }) {
  const { answered: words, locale } = useFigureWords();
  const { total, spans } = figures;
  const series: readonly Series[] = [
    ...SOURCES.filter((source) => (total.answered[source] ?? 0) > 0).map((source) => ({
      name: words.sources[source] ?? source,
      tone: `tone-${source}`,
      values: spans.map((span) => span.answered[source] ?? 0),
    })),
    { name: words.person, tone: "tone-person", values: spans.map(({ escalated }) => escalated) },
  ];
  return (
    <Stacks
      title={words.title(portion(alone(total), total.turns, locale))}
      what={figures.by === "hour" ? words.byHour : words.byDay}
      figures={figures}
      series={series}
      ticks={wholeTicks}
      format={(turns) => number(turns, locale)}
      wide
    />
  );
}

function Spend({ figures }: { figures: Figures }) {
  const { spend: words, locale } = useFigureWords();
  const { micros } = figures.total;
  return (
    <Stacks
      title={micros === 0 ? words.none : words.title(money(micros, locale))}
      what={words.what}
      figures={figures}
      series={useTiers(figures, (sums) => sums.micros)}
      ticks={(most) => ticks(most / 1e6).map((dollars) => dollars * 1e6)}
      format={(spent) => money(spent, locale)}
      tick={(spent, step) => moneyTick(spent, step, locale)}
    />
  );
}

function Tiers({ figures }: { figures: Figures }) {
  const { tiers: words, spend, locale } = useFigureWords();
  const { tiers } = figures.total;
  const all = tiers.reduce((sum, { turns }) => sum + turns, 0);
  const most = [...tiers].sort((a, b) => b.turns - a.turns)[0];
  const named = tiers.length > 1 && most !== undefined;
  const title = named
    ? words.title(most.tier ?? spend.noTier, portion(most.turns, all, locale))
    : words.one;
  return (
    <Stacks
      title={title}
      what={all === 0 ? words.none : words.what}
      figures={figures}
      series={useTiers(figures, (sums) => sums.turns)}
      ticks={wholeTicks}
      format={(turns) => number(turns, locale)}
    />
  );
}

/** A series for each tier, the cheapest first, each in its own colour in every chart. */
function useTiers(figures: Figures, of: (sums: TierSums) => number): readonly Series[] {
  const { spend } = useFigureWords();
  const each = ({ micros, turns }: TierSums): number => micros / Math.max(1, turns);
  const tiers = [...figures.total.tiers].sort((a, b) => each(a) - each(b));
  return tiers.map(({ tier }, place) => ({
    name: tier ?? spend.noTier,
    tone: `tone-tier-${place % TONES}`,
    values: figures.spans.map((span) => {
      const sums = span.tiers.find((one) => one.tier === tier);
      return sums === undefined ? 0 : of(sums);
    }),
  }));
}
