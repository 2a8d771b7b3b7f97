// The document of a running server: the API is where the document came from.
import { Server, unlock } from "./backend/server";
import { mount } from "./mount";
import { backend } from "./state/question";

const given = new URLSearchParams(location.hash.slice(1));
const key = given.get("key");
if (key) {
  unlock(key);
  given.delete("key");
  history.replaceState(null, "", `#${given}`);
}
backend.value = new Server(new URL(".", location.href));
mount();
