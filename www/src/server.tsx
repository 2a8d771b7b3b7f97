// The document of a live server: the one that serves it.
import { mount } from "./mount";
import { key } from "./backend/server";
import { bindLock, forgetKey, look, serverDoors, takeKey } from "./state/connection";
import { register } from "./state/commands";
import { bindLive } from "./state/live";
import { bindRefresh } from "./state/refresh";
import { doors } from "./state/source";

takeKey();
doors.value = serverDoors;
register({ id: "forget-key", title: "Forget the key", group: "Data", when: () => key.value !== null, run: forgetKey });
bindRefresh();
mount();
bindLock();
bindLive();
void look();
