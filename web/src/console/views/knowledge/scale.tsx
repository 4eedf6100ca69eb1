/** A confidence as a thin bar, with the threshold marked on it. The words beside it say the same. */

export function Scale({ value, threshold }: { value: number; threshold: number | null }) {
  const passes = threshold === null || value >= threshold;
  return (
    <svg
      class={passes ? "sureness" : "sureness sureness-low"}
      viewBox="0 0 100 8"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect class="scale-all" y="2" width="100" height="4" />
      <rect class="scale-part" y="2" width={Math.max(1, value * 100)} height="4" />
      {threshold !== null && (
        <line
          class="scale-mark"
          x1={threshold * 100}
          x2={threshold * 100}
          y1="0"
          y2="8"
          vector-effect="non-scaling-stroke"
        />
      )}
    </svg>
  );
}
