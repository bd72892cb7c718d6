import test from "ava";
import { handleHealth, type HealthCheck } from "../../../../lib/apiserver/endpoints/health.ts";
import { ApiRequest } from "../../../../lib/apiserver/http/exchange.ts";

const request = (target: string) => new ApiRequest("GET", target, {}, "HTTP/1.1", {} as ApiRequest["source"], 0);
const checks: HealthCheck[] = [
  { name: "ping", in: ["livez", "readyz"], check: () => undefined },
  { name: "store", in: ["readyz"], check: async () => "disk is on fire" },
];

test("a failed check answers 500, names itself and keeps its reason for the log", async (t) => {
  const told: string[] = [], answer = await handleHealth(request("/readyz"), checks, (name, reason) => told.push(`${name}: ${reason}`));
  t.deepEqual([answer!.status, answer!.body], [500, "[+]ping ok\n[-]store failed: reason withheld\nreadyz check failed\n"]);
  t.deepEqual(told, ["store: disk is on fire"]);
});

test("checks count only where they belong, and can be excluded", async (t) => {
  t.is((await handleHealth(request("/livez"), checks, () => {}))!.status, 200);
  t.is((await handleHealth(request("/readyz?exclude=store"), checks, () => {}))!.status, 200);
  t.regex((await handleHealth(request("/readyz?verbose&exclude=bogus&exclude=store"), checks, () => {}))!.body as string, /warn: some health checks cannot be excluded: no matches for "bogus"/);
  t.is(await handleHealth(request("/livez/store"), checks, () => {}), undefined);
  t.is(await handleHealth(request("/healthy"), checks, () => {}), undefined);
});
