/** The console on a page of its own, as a test's hands and eyes reach it. */

import { render } from "preact";
import { afterEach, beforeEach } from "vitest";
import { Console, type Ports } from "../../src/console/console";
import { Navigation } from "../../src/console/navigation";
import { App } from "../../src/console/views/app";
import { escalation, Gateway } from "./gateway";

export let gateway: Gateway;
export let console: Console;
export let root: HTMLElement;
let stop = (): void => {};

/** Lets answers arrive and the page be drawn again. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((go) => setTimeout(go, 0));
    await new Promise((go) => requestAnimationFrame(go)); // effects run after a frame
  }
}

export async function open(hash = "", ports: Partial<Ports> = {}): Promise<void> {
  history.replaceState(null, "", `/${hash}`);
  console = new Console(gateway.ports(ports));
  render(<App console={console} navigation={new Navigation(window)} />, root);
  stop = console.start();
  await settle();
}

beforeEach(() => {
  gateway = new Gateway();
  gateway.items = [1, 2, 3].map((number) => escalation(number));
  root = document.createElement("div");
  document.body.replaceChildren(root);
});

afterEach(() => {
  stop();
  render(null, root);
});

export const all = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
export const text = (selector: string) => root.querySelector(selector)?.textContent ?? "";
export const questions = () => all(".row-question").map((row) => row.textContent);
export const idOf = (number: number) => String(escalation(number).id);
export const hashOf = (number: number) => `#${idOf(number)}`;

export function get<T extends HTMLElement>(selector: string): T {
  const found = root.querySelector<T>(selector);
  if (found === null) throw new Error(`nothing on the page is ${selector}`);
  return found;
}

export function button(label: string): HTMLElement {
  const found = all("button").find(
    (one) => one.textContent?.trim() === label || one.getAttribute("aria-label") === label,
  );
  if (found === undefined) throw new Error(`no button says "${label}"`);
  return found;
}

/** Follows a link to another place on the page. */
export async function go(hash: string): Promise<void> {
  location.hash = hash;
  window.dispatchEvent(new Event("hashchange"));
  await settle();
}

export async function click(element: HTMLElement): Promise<void> {
  element.click();
  await settle();
}

export async function type(selector: string, value: string): Promise<void> {
  const field = get<HTMLInputElement>(selector);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await settle();
}

export async function press(key: string, init: KeyboardEventInit = {}): Promise<void> {
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }),
  );
  await settle();
}

export async function logIn(token: string): Promise<void> {
  await type("#token", token);
  get("form").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await settle();
}
