/**
 * A text field with a list of suggestions, as the ARIA combobox pattern has it:
 * the focus stays in the field, `aria-activedescendant` names the option that the
 * arrow keys have reached.
 *
 *    arrows       through the list and round        Enter    takes the option, else the first
 *    Home, End    stay with the text                Escape   closes the list, then empties the field
 */
import { element } from './dom.js';

export interface ComboboxHooks {
  /** The text has changed. What it finds is handed to `show`. */
  onType(text: string): void;
  /** An option was taken. */
  onTake(option: string): void;
}

export class Combobox {
  #input: HTMLInputElement;
  #list: HTMLElement;
  #hooks: ComboboxHooks;
  #options: readonly string[] = [];
  #active = -1;

  constructor(input: HTMLInputElement, list: HTMLElement, hooks: ComboboxHooks) {
    this.#input = input;
    this.#list = list;
    this.#hooks = hooks;
    input.addEventListener('input', () => hooks.onType(input.value));
    input.addEventListener('keydown', (event) => this.#onKey(event));
    input.addEventListener('focus', () => {
      if (this.#options.length > 0) this.#open(true);
    });
    input.addEventListener('blur', () => this.#open(false));
    // Before the field loses the focus, which would close the list under the pointer.
    list.addEventListener('pointerdown', (event) => event.preventDefault());
    list.addEventListener('click', (event) => {
      const option = event.target instanceof Element ? event.target.closest('[role=option]') : null;
      if (option instanceof HTMLElement) this.#take(Number(option.dataset['at']));
    });
  }

  get text(): string {
    return this.#input.value;
  }

  set text(text: string) {
    this.#input.value = text;
  }

  /** Shows `options` for what was typed; none closes the list. */
  show(options: readonly string[], typed: string): void {
    this.#options = options;
    this.#activate(-1);
    this.#list.replaceChildren(...options.map((option, at) => renderOption(option, typed, at)));
    this.#open(options.length > 0 && document.activeElement === this.#input);
  }

  #onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const size = this.#options.length;
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && size > 0) {
      this.#open(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      // One more place than options: the text itself, between the last and the first.
      this.#activate(((this.#active + 1 + step + size + 1) % (size + 1)) - 1);
    } else if (event.key === 'Enter' && size > 0) {
      this.#take(Math.max(this.#active, 0));
    } else if (event.key === 'Escape') {
      if (this.#isOpen) this.#open(false);
      else {
        this.text = '';
        this.#hooks.onType('');
      }
    } else return;
    event.preventDefault();
  }

  #take(at: number): void {
    const option = this.#options[at];
    if (option === undefined) return;
    this.text = option;
    this.show([], '');
    this.#hooks.onTake(option);
  }

  #activate(at: number): void {
    this.#list.children[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = at;
    const option = this.#list.children[at];
    if (option) {
      option.setAttribute('aria-selected', 'true');
      option.scrollIntoView({ block: 'nearest' });
      this.#input.setAttribute('aria-activedescendant', option.id);
    } else this.#input.removeAttribute('aria-activedescendant');
  }

  get #isOpen(): boolean {
    return !this.#list.hidden;
  }

  #open(open: boolean): void {
    this.#list.hidden = !open;
    this.#input.setAttribute('aria-expanded', String(open));
    if (!open) this.#activate(-1);
  }
}

/** `css.properties.grid`: where it is, quietly; its own name; and in it what was typed. */
function renderOption(path: string, typed: string, at: number): HTMLElement {
  const cut = path.lastIndexOf('.') + 1;
  const name = path.slice(cut);
  const wanted = typed.slice(typed.lastIndexOf('.') + 1);
  const matches = wanted !== '' && name.toLowerCase().startsWith(wanted.toLowerCase());
  const length = matches ? wanted.length : 0;
  return element(
    'div',
    { id: `option-${at}`, role: 'option', 'aria-selected': 'false', 'data-at': String(at) },
    element('span', { class: 'place' }, path.slice(0, cut)),
    element('b', {}, name.slice(0, length)),
    name.slice(length),
  );
}
