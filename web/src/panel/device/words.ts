/** What the sheet of the model on this device says; fetched with it, so that the first screen does without. */
import en from "../../i18n/device/en.json";
import type { Locale } from "../../i18n/locale.ts";
import { speaker, type Values } from "../../i18n/strings.ts";

export type DeviceKey = keyof typeof en;
export type DeviceWords = Readonly<Record<DeviceKey, string>>;

const FILES: Readonly<Record<Locale, () => Promise<DeviceWords>>> = {
  en: async () => en,
  es: async () => (await import("../../i18n/device/es.json")).default,
  he: async () => (await import("../../i18n/device/he.json")).default,
};

export const ENGLISH_DEVICE: DeviceWords = en;

export function loadDeviceWords(locale: Locale): Promise<DeviceWords> {
  return FILES[locale]();
}

/** Bytes as people read them. */
export function size(bytes: number, locale: string): string {
  const giga = bytes >= 1e9;
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: giga ? "gigabyte" : "megabyte",
    maximumFractionDigits: giga || bytes < 1e7 ? 1 : 0,
  }).format(bytes / (giga ? 1e9 : 1e6));
}

/** Seconds as people say them. */
export function duration(seconds: number, locale: string): string {
  const long = seconds >= 90;
  const value = long ? Math.round(seconds / 60) : Math.max(1, Math.round(seconds));
  const unit = long ? "minute" : "second";
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(value);
}

export type SayDevice = (key: DeviceKey, values?: Values) => string;

export function sayDevice(words: DeviceWords, locale: Locale): SayDevice {
  return speaker(locale, words as never) as unknown as SayDevice;
}
