// What is shown, of how much, and how far it is read.
export function Foot() {
  return <footer class="app-foot" />;
}
