// The keys by what they are for, and the query language in short.
import { commands, type Command } from "../../state/commands";
import { close } from "../../state/dialogs";
import { backend, query } from "../../state/question";
import { Dialog } from "./dialog";
import { Keys } from "./keys";

const GROUPS: Command["group"][] = ["Navigate", "Query", "View", "Record", "Data"];
const EXAMPLES: [string, string][] = [
  ["status:5xx,429", "server errors, and too many requests"],
  ["method:POST -path:/health*", "both hold; a minus turns one round; * and ? stand for anything"],
  ["duration:>1.5s size:>100kb", "comparisons with units"],
  ["status:400..499", "from, to, both included; either may be left out"],
  ['"timed out"', "text in the message, URL, route or error code"],
  ["body:refund", "text in the bodies"],
  ["res.header.x-cache:MISS", "a header; query.page:2 is a parameter of the URL"],
  ["req.json.items.0.sku:A-17", "a member of a JSON body"],
  ["path:~/^\\/v[12]\\/users/", "a regular expression, with i at its end for any case"],
  ["trace:* -user:*", "there is a trace, and no user"],
  ["time:-1h..", "the last hour; today, 2026-06-23, 2026-06-23T07:30Z"],
  ["is:slow OR is:error", "either; parentheses group"],
];
const KEYS = "time level kind method status path url query.<name> route host scheme protocol duration size req.size res.size ip ua service project environment session container source trace span id request_id user flow auth error message overridden req.header.<n> res.header.<n> req.body res.body body req.json.<path> res.json.<path> type attr.<name> is:error|slow|truncated|redacted|overridden";

export function Help() {
  const apply = (text: string) => {
    query.value = text;
    close();
  };
  const listed = [...new Map(commands.value.filter(({ keys }) => keys && keys.length > 0).map((command) => [command.id, command])).values()];
  return (
    <Dialog title="Help" class="help">
      <div class="help-columns">
        <section aria-label="Keys">
          {GROUPS.map((group) => {
            const own = listed.filter((command) => command.group === group);
            return (
              own.length > 0 && (
                <div key={group}>
                  <h3>{group}</h3>
                  <dl class="help-keys">
                    {own.map(({ id, title, keys }) => (
                      <div key={id}>
                        <dt>{title}</dt>
                        <dd><Keys keys={keys} all /></dd>
                      </div>
                    ))}
                  </dl>
                </div>
              )
            );
          })}
        </section>
        <section aria-label="Query language">
          <h3>Query language</h3>
          <p>Terms are <code>key:value</code>; a space means and, a comma means any of, and upper or lower case is the same.</p>
          <ul class="help-examples">
            {EXAMPLES.map(([text, meaning]) => (
              <li key={text}>
                {backend.value ? <button type="button" class="help-example" onClick={() => apply(text)}><code>{text}</code></button> : <code>{text}</code>}
                <span>{meaning}</span>
              </li>
            ))}
          </ul>
          <h3>Keys of records</h3>
          <p class="help-fields">{KEYS.split(" ").map((key) => <code key={key}>{key}</code>)}</p>
        </section>
      </div>
    </Dialog>
  );
}
