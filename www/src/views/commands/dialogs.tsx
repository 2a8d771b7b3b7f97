// The dialogs that lie over everything: palette, help, export.
export function Dialogs() {
  return null;
}
