/**
 * The address bar: `#e_…` is the open escalation, so that a link in a message opens it and the
 * browser's Back closes it.
 */

const OPEN = /^#(e_[A-Za-z0-9_-]+)$/;

export class Navigation {
  constructor(private readonly window: Window) {}

  current(): string | null {
    return OPEN.exec(this.window.location.hash)?.[1] ?? null;
  }

  /** Moves on without a new step in the history, as the keyboard does through a list. */
  replace(id: string | null): void {
    const { pathname, search } = this.window.location;
    this.window.history.replaceState(null, "", id === null ? pathname + search : address(id));
  }

  /** Calls `then` now and at every change; the answer stops it. */
  follow(then: (id: string | null) => void): () => void {
    const changed = (): void => then(this.current());
    this.window.addEventListener("hashchange", changed);
    changed();
    return () => this.window.removeEventListener("hashchange", changed);
  }
}

export function address(id: string): string {
  return `#${id}`;
}
