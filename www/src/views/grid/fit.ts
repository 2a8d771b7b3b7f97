// How wide a column must be for what is in view of it.
const PADDING = 18;

/** Width of the text of an element's descendants in a line, also where it is cut. */
function textWidth(element: Element): number {
  const range = document.createRange();
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let width = 0;
  while (texts.nextNode()) {
    if (texts.currentNode.parentElement?.closest(".visually-hidden")) continue;
    range.selectNodeContents(texts.currentNode);
    width += range.getBoundingClientRect().width;
  }
  return width;
}

/** The width at which nothing in view of a column, nor its heading, is cut. */
export function fitWidth(table: HTMLElement, id: string): number {
  const cells = [...table.querySelectorAll(`.c-${CSS.escape(id)}`)];
  const at = cells[0]?.getAttribute("aria-colindex");
  const head = at ? table.querySelector(`.column-head[aria-colindex="${at}"]`) : null;
  const widths = cells.map((cell) => textWidth(cell) + (cell.querySelector(".status, .mark") ? 8 : 0));
  // room for the arrow of the sorting too
  if (head) widths.push(textWidth(head) + 14);
  return Math.ceil(Math.max(0, ...widths)) + PADDING;
}
