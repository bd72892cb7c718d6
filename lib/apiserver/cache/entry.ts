/**
 * One object at one revision, as the cache keeps it: stored bytes, where the resourceVersion is spliced in, and the
 * few decoded things selectors ask for. Immutable.
 */
export class Entry {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** modRevision; 0 for an object that is not stored (dry run). */
  readonly revision: number;
  readonly value: Buffer;
  /** Offset in `value` where `"resourceVersion":"N",` goes. */
  readonly splice: number;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** Selectable fields beside name and namespace. */
  readonly fields: Readonly<Record<string, string>> | undefined;

  constructor(key: string, namespace: string, name: string, revision: number, value: Buffer, splice: number, labels: Entry["labels"], fields: Entry["fields"]) {
    this.key = key; this.namespace = namespace; this.name = name; this.revision = revision;
    this.value = value; this.splice = splice; this.labels = labels; this.fields = fields;
  }

  /** The same object at another revision: what a DELETED event shows. */
  at(revision: number): Entry {
    return new Entry(this.key, this.namespace, this.name, revision, this.value, this.splice, this.labels, this.fields);
  }

  #version(): string { return this.revision > 0 ? `"resourceVersion":"${this.revision}",` : ""; }

  /** Size of the served object when its first `skip` bytes are replaced by `{`. */
  sizeBytes(skip = 0): number {
    // 21 = `"resourceVersion":"",`.
    return this.value.length + (skip > 0 ? 1 - skip : 0) + (this.revision > 0 ? 21 + digits(this.revision) : 0);
  }

  /** Writes the served object into `target` and returns the offset behind it. `skip` leaves out kind and apiVersion. */
  writeTo(target: Buffer, offset: number, skip = 0): number {
    if (skip > 0) target[offset++] = 0x7b;
    offset += this.value.copy(target, offset, skip, this.splice);
    if (this.revision > 0) offset += target.write(this.#version(), offset, "latin1");
    return offset + this.value.copy(target, offset, this.splice);
  }

  /** The served object. */
  toBuffer(): Buffer {
    const target = Buffer.allocUnsafe(this.sizeBytes());
    this.writeTo(target, 0);
    return target;
  }
}

function digits(n: number): number {
  let count = 1;
  for (let rest = n; rest >= 10; rest = Math.floor(rest / 10)) count++;
  return count;
}
