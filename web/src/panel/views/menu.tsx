/**
 * A button that opens a short menu, after the ARIA pattern: arrows move, Escape and Tab leave.
 */
import type { ComponentChildren, TargetedKeyboardEvent, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export interface MenuItem {
  readonly label: string;
  readonly lang?: string;
  /** Present on items of which one is chosen. */
  readonly checked?: boolean;
  readonly danger?: boolean;
  /** The name of the choice that this item and those beside it are of. */
  readonly group?: string;
  readonly act: () => void;
}

export interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly children: ComponentChildren;
}

/** Where an arrow leads from item `index` of `count`. */
export function nextIndex(key: string, index: number, count: number): number | undefined {
  if (key === "ArrowDown") return (index + 1) % count;
  if (key === "ArrowUp") return (index - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}

export function Menu({ label, items, children }: MenuProps): VNode {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useDismissal(root, open, () => setOpen(false));
  const leave = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onButtonKey = (event: TargetedKeyboardEvent<HTMLButtonElement>) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    setOpen(true);
  };
  return (
    <div class="menu" ref={root}>
      <button
        ref={button}
        type="button"
        class="quiet"
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        onKeyDown={onButtonKey}
      >
        <span class="hidden">{label}</span>
        {children}
      </button>
      {open && <MenuList label={label} items={items} leave={leave} />}
    </div>
  );
}

interface ListProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly leave: () => void;
}

function MenuList({ label, items, leave }: ListProps): VNode {
  const list = useRef<HTMLDivElement>(null);
  const buttons = () => [...(list.current?.querySelectorAll("button") ?? [])];
  useEffect(() => {
    const chosen = items.findIndex(({ checked, group }) => checked && !group);
    buttons()[Math.max(chosen, 0)]?.focus();
  }, []);
  const onKey = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    if (event.key === "Escape" || event.key === "Tab") {
      event.stopPropagation();
      if (event.key === "Escape") event.preventDefault();
      leave();
      return;
    }
    const index = buttons().indexOf(document.activeElement as HTMLButtonElement);
    const next = nextIndex(event.key, index, items.length);
    if (next === undefined) return;
    event.preventDefault();
    buttons()[next]?.focus();
  };
  return (
    <div class="menu-list" role="menu" aria-label={label} ref={list} onKeyDown={onKey}>
      {grouped(items).map(({ group, members }) => {
        const buttons = members.map((item) => (
          <ItemButton key={item.label} item={item} leave={leave} />
        ));
        return group ? (
          <fieldset key={group} class="menu-group">
            <legend>{group}</legend>
            {buttons}
          </fieldset>
        ) : (
          buttons
        );
      })}
    </div>
  );
}

interface Group {
  readonly group: string | undefined;
  readonly members: readonly MenuItem[];
}

/** Items that stand together and are of one group, or of none. */
function grouped(items: readonly MenuItem[]): readonly Group[] {
  const groups: { group: string | undefined; members: MenuItem[] }[] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (last && last.group === item.group) last.members.push(item);
    else groups.push({ group: item.group, members: [item] });
  }
  return groups;
}

function ItemButton({
  item,
  leave,
}: {
  readonly item: MenuItem;
  readonly leave: () => void;
}): VNode {
  return (
    <button
      type="button"
      role={item.checked === undefined ? "menuitem" : "menuitemradio"}
      {...(item.checked === undefined ? {} : { "aria-checked": item.checked })}
      lang={item.lang}
      tabIndex={-1}
      class={item.danger ? "danger" : undefined}
      onClick={() => {
        leave();
        item.act();
      }}
    >
      {item.label}
    </button>
  );
}

/** Closes the menu when the visitor turns to something else. */
function useDismissal(
  root: { readonly current: HTMLElement | null },
  open: boolean,
  close: () => void,
): void {
  useEffect(() => {
    if (!open) return undefined;
    const onPress = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) close();
    };
    document.addEventListener("pointerdown", onPress);
    window.addEventListener("blur", close);
    return () => {
      document.removeEventListener("pointerdown", onPress);
      window.removeEventListener("blur", close);
    };
  }, [open]);
}
