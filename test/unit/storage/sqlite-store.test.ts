import test from "ava";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openSqliteStore } from "../../../lib/storage/sqlite-store.ts";
import { testStoreContract } from "./contract.ts";

const directory = mkdtempSync(path.join(tmpdir(), "store-"));
test.after.always(() => rmSync(directory, { recursive: true }));
let files = 0;

testStoreContract(test, "openSqliteStore()", () => openSqliteStore({ file: path.join(directory, `contract-${++files}.db`) }));
