/**
 * The panel on top: what is in the store, and the buttons that change it.
 *
 * It is in one of these states; which buttons can be pressed follows from it.
 *
 *    opening ── empty ── loading ── full        part: a load was stopped before its end
 *                  └── part ──┘                 elsewhere: another tab is loading
 *                                               failed: the store is not open
 */
import { byId, setText } from './dom.js';
import { count, duration } from './format.js';
import type { LoadResult, Progress } from './load.js';

export type PanelState = 'opening' | 'empty' | 'part' | 'loading' | 'elsewhere' | 'full' | 'failed';

const BUTTONS = ['load', 'cancel', 'reopen', 'start-over'] as const;
type ButtonName = (typeof BUTTONS)[number];

const ENABLED: Readonly<Record<PanelState, readonly ButtonName[]>> = {
  opening: [],
  empty: ['load', 'reopen'],
  part: ['load', 'reopen', 'start-over'],
  loading: ['cancel'],
  elsewhere: [],
  full: ['reopen', 'start-over'],
  failed: ['reopen', 'start-over'],
};

export class StorePanel {
  #panel = byId('store', HTMLElement);
  #title = byId('store-title', HTMLElement);
  #note = byId('store-note', HTMLElement);
  #progress = byId('progress', HTMLProgressElement);
  #buttons: ReadonlyMap<ButtonName, HTMLButtonElement>;
  state: PanelState = 'opening';

  constructor(presses: Readonly<Record<ButtonName, () => void>>) {
    this.#buttons = new Map(BUTTONS.map((name) => [name, byId(name, HTMLButtonElement)]));
    for (const [name, button] of this.#buttons) button.addEventListener('click', presses[name]);
  }

  /** Enters a state, with a title and a note in words. */
  show(state: PanelState, title: string, note: string): void {
    const focused = document.activeElement;
    this.state = state;
    this.#panel.dataset['state'] = state;
    setText(this.#title, title);
    setText(this.#note, note);
    for (const [name, button] of this.#buttons) button.disabled = !ENABLED[state].includes(name);
    const load = this.#buttons.get('load')!;
    setText(load, state === 'part' ? 'Go on loading' : 'Load the data');
    // One place for both.
    load.hidden = state === 'loading' || state === 'full' || state === 'failed';
    const cancel = this.#buttons.get('cancel')!;
    cancel.hidden = state !== 'loading';
    if (focused === load && load.hidden) this.#focusOn(cancel);
    else if (focused === cancel && cancel.hidden) this.#focusOn(load);
  }

  /** Whoever pressed a button that is gone now goes on from what took its place. */
  #focusOn(button: HTMLButtonElement): void {
    const target = button.hidden || button.disabled ? this.#title : button;
    target.focus({ preventScroll: true });
  }

  /** Moves the progress bar; without a rate, it is another tab that loads. */
  progress({ done, rate }: Partial<Progress>, total: number): void {
    if (done === undefined) return;
    this.#progress.max = total;
    this.#progress.value = done;
    const left = rate ? `, ${duration(((total - done) / rate) * 1000)} left` : '';
    const speed = rate ? ` · ${count(rate)} records a second${left}` : '';
    setText(this.#note, `${count(done)} of ${count(total)} records${speed}`);
  }
}

/** What a load that has ended did, as a sentence. */
export function loadInWords({ ms, rate, longestTaskMs }: LoadResult): string {
  const pause =
    longestTaskMs === undefined
      ? ''
      : longestTaskMs === 0
        ? ' The page never stood still for more than 50 ms.'
        : ` The page stood still for ${duration(longestTaskMs)} at most.`;
  return `Loaded in ${duration(ms)}, ${count(rate)} records a second.${pause}`;
}
