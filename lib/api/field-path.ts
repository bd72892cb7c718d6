/**
 * The place of a field in an object: `spec.containers[0].image`, `metadata.labels[app]`.
 *
 * A path is a linked list whose text is made only when an error needs it, so walking a valid object costs a small
 * allocation a level and no strings. Counterpart: apimachinery `field.Path`.
 */
export class FieldPath {
  readonly #parent: FieldPath | undefined;
  readonly #part: string | number;
  readonly #isSubscript: boolean;

  private constructor(parent: FieldPath | undefined, part: string | number, isSubscript: boolean) {
    this.#parent = parent;
    this.#part = part;
    this.#isSubscript = isSubscript;
  }

  /** A path that starts with these names. */
  static of(name: string, ...more: readonly string[]): FieldPath {
    const root = new FieldPath(undefined, name, false);
    return more.reduce<FieldPath>((path, each) => path.child(each), root);
  }

  /** The named field, or a field of a field. */
  child(name: string, ...more: readonly string[]): FieldPath {
    let path = new FieldPath(this, name, false);
    for (let i = 0; i < more.length; i++) path = new FieldPath(path, more[i]!, false);
    return path;
  }

  /** An element of a list. */
  index(index: number): FieldPath {
    return new FieldPath(this, index, true);
  }

  /** An entry of a map. */
  key(key: string): FieldPath {
    return new FieldPath(this, key, true);
  }

  toString(): string {
    const part = this.#isSubscript ? `[${this.#part}]` : String(this.#part);
    if (this.#parent === undefined) return part;
    return this.#isSubscript ? `${this.#parent.toString()}${part}` : `${this.#parent.toString()}.${part}`;
  }
}

export const METADATA = FieldPath.of("metadata");
export const SPEC = FieldPath.of("spec");
export const STATUS = FieldPath.of("status");
