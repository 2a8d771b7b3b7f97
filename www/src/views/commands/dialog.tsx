// A native dialog: modal, closed by Escape, its button and a click beside it; focus goes back to where it was.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { close } from "../../state/dialogs";
import { Icon } from "../header/icons";

interface Props {
  title: string;
  class?: string;
  /** Whether the title is for screen readers only. */
  untitled?: boolean;
  onClose?: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, class: name = "", untitled = false, onClose = close, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = element.current;
    shown?.showModal();
    // closing it gives the focus back, removing it does not
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class={`dialog ${name}`}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={({ target }) => {
        if (target === element.current) onClose();
      }}
    >
      <div class="dialog-frame">
        {!untitled && (
          <div class="dialog-head">
            <h2>{title}</h2>
            <button type="button" class="button plain" aria-label="Close" onClick={onClose}>
              <Icon name="close" />
            </button>
          </div>
        )}
        {children}
      </div>
    </dialog>
  );
}
