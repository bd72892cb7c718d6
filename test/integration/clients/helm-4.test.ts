/** Helm 4, unmodified: the sessions in test/golden/clients/helm. */
import test from "ava";
import { replayAll } from "./session.ts";

replayAll(test, "helm", { programs: ["helm", "kubectl"], version: "1.35", marks: ["4"] });
