/** Elements by name and by id. Text goes in as text only; styles stay in the style sheet. */

type Attributes = Readonly<Record<string, string | undefined>>;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** The element of the page with this id, of this class; a page without it is a bug. */
export function byId<T extends Element>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`#${id}: expected a ${type.name} in the page`);
  return found;
}

const SVG = 'http://www.w3.org/2000/svg';

/** One of the marks that `index.html` defines. Said in words beside it, so hidden from screen readers. */
export function mark(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `mark ${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#mark-${name}`);
  svg.append(use);
  return svg;
}

/** Sets the text of an element only when it differs, so that nothing is announced or painted twice. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
