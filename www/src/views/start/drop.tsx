// Files dropped anywhere on the window, and what is pasted into the document of files.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { handed } from "../../lib/handed";
import { backend } from "../../state/question";
import { doors, phase } from "../../state/source";

const isEditing = (target: EventTarget | null) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA)$/.test(target.tagName));
const carriesFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") ?? false;

export function Drop() {
  const isOver = useSignal(false);
  useEffect(() => {
    let depth = 0;
    const abort = new AbortController();
    const { signal } = abort;
    const take = (files: File[]) => {
      if (files.length > 0) doors.peek()?.open(files, "add");
    };
    addEventListener("dragenter", (event) => {
      if (!carriesFiles(event)) return;
      depth += 1;
      isOver.value = true;
    }, { signal });
    addEventListener("dragleave", (event) => {
      if (!carriesFiles(event)) return;
      depth -= 1;
      if (depth <= 0) isOver.value = false;
    }, { signal });
    addEventListener("dragover", (event) => {
      if (carriesFiles(event)) event.preventDefault();
    }, { signal });
    addEventListener("drop", (event) => {
      depth = 0;
      isOver.value = false;
      if (!carriesFiles(event)) return;
      event.preventDefault();
      const files = handed(event.dataTransfer);
      take(files);
      if (files.length === 0 && ["empty", "failed"].includes(phase.peek().at)) phase.value = { at: "failed", why: "A folder cannot be opened: drop the files that are in it." };
    }, { signal });
    addEventListener("paste", (event) => {
      if (doors.peek()?.document !== "file" || isEditing(event.target)) return;
      const files = handed(event.clipboardData);
      if (files.length === 0) return;
      event.preventDefault();
      take(files);
    }, { signal });
    return () => abort.abort();
  }, []);
  if (!isOver.value) return null;
  const text = doors.value?.document === "server" ? "Opens in a tab of its own; nothing is sent" : backend.value?.kind === "file" ? "Adds to the open files" : "Opens here; nothing is sent";
  return <div class="drop-over">{text}</div>;
}
