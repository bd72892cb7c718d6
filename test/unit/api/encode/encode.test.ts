import test from "ava";
import { encodeObject } from "../../../../lib/api/encode/encode.ts";

const encode = (model: string, object: unknown): string => encodeObject(model, object as object);

test("encodeObject() writes fields in Go's order and empty values where Go does", (t) => {
  t.is(encode("Pod", { status: {}, spec: { containers: [{ name: "x" }], nodeName: "" }, metadata: { labels: {}, name: "a" }, kind: "Pod", apiVersion: "v1" }),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"containers":[{"name":"x","resources":{}}]},"status":{}}');
  t.is(encode("Service", { metadata: { name: "a" }, spec: { ports: [{ port: 80 }] } }), '{"metadata":{"name":"a"},"spec":{"ports":[{"port":80,"targetPort":0}]},"status":{"loadBalancer":{}}}');
  t.is(encode("Deployment", { spec: { replicas: 0 } }), '{"metadata":{},"spec":{"replicas":0,"selector":null,"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}},"status":{}}');
  t.is(encode("CoreV1Event", {}), '{"metadata":{},"involvedObject":{},"source":{},"firstTimestamp":null,"lastTimestamp":null,"eventTime":null,"reportingComponent":"","reportingInstance":""}');
  t.is(encode("ResourceFieldSelector", { resource: "limits.cpu" }), '{"resource":"limits.cpu","divisor":"0"}');
});

test("encodeObject() sorts maps and leaves out what the model does not have", (t) => {
  t.is(encode("ConfigMap", { data: { b: "1", a: "" }, extra: 1 }), '{"metadata":{},"data":{"a":"","b":"1"}}');
});

test("encodeObject() keeps a pointer's zero and drops a value's", (t) => {
  t.is(encode("ContainerPort", { hostPort: 0, containerPort: 0 }), '{"containerPort":0}');
  t.is(encode("PodSecurityContext", { runAsUser: 0, runAsNonRoot: false }), '{"runAsUser":0,"runAsNonRoot":false}');
});

test("encodeObject() writes the unions of schemas", (t) => {
  t.is(encode("JSONSchemaProps", { items: { type: "string", maxLength: 0 }, additionalProperties: false, type: "" }), '{"maxLength":0}'.replace("{", '{"items":{"type":"string",').replace("}", '},"additionalProperties":false}'));
});

test("encodeObject() writes models inside lists, maps and themselves", (t) => {
  t.is(encode("JSONSchemaProps", { properties: { b: { type: "" }, a: { allOf: [{ minLength: 0 }, {}], not: { type: "string" } } }, dependencies: { z: ["x"], y: { title: "t" } } }),
    '{"allOf":[{"minLength":0},{}],"not":{"type":"string"}}'.replace(/^/, '{"properties":{"a":').replace(/$/, ',"b":{}},"dependencies":{"y":{"title":"t"},"z":["x"]}}'));
  t.is(encode("PodAffinityTerm", { topologyKey: "k", labelSelector: { matchExpressions: [{ key: "a", operator: "In", values: ["x", ""] }] } }), '{"labelSelector":{"matchExpressions":[{"key":"a","operator":"In","values":["x",""]}]},"topologyKey":"k"}');
});

test("encodeObject() writes maps whose keys are names of JavaScript's own", (t) => {
  t.is(encode("ConfigMap", { data: JSON.parse('{"toString":"b","__proto__":"a"}') as object }), '{"metadata":{},"data":{"__proto__":"a","toString":"b"}}');
});
