/** Small drawings. They say nothing that words beside them do not: hidden from screen readers. */

import type { ComponentChildren } from "preact";

/** A half-round window: Fanlight's mark. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg
      class="mark"
      width={size}
      height={(size * 13) / 24}
      viewBox="0 6.5 24 13"
      aria-hidden="true"
    >
      <path d="M2 18a10 10 0 0 1 20 0z" class="mark-pane" />
      <path
        d="M2 18a10 10 0 0 1 20 0zM8.5 18a3.5 3.5 0 0 1 7 0M12 14.5V8M9.5 15.5 4.9 10.9M14.5 15.5l4.6-4.6"
        class="mark-lead"
      />
    </svg>
  );
}

export const BackIcon = () => <Icon path="M12.5 4.5 7 10l5.5 5.5" turns />;
export const CheckIcon = () => <Icon path="m4.5 10.5 3.5 3.5 7.5-8" />;
export const AlertIcon = () => <Icon path="M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.2v.1" />;
export const SearchIcon = () => (
  <Icon path="M9 14A5 5 0 1 0 9 4a5 5 0 0 0 0 10zM12.7 12.7 16.5 16.5" />
);
export const CrossIcon = () => <Icon path="m5.5 5.5 9 9M14.5 5.5l-9 9" />;
export const ClockIcon = () => (
  <Icon path="M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6.5V10l2.5 2" />
);

export const PlusIcon = () => <Icon path="M10 4.5v11M4.5 10h11" />;
export const PersonIcon = () => (
  <Icon path="M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 16.5c.6-2.7 3-4 6-4s5.4 1.3 6 4" />
);
export const AskIcon = () => (
  <Icon path="M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M10 14.2v.1M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z" />
);
export const GaugeIcon = () => <Icon path="M3.5 14.5a7 7 0 1 1 13 0M10 12.5l3.2-4" />;
export const FileIcon = () => <Icon path="M5.5 3.5h6l3 3v10h-9zM11.5 3.5v3h3" />;

export const CopyIcon = () => <Icon path="M7.5 7.5h8v9h-8zM12.5 7V3.5h-8v9h2.5" />;

/** @param turns mirrored where the page reads from the right. */
function Icon({ path, turns = false }: { path: string; turns?: boolean }): ComponentChildren {
  return (
    <svg
      class={turns ? "icon icon-turns" : "icon"}
      width="20"
      height="20"
      viewBox="0 0 20 20"
      aria-hidden="true"
    >
      <path d={path} />
    </svg>
  );
}
