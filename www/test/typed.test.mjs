// When what is typed becomes the query, and what is told of it meanwhile.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { loadTogether } from "./load.mjs";

mock.timers.enable({ apis: ["setTimeout"] });
const [typed, question, saved, completion] = await loadTogether("views/querybar/typed.ts", "state/question.ts", "state/saved.ts", "views/querybar/completion.ts");

const passed = () => new Promise((resolve) => setImmediate(resolve));
const read = () => Response.json({ items: [] });
const problem = (position) => Response.json({ status: 400, title: "Query not understood", detail: `"x" is no number (at byte ${position} of q)`, position, hint: "for example 404" }, { status: 400 });

let answers;
let asked;
typed.bind();

beforeEach(async () => {
  answers = [];
  asked = [];
  question.backend.value = {
    request(path) {
      asked.push(new URL(path, "http://x").searchParams.get("q"));
      return Promise.resolve(answers.shift()?.() ?? read());
    },
  };
  typed.put("");
  saved.forgetAll();
  completion.close();
  await passed();
});

const type = (text) => typed.write(text, text.length);

test("what is typed is applied when it is left alone and can be read", async () => {
  type("status:4");
  mock.timers.tick(299);
  type("status:404");
  mock.timers.tick(299);
  await passed();
  assert.equal(question.query.value, "");
  mock.timers.tick(1);
  await passed();
  assert.equal(question.query.value, "status:404");
  assert.equal(asked.length, 1);
  assert.deepEqual(saved.recent.value, []);
});

test("Enter applies at once and remembers, each query once", async () => {
  for (const text of ["a", "b", "a"]) {
    type(text);
    typed.apply();
    await passed();
    assert.equal(question.query.value, text);
  }
  assert.deepEqual(saved.recent.value, ["a", "b"]);
});

test("what cannot be read is told at its place, and not applied or remembered", async () => {
  answers = [() => problem(8)];
  type("status:x size:1");
  typed.apply();
  await passed();
  assert.equal(question.query.value, "");
  assert.deepEqual(typed.fault.value, { message: '"x" is no number', position: 7, length: 1, hint: "for example 404" });
  assert.deepEqual(saved.recent.value, []);
  type("status:xy size:1");
  assert.equal(typed.fault.value, null, "of another text nothing is known yet");
});

test("what is wrong at the caret is still being written", async () => {
  answers = [() => problem(8), () => problem(8)];
  type("status:x");
  mock.timers.tick(300);
  await passed();
  assert.equal(typed.fault.value, null);
  typed.leave();
  await passed();
  assert.equal(typed.fault.value.position, 7);
});

test("an answer that comes while more is typed takes nothing away", async () => {
  let answer;
  question.backend.value = { request: () => new Promise((resolve) => (answer = () => resolve(read()))) };
  type("ab");
  mock.timers.tick(300);
  await passed();
  type("abc");
  answer();
  await passed();
  assert.deepEqual([question.query.value, typed.text.value], ["", "abc"]);
});

test("a query set by others is shown, and what waited to be applied is let go", async () => {
  type("ab");
  question.query.value = "method:GET";
  assert.equal(typed.text.value, "method:GET");
  mock.timers.tick(1000);
  await passed();
  assert.equal(question.query.value, "method:GET");
});

test("what could not be applied is not lost when another query is set", async () => {
  answers = [() => problem(8)];
  type("status:x size:1");
  mock.timers.tick(300);
  await passed();
  question.query.value = "method:GET";
  assert.equal(typed.text.value, "method:GET");
  assert.deepEqual(saved.recent.value, ["status:x size:1"]);
  question.query.value = "method:POST";
  assert.deepEqual(saved.recent.value, ["status:x size:1"], "what was applied is not");
});

test("half a key waits, a whole value does not", async () => {
  const after = async (text) => {
    type(text);
    completion.offer(false);
    mock.timers.tick(300);
    await passed();
    return question.query.value;
  };
  assert.equal(await after("lev"), "");
  assert.equal(await after("level:wa"), "");
  assert.equal(await after("level:warn"), "level:warn");
  assert.equal(await after("zebra"), "zebra");
});

test("without an answer nothing is applied, and it is said why", async () => {
  question.backend.value = { request: () => Promise.reject(new TypeError("Failed to fetch")) };
  type("x");
  typed.apply();
  await passed();
  assert.equal(question.query.value, "");
  assert.equal(typed.failure.value.message, "Failed to fetch");
});
