/** When people are back, as the views say it. */
import { nextOpening, sayBack } from "../attendance.ts";
import { usePanel } from "./context.ts";

/**
 * Says when people are back, where nobody is there: what the gateway told of this question, else what the site's hours
 * say.
 */
export function useBack(told?: string): string | undefined {
  const { state } = usePanel();
  const now = Date.now();
  const said = Date.parse(told ?? "");
  const at = said > now ? said : nextOpening(state.config.hours, now);
  if (at === undefined) return undefined;
  return sayBack(at, now, { say: state.say.value, locale: state.locale.value });
}
