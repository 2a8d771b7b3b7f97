// The document of opened files and of the demo: nothing of them leaves it.
import { mount } from "./mount";

mount();
