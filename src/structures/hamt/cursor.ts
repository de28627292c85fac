/**
 * A walk over the entries of a tree or list, a step at a time.
 *
 * It keeps the path from the root, at most seven nodes, and nothing else: no
 * list of entries is made. As trees never change, a walk goes on over the
 * version it began with, whatever becomes of the map.
 */
import { entriesEnd, FIRST, type Node, STRIDE } from './node.js';

export class Cursor {
  /** The node of the current entry, and where in it the entry begins. */
  node: Node;
  at: number = FIRST - STRIDE;
  /** Behind the last entry of the node; the next of its children to go down to. */
  private end: number;
  private child: number;
  /** The same of the nodes above. */
  private depth = 0;
  private readonly nodes: Node[] = [];
  private readonly children: number[] = [];

  constructor(root: Node) {
    this.node = root;
    this.end = entriesEnd(root);
    this.child = root.length - 1;
  }

  /** Goes to the next entry. False when there is none, from then on. */
  step(): boolean {
    this.at += STRIDE;
    return this.at < this.end || this.descend();
  }

  private descend(): boolean {
    for (;;) {
      if (this.child >= this.end) {
        const node = this.node[this.child] as Node;
        this.nodes[this.depth] = this.node;
        this.children[this.depth++] = this.child - 1;
        this.node = node;
        this.end = entriesEnd(node);
        this.child = node.length - 1;
        this.at = FIRST;
        if (this.end > FIRST) return true;
      } else if (this.depth > 0) {
        this.node = this.nodes[--this.depth] as Node;
        this.child = this.children[this.depth] as number;
        this.end = entriesEnd(this.node);
      } else {
        return false;
      }
    }
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** The entries, as an iterator that can be iterated. */
export class EntryIterator<K, V> extends Cursor implements IterableIterator<[K, V]> {
  next(): IteratorResult<[K, V], undefined> {
    if (!this.step()) return DONE;
    return { done: false, value: [this.node[this.at + 1] as K, this.node[this.at + 2] as V] };
  }
  [Symbol.iterator](): this {
    return this;
  }
}

/** One side of the entries. */
export class KeyIterator<K> extends Cursor implements IterableIterator<K> {
  next(): IteratorResult<K, undefined> {
    return this.step() ? { done: false, value: this.node[this.at + 1] as K } : DONE;
  }
  [Symbol.iterator](): this {
    return this;
  }
}

/** The other side. */
export class ValueIterator<V> extends Cursor implements IterableIterator<V> {
  next(): IteratorResult<V, undefined> {
    return this.step() ? { done: false, value: this.node[this.at + 2] as V } : DONE;
  }
  [Symbol.iterator](): this {
    return this;
  }
}
