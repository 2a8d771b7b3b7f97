// The question in the URL: what is a step of the history, and what going back brings.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { loadTogether } from "./load.mjs";

mock.timers.enable({ apis: ["setTimeout"] });
const steps = ["#q=a"];
const shown = () => steps.at(-1);
globalThis.location = { pathname: "/open.html", search: "", get hash() { return shown().startsWith("#") ? shown() : ""; } };
globalThis.history = {
  pushState: (_, __, url) => steps.push(url),
  replaceState: (_, __, url) => (steps[steps.length - 1] = url),
};
const back = () => (steps.pop(), dispatchEvent(new Event("popstate")));
const target = new EventTarget();
globalThis.addEventListener = target.addEventListener.bind(target);
globalThis.dispatchEvent = target.dispatchEvent.bind(target);

const [fragment, question, typed, record] = await loadTogether("state/fragment.ts", "state/question.ts", "views/querybar/typed.ts", "state/record.ts");
fragment.bindFragment();
typed.bind();
question.backend.value = { request: () => Promise.resolve(Response.json({ items: [] })) };
const passed = () => new Promise((resolve) => setImmediate(resolve));
async function pause(text) {
  typed.write(text, text.length);
  mock.timers.tick(300);
  await passed();
}

test("a question is a step, a record that is looked at is not, and each step comes back whole", () => {
  assert.equal(question.query.value, "a");
  question.selected.value = "1";
  question.query.value = "b";
  question.window.value = { from: "x", to: "y" };
  question.window.value = { from: "x", to: "z" };
  question.selected.value = "2";
  assert.deepEqual(steps, ["#q=a&id=1", "#q=b&id=1", "#q=b&from=x&to=y&id=1", "#q=b&from=x&to=z&id=2"]);
  back();
  assert.deepEqual([question.window.value, question.selected.value], [{ from: "x", to: "y" }, "1"]);
  question.selected.value = "3";
  assert.deepEqual(steps, ["#q=a&id=1", "#q=b&id=1", "#q=b&from=x&to=y&id=3"]);
  back();
  back();
  assert.deepEqual([question.query.value, question.window.value, question.selected.value], ["a", null, "1"]);
  assert.deepEqual(steps, ["#q=a&id=1"]);
});

test("what is written in one go is one step, however often it was applied meanwhile", async () => {
  question.selected.value = null;
  for (const text of ["status", "status:4", "status:404"]) await pause(text);
  typed.apply();
  await passed();
  assert.deepEqual(steps, ["#q=a", "#q=status%3A404"]);
  await pause("x");
  // a facet is chosen in between
  question.query.value = "x method:GET";
  await pause("x method:GET y");
  assert.deepEqual(steps.slice(2), ["#q=x", "#q=x+method%3AGET", "#q=x+method%3AGET+y"]);
});

test("going from a record to others is one step", () => {
  steps.splice(1);
  dispatchEvent(new Event("popstate"));
  record.showInTable("x", "y", "project:web");
  record.only("trace:1");
  assert.deepEqual(steps, ["#q=a", "#q=project%3Aweb&from=x&to=y", "#q=trace%3A1"]);
});
