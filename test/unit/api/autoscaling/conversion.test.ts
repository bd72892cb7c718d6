import test from "ava";
import { horizontalPodAutoscalerDefinition } from "../../../../lib/api/autoscaling/horizontal-pod-autoscaler.ts";
import { horizontalPodAutoscalerV2Definition } from "../../../../lib/api/autoscaling/horizontal-pod-autoscaler-v2.ts";
import { toV1, toV2 } from "../../../../lib/api/autoscaling/hpa-conversion.ts";
import { faults, prepared, row } from "../run-definition.ts";

const target = { kind: "Deployment", name: "web", apiVersion: "apps/v1" };
const v1 = (spec: object = {}): Record<string, unknown> => ({ metadata: { name: "h" }, spec: { scaleTargetRef: target, maxReplicas: 5, ...spec } });

test("v1 is stored as v2 and comes back as it was", (t) => {
  const old = prepared(horizontalPodAutoscalerDefinition, v1({ targetCPUUtilizationPercentage: 50 })), stored = toV2(old);
  t.is(stored.apiVersion, "autoscaling/v2");
  t.deepEqual(stored.spec.metrics, [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }]);
  t.deepEqual(toV1(stored).spec, old.spec);
});

test("v1 without a target means 80 % CPU", (t) => {
  t.is(toV1(toV2(prepared(horizontalPodAutoscalerDefinition, v1()))).spec.targetCPUUtilizationPercentage, 80);
});

test("what v1 has no field for travels in annotations", (t) => {
  const autoscaler = prepared(horizontalPodAutoscalerV2Definition, v1({
    metrics: [
      { type: "Pods", pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "10" } } },
      { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
      { type: "ContainerResource", containerResource: { name: "cpu", container: "c", target: { type: "Utilization", averageUtilization: 30 } } },
      { type: "External", external: { metric: { name: "queue", selector: { matchLabels: { q: "a" } } }, target: { type: "Value", value: "5" } } },
      { type: "Object", object: { metric: { name: "hits" }, describedObject: { kind: "Ingress", name: "i" }, target: { type: "Value", value: "7" } } },
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
  }));
  autoscaler.status = {
    currentReplicas: 2, desiredReplicas: 3, conditions: [{ type: "AbleToScale", status: "True" }],
    currentMetrics: [{ type: "Pods", pods: { metric: { name: "rps" }, current: { averageValue: "8" } } }],
  };
  const old = toV1(autoscaler);
  t.is(old.spec.targetCPUUtilizationPercentage, 50);
  t.is(old.metadata.annotations?.["autoscaling.alpha.kubernetes.io/conditions"], '[{"type":"AbleToScale","status":"True"}]');
  t.regex(old.metadata.annotations?.["autoscaling.alpha.kubernetes.io/metrics"] ?? "", /^\[\{"type":"Pods","pods":\{"metricName":"rps","targetAverageValue":"10"\}\}/);
  t.regex(old.metadata.annotations?.["autoscaling.alpha.kubernetes.io/behavior"] ?? "", /"ScaleDown":\{"StabilizationWindowSeconds":60,"SelectPolicy":"Max","Policies":\[\{"Type":"Percent","Value":100,"PeriodSeconds":15\}\]\}/);
  t.deepEqual(toV2(old), { ...autoscaler, apiVersion: "autoscaling/v2" });
});

test("a v1 client cannot write status by way of annotations", (t) => {
  const made = prepared(horizontalPodAutoscalerDefinition, { metadata: { name: "h", annotations: { "autoscaling.alpha.kubernetes.io/conditions": "[]", mine: "1" } }, spec: v1()["spec"] });
  t.deepEqual(made.metadata.annotations, { mine: "1" });
});

test("both versions are checked and shown alike", (t) => {
  const wrong = v1({ minReplicas: 6, metrics: [] });
  t.deepEqual(faults(horizontalPodAutoscalerDefinition, wrong), ["spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"]);
  t.deepEqual(faults(horizontalPodAutoscalerV2Definition, wrong), faults(horizontalPodAutoscalerDefinition, wrong));
  t.is(row(horizontalPodAutoscalerDefinition, prepared(horizontalPodAutoscalerDefinition, v1())), "h | Deployment/web | cpu: <unknown>/80% | 1 | 5 | 0 | 60m");
  t.is(row(horizontalPodAutoscalerV2Definition, prepared(horizontalPodAutoscalerV2Definition, v1())), "h | Deployment/web | cpu: <unknown>/80% | 1 | 5 | 0 | 60m");
});
