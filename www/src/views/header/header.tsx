// The name of the source, the query bar, and what acts on all of it.
import { QueryBar } from "../querybar/querybar";

export function Header() {
  return (
    <header class="app-head">
      <strong>reqlog</strong>
      <QueryBar />
    </header>
  );
}
