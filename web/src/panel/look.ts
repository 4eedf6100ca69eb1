/**
 * How the panel looks: light or dark, and how much its colours stand apart.
 *
 * Decides: what a theme means on this device. `auto` follows the device; `contrast` follows it too, with the strongest
 * colours. A device that asks for more contrast gets it in every theme.
 */
import { effect, type ReadonlySignal, signal } from "@preact/signals";

export const THEMES = ["auto", "light", "dark", "contrast"] as const;
export type Theme = (typeof THEMES)[number];

/** What the device prefers. */
export interface Device {
  readonly dark: boolean;
  readonly moreContrast: boolean;
}

export interface Look {
  readonly scheme: "light" | "dark";
  readonly contrast: "usual" | "more";
}

/** Reads a theme; anything unknown is `auto`. */
export function parseTheme(value: unknown): Theme {
  return THEMES.find((theme) => theme === value) ?? "auto";
}

export function lookOf(theme: Theme, { dark, moreContrast }: Device): Look {
  const fixed = theme === "light" || theme === "dark" ? theme : undefined;
  return {
    scheme: fixed ?? (dark ? "dark" : "light"),
    contrast: moreContrast || theme === "contrast" ? "more" : "usual",
  };
}

/** Dresses the document, now and whenever the theme or the device changes. */
export function followLook(
  theme: ReadonlySignal<Theme>,
  root: HTMLElement,
  media: (query: string) => MediaQueryList,
): void {
  const [darkQuery, contrastQuery] = [
    media("(prefers-color-scheme: dark)"),
    media("(prefers-contrast: more)"),
  ];
  const read = (): Device => ({ dark: darkQuery.matches, moreContrast: contrastQuery.matches });
  const device = signal(read());
  for (const query of [darkQuery, contrastQuery]) {
    query.addEventListener("change", () => {
      device.value = read();
    });
  }
  effect(() => {
    Object.assign(root.dataset, lookOf(theme.value, device.value));
  });
}
