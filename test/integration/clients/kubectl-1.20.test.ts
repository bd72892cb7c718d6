/** Every verb of kubectl 1.20, unmodified: the sessions in test/golden/clients/kubectl. */
import test from "ava";
import { replayAll } from "./session.ts";

replayAll(test, "kubectl", { programs: ["kubectl"], version: "1.20" });
