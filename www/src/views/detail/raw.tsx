// The record in the forms it can be taken along in.
import { useState } from "preact/hooks";
import type { LogRecord } from "../../lib/api";
import { indented, type JsonTree } from "../../lib/json-tree";
import { FORMS, replayable, snippet, type Form } from "./copying";
import { useLoaded } from "./loading";
import { copyAndTell } from "./notice";
import { Text } from "./text";

const MOST = 16 << 20;

export function Raw({ record, tree }: { record: LogRecord; tree: JsonTree }) {
  const canReplay = replayable(record);
  const [chosen, choose] = useState<Form>("http");
  const form = canReplay ? chosen : "json";
  const loaded = useLoaded(async (signal) => ({ form, text: form === "json" ? indented(tree, MOST).text : await snippet(record, form, signal) }), [record.id, form]);
  const text = loaded.value?.text ?? null;
  return (
    <div class="body" aria-busy={loaded.pending}>
      <div class="body-views" role="group" aria-label="Form">
        {FORMS.filter(({ form: name }) => canReplay || name === "json").map(({ form: name, title }) => (
          <button key={name} type="button" class="button plain" aria-pressed={name === form} onClick={() => choose(name)}>{title}</button>
        ))}
        {text !== null && <button type="button" class="button plain body-copy" onClick={() => copyAndTell(FORMS.find(({ form: name }) => name === form)?.title ?? form, text)}>Copy</button>}
      </div>
      {loaded.error && <p class="detail-error" role="alert">{loaded.error.message}</p>}
      {text !== null && <Text key={loaded.value?.form} text={text} label="The record as text" />}
    </div>
  );
}
