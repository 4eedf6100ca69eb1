/**
 * The launcher's look, as a constructable style sheet: it needs no `style-src` from the host page, and the
 * host page's own rules cannot reach it.
 */

export const CSS = `
:host{all:initial!important;position:fixed!important;inset:0!important;z-index:2147483647!important;width:0!important;height:0!important}
*{box-sizing:border-box;color-scheme:light dark}
.launch{position:fixed;bottom:max(16px,env(safe-area-inset-bottom));right:16px;width:56px;height:56px;padding:0;border:0;border-radius:28px;background:var(--accent,#1f5f8b);color:var(--ink,#fff);box-shadow:0 4px 16px #0004,0 0 0 1px #fff3;cursor:pointer;transition:opacity .16s}
.launch:hover{opacity:.9}
.launch:focus-visible{outline:3px solid var(--accent,#1f5f8b);outline-offset:3px;box-shadow:0 0 0 3px #fff}
svg{position:absolute;inset:0;margin:auto;width:30px;height:30px;fill:none;stroke:currentColor;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round;transition:opacity .16s}
.down,.open .mark{opacity:0}
.open .down{opacity:1}
.badge{position:absolute;top:-4px;inset-inline-end:-4px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;background:#f2b134;color:#241800;font:600 13px/22px system-ui;text-align:center}
.badge:empty{display:none}
.sheet{position:fixed;bottom:calc(max(16px,env(safe-area-inset-bottom)) + 72px);right:16px;width:400px;height:min(680px,calc(100dvh - 112px));border:1px solid #8885;border-radius:12px;overflow:hidden;background:Canvas;color:CanvasText;box-shadow:0 16px 48px #0004;visibility:hidden;opacity:0;transform:translateY(8px);transition:opacity .16s,transform .16s,visibility .16s}
.sheet.open{visibility:visible;opacity:1;transform:none}
iframe{position:absolute;inset:0;width:100%;height:100%;border:0;opacity:0;transition:opacity .16s}
.ready iframe{opacity:1}
.tip{width:288px;max-height:240px}
.wait{position:absolute;inset:0;display:grid;place-content:center;padding:32px;font:15px/1.5 system-ui;text-align:center}
.ready .wait{display:none}
:host([data-side=left]) .launch,:host([data-side=left]) .sheet{right:auto;left:16px}
@media(max-width:480px),(max-height:360px){.sheet,:host([data-side=left]) .sheet{inset:0;width:100%;height:100dvh;border:0;border-radius:0}.launch.open,.tip{display:none}}
@media(prefers-reduced-motion:reduce){*{transition:none!important}}
@media(forced-colors:active){.launch,.badge{border:1px solid}}
@media print{:host{display:none!important}}
`;

/** Black or white, whichever reads better on `color` (by WCAG's relative luminance, roughly). */
export function inkOn(color: string): string {
  const digits = color.length === 4 ? color.replace(/[^#]/g, "$&$&") : color;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(
    (at) => (Number.parseInt(digits.slice(at, at + 2), 16) / 255) ** 2.2,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#111316" : "#fff";
}
