import test from "ava";
import { MemoryStore } from "../../../lib/storage/memory-store.ts";
import { testStoreContract } from "./contract.ts";

testStoreContract(test, "MemoryStore", async () => new MemoryStore());
