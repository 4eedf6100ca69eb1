/**
 * Files that are dropped or pasted into a chat that takes text only.
 *
 * Decides: what carries files and nothing to write. Refuses: to let a drop open anything in the panel's place; text that is
 * dropped or pasted into a field goes there as ever.
 */

function has(data: DataTransfer | null, type: string): boolean {
  return data?.types.includes(type) ?? false;
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
}

/** Calls `refused` for each file that somebody tries to give. */
export function refuseFiles(page: Document, refused: () => void): void {
  const stops = ({ dataTransfer, target }: DragEvent) =>
    has(dataTransfer, "Files") || !isField(target);
  page.addEventListener("dragover", (event) => {
    if (stops(event)) event.preventDefault();
  });
  page.addEventListener("drop", (event) => {
    if (!stops(event)) return;
    event.preventDefault();
    if (has(event.dataTransfer, "Files")) refused();
  });
  page.addEventListener("paste", (event) => {
    // A table that is copied comes as a picture, too: its text is what is wanted.
    if (!has(event.clipboardData, "Files") || has(event.clipboardData, "text/plain")) return;
    event.preventDefault();
    refused();
  });
}
