/** A master thirteen months on: every certificate it signed itself was renewed and taken up while everything ran. */
import test from "ava";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { exec } from "../../../lib/util/exec.ts";
import type { AgingReport } from "./aging-cluster.ts";

const TIMEOUT_MS = 300_000;

/** Runs the cluster with a date of its own. The library comes with the package faketime. */
async function ageCluster(t: { teardown(f: () => void): void }, mode: "renew" | "neglect"): Promise<AgingReport> {
  const folder = mkdtempSync(path.join(tmpdir(), "kaji-aging-")), time = path.join(folder, "time"), [library] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
  t.teardown(() => rmSync(folder, { recursive: true }));
  if (library === undefined) throw new Error("Cannot age a cluster: libfaketime is not installed; install the package faketime");
  writeFileSync(time, "+0d\n");
  const { stdout } = await exec(process.execPath, [path.join(import.meta.dirname, "aging-cluster.ts"), path.join(folder, "etc"), time, mode], {
    timeoutMs: TIMEOUT_MS, env: { ...process.env, LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: time, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1", NO_FAKE_STAT: "1" },
  });
  return JSON.parse(stdout) as AgingReport;
}

test("a master of thirteen months has renewed every certificate, and no call of any component failed", async (t) => {
  t.timeout(TIMEOUT_MS);
  const report = await ageCluster(t, "renew");
  t.deepEqual(report.failures, []);
  t.true(report.calls > 200 && report.days > 395, JSON.stringify(report));
  for (const file of ["apiserver.crt", "apiserver-kubelet-client.crt", "front-proxy-client.crt", "admin.conf", "controller-manager.conf", "scheduler.conf"]) t.true((report.renewals[file] ?? 0) >= 1, `${file} was renewed: ${JSON.stringify(report.renewals)}`);
  for (const [file, days] of Object.entries(report.daysLeft)) t.true(days > 120, `${file} has ${days} days left`);
  t.true(report.servedDaysLeft > 120, "the new one is served");
  t.true(report.kubeletClientDaysLeft > 120, "the new one is shown to kubelets");
});

test("the same master without renewal fails: the dates are believed by TLS itself", async (t) => {
  t.timeout(TIMEOUT_MS);
  const report = await ageCluster(t, "neglect");
  t.regex(report.failures.find((failure) => failure.startsWith("day 390")) ?? "", /expired|401|certificate/i);
  t.deepEqual(report.failures.filter((failure) => /^day (0|[1-9]\d|[12]\d\d|3[0-5]\d):/.test(failure)), [], "it works until then");
});
