// Before there are records: open a file, unlock a server, the demo.
export function Start() {
  return null;
}
