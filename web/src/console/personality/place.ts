/**
 * Which personality is shown, and how an address says it: `#personality/site_demo/teacher`.
 *
 * Decides: `~new` is the one that is being written, `~none` the model's own manner. No personality can be called so.
 */

export const NEW = "~new";
export const NONE = "~none";

export interface PersonalityPlace {
  readonly room: "personality";
  /** Null is the first one there is. */
  readonly site: string | null;
  /** Null is the list; beside it stands the one in use. */
  readonly name: string | null;
}

export const PERSONALITY: PersonalityPlace = { room: "personality", site: null, name: null };

export function personalityAddress({ site, name }: PersonalityPlace): string {
  const parts = [site, site === null ? null : name].filter((part) => part !== null);
  return `#${["personality", ...parts].map(encodeURIComponent).join("/")}`;
}
