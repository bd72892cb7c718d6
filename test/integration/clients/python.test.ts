/** Python's client, unmodified: the sessions in test/golden/clients/python, with kubectl beside it. */
import test from "ava";
import { replayAll } from "./session.ts";

replayAll(test, "python", { programs: ["python3", "kubectl"], version: "1.35" });
