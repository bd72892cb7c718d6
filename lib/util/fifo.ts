/** A queue whose both ends cost nothing, however long it is: what is taken leaves no hole to be looked through. */
const CUT_AT = 1_024;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #first = 0;

  get length(): number { return this.#items.length - this.#first; }
  push(item: T): void { this.#items.push(item); }

  /** Takes the oldest; undefined when there is none. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (this.#first >= CUT_AT && this.#first * 2 >= this.#items.length) { this.#items = this.#items.slice(this.#first); this.#first = 0; }
    return item;
  }
}
