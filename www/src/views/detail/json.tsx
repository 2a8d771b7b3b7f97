// A JSON text as a tree: rows in sight only, opened as they are asked for, searched, copied by path or value.
import { useEffect, useMemo, useState } from "preact/hooks";
import { dotted, type JsonTree } from "../../lib/json-tree";
import { term } from "../../lib/term";
import { narrow } from "../../state/record";
import { copyAndTell } from "./notice";
import { useFind } from "./find";
import { Marks, Value } from "./value";
import { Virtual } from "./virtual";

const ROW = 20;
// a row shows the beginning of a long string; the line below the tree all of it
const HEAD = 300;
const PREVIEW = 80;
const OPENED_AT_FIRST = 60;
const SPARSE = 12;
const DEEPEST_INDENT = 40;
// seen at a glance: no need of a bar
const FEW = 12;

/** Containers opened level by level while little is shown. */
function firstOpened(tree: JsonTree): Set<number> {
  const opened = new Set<number>();
  let rows = 1;
  let level = tree.length > 0 ? [0] : [];
  while (level.length > 0) {
    const next: number[] = [];
    for (const node of level) {
      if (!tree.isContainer(node)) continue;
      if (node > 0 && rows + tree.size(node) > OPENED_AT_FIRST) continue;
      opened.add(node);
      rows += tree.size(node);
      if (rows <= OPENED_AT_FIRST) next.push(...tree.children(node));
    }
    level = next;
  }
  // where that leaves next to nothing to see, the first one is opened however long it is
  const first = rows < SPARSE ? Array.from({ length: Math.min(tree.length, SPARSE) }, (_, node) => node).find((node) => tree.isContainer(node) && !opened.has(node)) : undefined;
  if (first !== undefined) {
    opened.add(first);
    const child = first + 1;
    if (child < tree.after(first) && tree.isContainer(child) && tree.size(child) <= SPARSE) opened.add(child);
  }
  return opened;
}

function visible(tree: JsonTree, opened: ReadonlySet<number>): Int32Array {
  const rows = new Int32Array(tree.length);
  let count = 0;
  for (let node = 0; node < tree.length; node = opened.has(node) ? node + 1 : tree.after(node)) rows[count++] = node;
  return rows.subarray(0, count);
}

// rows are in the order of the text
function rowOf(rows: Int32Array, node: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! < node) low = middle + 1;
    else high = middle;
  }
  return rows[low] === node ? low : -1;
}

/** Names and values that hold the text, whatever its case. */
function search(tree: JsonTree, text: string, most: number): number[] {
  const found: number[] = [];
  const wanted = text.toLowerCase();
  for (let node = 0; node < tree.length && found.length < most; node += 1) {
    const inKey = tree.hasKey(node) && tree.key(node)?.toLowerCase().includes(wanted);
    if (inKey || (!tree.isContainer(node) && tree.value(node).toLowerCase().includes(wanted))) found.push(node);
  }
  return found;
}

function Summary({ tree, node, isOpen }: { tree: JsonTree; node: number; isOpen: boolean }) {
  const kind = tree.kind(node);
  if (kind === "object" || kind === "array") {
    const size = tree.size(node) || "";
    const preview = isOpen || size === "" ? "" : tree.head(node, PREVIEW).replace(/\s+/g, " ");
    return (
      <>
        <span class="json-size">{kind === "object" ? `{${size}}` : `[${size}]`}</span>
        {preview && <span class="json-preview"><Marks text={tree.width(node) > PREVIEW ? `${preview}…` : preview} /></span>}
      </>
    );
  }
  const head = tree.width(node) > HEAD ? `${tree.head(node, HEAD)}…` : tree.raw(node);
  return <span class={`json-${kind}`}><Marks text={head} /></span>;
}

interface Props {
  tree: JsonTree;
  label: string;
  /** `res.json.`, `req.json.` or `attr.`: where a value can be asked for in queries. */
  prefix?: string;
  /** The height follows the rows, up to a limit. */
  isInline?: boolean;
}

export function Json({ tree, label, prefix, isInline }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<number>>(() => firstOpened(tree));
  const [active, setActive] = useState(0);
  const [chosen, setChosen] = useState<number | null>(null);
  const rows = useMemo(() => visible(tree, opened), [tree, opened]);
  const find = useFind((text) => search(tree, text, 10_000), tree);
  const hits = useMemo(() => new Set(find.found), [find.found]);

  useEffect(() => {
    if (find.hit === null) return;
    const next = new Set(opened);
    for (let at = tree.parent(find.hit); at >= 0; at = tree.parent(at)) next.add(at);
    setOpened(next);
    setActive(find.hit);
    setChosen(find.hit);
  }, [find.hit]);

  const toggle = (node: number, isOpen: boolean) => {
    const next = new Set(opened);
    if (isOpen) next.add(node);
    else next.delete(node);
    setOpened(next);
  };
  const openAll = () => {
    const all = new Set<number>();
    for (let node = 0; node < tree.length; node += 1) if (tree.isContainer(node)) all.add(node);
    setOpened(all);
  };
  const closeAll = () => {
    setOpened(new Set([0]));
    setActive(0);
  };
  const at = Math.max(0, rowOf(rows, active));
  const go = (row: number) => {
    const node = rows[Math.max(0, Math.min(rows.length - 1, row))];
    if (node === undefined) return;
    setActive(node);
    setChosen(node);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isOpen = opened.has(active);
    const keys: Record<string, () => void> = {
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      PageDown: () => go(at + 20),
      PageUp: () => go(at - 20),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (tree.isContainer(active) && !isOpen ? toggle(active, true) : go(at + 1)),
      ArrowLeft: () => (isOpen ? toggle(active, false) : tree.parent(active) >= 0 && go(rowOf(rows, tree.parent(active)))),
      Enter: () => (tree.isContainer(active) ? toggle(active, !isOpen) : setChosen(active)),
      " ": () => (tree.isContainer(active) ? toggle(active, !isOpen) : setChosen(active)),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  const id = (node: number) => `${label.replace(/\W/g, "-")}-${node}`;
  const row = (index: number) => {
    const node = rows[index]!;
    const isContainer = tree.isContainer(node);
    const parent = tree.parent(node);
    const key = tree.key(node);
    return (
      <div
        key={node}
        id={id(node)}
        role="treeitem"
        class="json-row"
        aria-level={tree.depth(node) + 1}
        aria-setsize={parent < 0 ? 1 : tree.size(parent)}
        aria-selected={node === active}
        aria-expanded={isContainer && tree.size(node) > 0 ? opened.has(node) : undefined}
        data-chosen={node === chosen || undefined}
        data-hit={hits.has(node) || undefined}
        style={{ paddingInlineStart: `${6 + Math.min(tree.depth(node), DEEPEST_INDENT) * 14}px` }}
        onClick={() => {
          setActive(node);
          setChosen(node);
          if (isContainer) toggle(node, !opened.has(node));
        }}
      >
        <span class="json-arrow" aria-hidden="true">{isContainer && tree.size(node) > 0 ? (opened.has(node) ? "▾" : "▸") : ""}</span>
        {key !== null && <span class="json-key"><Marks text={key.length > HEAD ? `${key.slice(0, HEAD)}…` : key} />: </span>}
        {key === null && parent >= 0 && <span class="json-index">{tree.index(node)}: </span>}
        <Summary tree={tree} node={node} isOpen={opened.has(node)} />
      </div>
    );
  };

  return (
    <div class="json">
      {tree.length > FEW && (
        <div class="body-bar">
          {find.field}
          <button type="button" class="button plain" onClick={openAll}>Expand all</button>
          <button type="button" class="button plain" onClick={closeAll}>Collapse</button>
        </div>
      )}
      {tree.fault && (
        <p class="detail-warning">
          {tree.fault.isEnd ? "The JSON ends before it is complete; this is what there is." : `Not valid JSON: ${tree.fault.reason} at character ${tree.fault.at}.`}
        </p>
      )}
      <Virtual
        count={rows.length}
        rowHeight={ROW}
        row={row}
        reveal={at}
        role="tree"
        tabIndex={0}
        class="json-rows"
        aria-label={label}
        aria-activedescendant={rows.length > 0 ? id(active) : undefined}
        onKeyDown={onKeyDown}
        style={isInline ? { height: `${Math.min(rows.length, 24) * ROW + 8}px` } : {}}
      />
      {chosen !== null && <Chosen tree={tree} node={chosen} prefix={prefix} onClose={() => setChosen(null)} />}
    </div>
  );
}

function Chosen({ tree, node, prefix, onClose }: { tree: JsonTree; node: number; prefix: string | undefined; onClose: () => void }) {
  const path = tree.path(node);
  const isScalar = !tree.isContainer(node) && tree.kind(node) !== "null";
  const value = isScalar ? tree.value(node) : "";
  return (
    <div class="json-chosen">
      <div class="body-bar">
        <code class="json-path" title={path}><Marks text={path.length > HEAD ? `…${path.slice(-HEAD)}` : path} /></code>
        <button type="button" class="button plain" onClick={() => copyAndTell("path", path)}>Copy path</button>
        <button type="button" class="button plain" onClick={() => copyAndTell("value", tree.isContainer(node) ? tree.raw(node) : tree.value(node))}>Copy value</button>
        {prefix && isScalar && value.length <= HEAD && node > 0 && (
          <button type="button" class="button plain" onClick={() => narrow(term(prefix, value, dotted(tree.steps(node))))}>Filter</button>
        )}
        <button type="button" class="button plain" aria-label="Close value" onClick={onClose}>✕</button>
      </div>
      {isScalar && <div class="json-value mono"><Value key={node} text={value} /></div>}
    </div>
  );
}
