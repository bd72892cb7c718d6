/** The pod a Job makes, with its index where the Job has indexes. Pure. Counterpart: kubernetes `pkg/controller/job` manageJob and indexed_job_utils.go. */
import { jobs } from "../../api/schema/generated/references.ts";
import { podFromTemplate } from "../shared/pod-control.ts";
import { COMPLETION_INDEX, INDEX_FAILURES, INDEX_IGNORED_FAILURES, TRACKING_FINALIZER, hasLimitPerIndex, indexFailures, indexIgnoredFailures } from "./job-pods.ts";
import { judgeFailure } from "./plan-policies.ts";
import type { Container, Job, Pod } from "../../api/schema/generated/models.ts";

const INDEX_ENV = "JOB_COMPLETION_INDEX";
/** What the server leaves of a generateName. */
const GENERATED_NAME_MAX = 58;

/** `replaced` is the failed pod of the index that this one follows. */
export function newJobPod(job: Job, index: number | undefined, replaced: Pod | undefined): Pod {
  const pod = podFromTemplate(job.spec.template, job, jobs), { metadata, spec } = pod, finalizers = metadata.finalizers ?? [];
  metadata.finalizers = finalizers.includes(TRACKING_FINALIZER) ? finalizers : [...finalizers, TRACKING_FINALIZER];
  if (index === undefined) return pod;
  metadata.generateName = generateName(job.metadata.name, index);
  metadata.labels = { ...metadata.labels, [COMPLETION_INDEX]: String(index) };
  metadata.annotations = { ...metadata.annotations, [COMPLETION_INDEX]: String(index), ...(hasLimitPerIndex(job) ? failureCounts(job, replaced) : {}) };
  const { containers, initContainers } = spec;
  return { ...pod, spec: { ...spec, hostname: `${job.metadata.name}-${index}`, containers: containers.map(withIndexEnv), ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withIndexEnv) }) } };
}

/** The name is cut, never the index. */
function generateName(name: string, index: number): string {
  const suffix = `-${index}-`;
  return `${name.slice(0, GENERATED_NAME_MAX - suffix.length)}${suffix}`;
}

function withIndexEnv(container: Container): Container {
  const env = container.env ?? [];
  if (env.some(({ name }) => name === INDEX_ENV)) return container;
  return { ...container, env: [...env, { name: INDEX_ENV, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } } }] };
}

function failureCounts(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (replaced === undefined) return { [INDEX_FAILURES]: "0" };
  const counts = judgeFailure(job, replaced).counts, ignored = indexIgnoredFailures(replaced) + Number(!counts);
  return { [INDEX_FAILURES]: String(indexFailures(replaced) + Number(counts)), ...(ignored > 0 ? { [INDEX_IGNORED_FAILURES]: String(ignored) } : {}) };
}
