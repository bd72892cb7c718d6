/** A process for the tests to kill: `FILE SYNCHRONOUS COUNT`. 16 writers; each acknowledged write is a line `KEY REVISION`; then `done`, and it waits without closing. */
import { openSqliteStore } from "../../../lib/storage/sqlite-store.ts";
import type { Synchronous } from "../../../lib/storage/database.ts";

const [file, synchronous, count] = process.argv.slice(2);
const store = await openSqliteStore({ file: file!, synchronous: synchronous as Synchronous });
let next = 0;
await Promise.all(Array.from({ length: 16 }, async () => {
  while (next < Number(count)) {
    const key: string = `/k/${process.pid}/${next++}`;
    const { modRevision } = await store.put(key, Buffer.from(key.repeat(50)));
    process.stdout.write(`${key} ${modRevision}\n`);
  }
}));
process.stdout.write("done\n");
setInterval(() => {}, 1_000_000);
