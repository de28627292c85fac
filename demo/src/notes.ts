/**
 * Notes of the data set as elements. They carry a little markup; only what is
 * known to be harmless comes through, all else becomes its text.
 */
import { element } from './dom.js';

export function renderNote(note: string): HTMLElement {
  // A parsed document of its own runs no scripts and loads nothing.
  const parsed = new DOMParser().parseFromString(note, 'text/html');
  const paragraph = element('span', { class: 'note' });
  copyInto(paragraph, parsed.body);
  return paragraph;
}

function copyInto(target: HTMLElement, source: Node): void {
  for (const child of source.childNodes) {
    if (child instanceof Text) target.append(child.data);
    else if (child instanceof HTMLElement) {
      const copy = allowed(child);
      copyInto(copy, child);
      target.append(copy);
    }
  }
}

function allowed(source: HTMLElement): HTMLElement {
  if (source.localName === 'code' || source.localName === 'em') return element(source.localName);
  if (source instanceof HTMLAnchorElement && /^https?:\/\//.test(source.getAttribute('href') ?? '')) {
    return element('a', { href: source.href, rel: 'noreferrer', target: '_blank' });
  }
  return element('span');
}
