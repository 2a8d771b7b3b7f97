// The dialogs that lie over everything: palette, help, export, files.
import { counted } from "../../lib/format";
import { openWaiting } from "../../state/connection";
import { close, dialog } from "../../state/dialogs";
import { waiting } from "../../state/source";
import { Export } from "../export/export";
import { Drop } from "../start/drop";
import { Files } from "../start/files";
import { Dialog } from "./dialog";
import { Help } from "./help";
import { Palette } from "./palette";
import "./dialogs.css";

export function Dialogs() {
  return (
    <>
      {dialog.value === "palette" && <Palette />}
      {dialog.value === "help" && <Help />}
      {dialog.value === "export" && <Export />}
      {dialog.value === "files" && <Files />}
      {dialog.value === "handover" && <Handover />}
      <Drop />
    </>
  );
}

/** Browsers open tabs for clicks; some do not for drops. */
function Handover() {
  const go = () => {
    openWaiting();
    close();
  };
  return (
    <Dialog title={`Open ${counted(waiting.value.length, "file")}`}>
      <p>Files open in a tab of their own, which has no connection to any server.</p>
      <div class="files-buttons">
        <button type="button" class="button" onClick={close}>Not now</button>
        <button type="button" class="button primary" onClick={go}>Open the tab</button>
      </div>
    </Dialog>
  );
}
