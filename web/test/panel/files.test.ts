// @vitest-environment happy-dom
/** Files are refused in words, and text goes where it is wanted. */
import { beforeEach, describe, expect, it } from "vitest";
import { refuseFiles } from "../../src/panel/files.ts";

let refused: number;
let field: HTMLTextAreaElement;

beforeEach(() => {
  refused = 0;
  const page = document.implementation.createHTMLDocument();
  field = page.createElement("textarea");
  page.body.append(field);
  refuseFiles(page, () => {
    refused += 1;
  });
});

/** Whether the browser is kept from doing what it would do. */
function happens(type: string, target: Element, ...types: readonly string[]): boolean {
  const event = new Event(type, { bubbles: true, cancelable: true });
  const name = type === "paste" ? "clipboardData" : "dataTransfer";
  Object.defineProperty(event, name, { value: types.length > 0 ? { types } : null });
  target.dispatchEvent(event);
  return event.defaultPrevented;
}

const body = () => field.ownerDocument.body;

describe("what is dropped", () => {
  it("is refused where it is a file, on the field and beside it", () => {
    for (const target of [field, body()]) {
      expect(happens("dragover", target, "Files")).toBe(true);
      expect(happens("drop", target, "Files", "text/uri-list")).toBe(true);
    }
    expect(refused).toBe(2);
  });

  it("opens nothing in the panel's place", () => {
    expect(happens("dragover", body(), "text/uri-list")).toBe(true);
    expect(happens("drop", body(), "text/uri-list")).toBe(true);
    expect(refused).toBe(0);
  });

  it("goes into the field where it is text", () => {
    expect(happens("dragover", field, "text/plain")).toBe(false);
    expect(happens("drop", field, "text/plain")).toBe(false);
    expect(refused).toBe(0);
  });
});

describe("what is pasted", () => {
  it.each<[string, readonly string[], boolean]>([
    ["a picture is refused", ["Files", "text/html"], true],
    ["a table with its picture is its text", ["text/plain", "text/html", "Files"], false],
    ["text is text", ["text/plain"], false],
    ["nothing is nothing", [], false],
  ])("%s", (_, types, expected) => {
    expect(happens("paste", field, ...types)).toBe(expected);
    expect(refused).toBe(expected ? 1 : 0);
  });
});
