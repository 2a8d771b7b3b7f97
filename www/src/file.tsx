// The document of opened files and of the demo: nothing of them leaves it.
import { mount } from "./mount";
import { receive } from "./backend/handover";
import { bindFiles, fileDoors } from "./state/files";
import { extras } from "./state/fragment";
import { bindRefresh } from "./state/refresh";
import { doors, phase } from "./state/source";

interface LaunchQueue {
  setConsumer(take: (launched: { files: readonly FileSystemFileHandle[] }) => void): void;
}

doors.value = fileDoors;
phase.value = { at: "empty" };
bindRefresh();
bindFiles();
mount();

const take = (files: File[]) => {
  if (files.length > 0) fileDoors.open(files, "instead");
};
receive(take);
// files that the system opens with the installed app
(globalThis as { launchQueue?: LaunchQueue }).launchQueue?.setConsumer(({ files }) => {
  void Promise.all(files.map((file) => file.getFile())).then(take);
});
if ("demo" in extras.peek()) fileDoors.demo();
