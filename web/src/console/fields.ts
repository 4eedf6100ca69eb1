/**
 * One field of a message at a time, read with suspicion.
 *
 * Decides: what counts as text, as a share, as a list, and what stands in for one that is not.
 * Refuses: a message that is no object, or lacks what it cannot do without ({@link WireError}).
 */

/** The gateway sent something this console cannot read. */
export class WireError extends Error {
  constructor(readonly field: string) {
    super(`The gateway's message lacks a readable "${field}".`);
    this.name = "WireError";
  }
}

export type Fields = Record<string, unknown>;

export function object(value: unknown, field: string): Fields {
  if (typeof value !== "object" || value === null) throw new WireError(field);
  return value as Fields;
}

export function required(fields: Fields, field: string): string {
  const value = text(fields[field]);
  if (value === null) throw new WireError(field);
  return value;
}

export function text(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

export function share(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value)
    ? Math.min(1, Math.max(0, value))
    : null;
}

/** A whole number of things, never below none. */
export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0;
}

export function list<T>(value: unknown, read: (item: unknown) => T): readonly T[] {
  return Array.isArray(value) ? value.map(read) : [];
}

/** The texts of a list; what is no text is left out. */
export function texts(value: unknown): readonly string[] {
  return list(value, text).filter((item) => item !== null);
}

export function oneOf<T extends string>(value: unknown, known: readonly T[], otherwise: T): T {
  return known.find((name) => name === value) ?? otherwise;
}
