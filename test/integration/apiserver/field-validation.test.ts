/** Fields nobody knows and keys given twice, in every form of a write: upstream's `test/integration/apiserver/field_validation_test.go` and `test/e2e/apimachinery/field_validation.go` re-told. */
import test from "ava";
import { Harness, type Answer } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); await api.namespace("fv"); });
test.after.always(() => api.close());

const path = "/apis/apps/v1/namespaces/fv/deployments";
const CONTAINER = '{"name":"main","image":"nginx:1","oddNested":1,"imagePullPolicy":"Always","imagePullPolicy":"Never"}';
const json = (name: string): string =>
  `{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"${name}"},"spec":{"odd1":"a","oddTwice":"b","oddTwice":"c","paused":true,"paused":false,"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"}},"spec":{"containers":[${CONTAINER}]}}}}`;
const yaml = (name: string): string => `kind: Deployment
apiVersion: apps/v1
metadata:
  name: ${name}
spec:
  odd1: a
  oddTwice: b
  oddTwice: c
  paused: true
  paused: false
  selector: {matchLabels: {app: x}}
  template:
    metadata: {labels: {app: x}}
    spec:
      containers:
      - name: main
        image: nginx:1
        oddNested: 1
        imagePullPolicy: Always
        imagePullPolicy: Never
`;
const patch = (known = false): string => `{"spec":{${known ? "" : '"odd1":"a","oddTwice":"b","oddTwice":"c",'}"paused":true,"paused":false,"template":{"spec":{"containers":[${known ? CONTAINER.replace('"oddNested":1,', "") : CONTAINER}]}}}}`;
const operations = JSON.stringify([
  { op: "add", path: "/spec/odd1", value: 1, foo: "bar" }, { op: "add", path: "/spec/odd3", value: 1 }, { op: "add", path: "/spec/oddTwice", value: 1 }, { op: "add", path: "/spec/oddTwice", value: 2 },
  { op: "add", path: "/spec/paused", value: true }, { op: "add", path: "/spec/paused", value: false }, { op: "add", path: "/spec/template/spec/containers/0/oddNested", value: 1 },
]).replace('"path":"/spec/odd3"', '"path":"/spec/odd2","path":"/spec/odd3"');

const POD = "spec.template.spec.containers[0]";
const unknown = (...fields: string[]): string[] => fields.map((field) => `unknown field "${field}"`), twice = (...fields: string[]): string[] => fields.map((field) => `duplicate field "${field}"`);
const line = (at: number, key: string): string => `line ${at}: key "${key}" already set in map`;
/** A key both unknown and given twice is told as unknown alone by the decoder of types. */
const OF_JSON = [...unknown("spec.odd1", "spec.oddTwice"), ...twice("spec.paused"), ...unknown(`${POD}.oddNested`), ...twice(`${POD}.imagePullPolicy`)];
/** Once through another form, keys are in order of the alphabet. */
const SORTED = unknown("spec.odd1", "spec.oddTwice", `${POD}.oddNested`), OF_YAML = [line(8, "oddTwice"), line(10, "paused"), line(20, "imagePullPolicy"), ...SORTED];
const OF_PATCH = [...twice("spec.oddTwice", "spec.paused", `${POD}.imagePullPolicy`), ...SORTED], OF_KNOWN_PATCH = twice("spec.paused", `${POD}.imagePullPolicy`);
const OF_OPERATIONS = ['json patch unknown field "[0].foo"', 'json patch duplicate field "[1].path"', ...unknown("spec.odd1", "spec.odd3", "spec.oddTwice", `${POD}.oddNested`)];

const send = (method: string, url: string, body: string, type: string): Promise<Answer> => api.call(method, url, { body, headers: { "content-type": `application/${type}` } });
const warnings = ({ headers }: Answer): string[] => [...String(headers["warning"] ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!.replaceAll(/\\(.)/g, "$1"));

const CASES: readonly (readonly [string, string, (name: string) => string, string, readonly string[]])[] = [
  ["POST of JSON", "POST", json, "json", OF_JSON], ["POST of YAML", "POST", yaml, "yaml", OF_YAML],
  ["PUT of JSON", "PUT", json, "json", OF_JSON], ["PUT of YAML", "PUT", yaml, "yaml", OF_YAML],
  ["merge patch", "PATCH", () => patch(), "merge-patch+json", OF_PATCH], ["merge patch of known fields", "PATCH", () => patch(true), "merge-patch+json", OF_KNOWN_PATCH],
  ["JSON patch", "PATCH", () => operations, "json-patch+json", OF_OPERATIONS],
  ["strategic merge patch", "PATCH", () => patch(), "strategic-merge-patch+json", OF_PATCH], ["strategic merge patch of known fields", "PATCH", () => patch(true), "strategic-merge-patch+json", OF_KNOWN_PATCH],
];
for (const [index, [title, method, body, type, faults]] of CASES.entries()) {
  test(`${title}: Strict refuses and tells all, Warn and nothing warn of all, Ignore is silent`, async (t) => {
    const name = `case-${index}`, made = async (suffix: string): Promise<string> => {
      if (method !== "POST") t.is((await api.post(`${path}?fieldValidation=Ignore`, json(`${name}-${suffix}`))).status, 201);
      return method === "POST" ? path : `${path}/${name}-${suffix}`;
    };
    const strict = await send(method, `${await made("strict")}?fieldValidation=Strict`, body(`${name}-strict`), type);
    t.is(strict.status, method === "PATCH" ? 422 : 400, strict.text);
    const ofYaml = faults.filter((fault) => fault.startsWith("line")), told = ofYaml.length === 0 ? faults : [["yaml: unmarshal errors:", ...ofYaml].join("\n  "), ...faults.slice(ofYaml.length)];
    t.true(strict.body.message.endsWith(`: strict decoding error: ${told.join(", ")}`), strict.body.message);
    for (const query of ["?fieldValidation=Warn", ""]) {
      const suffix = query === "" ? "none" : "warn", answer = await send(method, `${await made(suffix)}${query}`, body(`${name}-${suffix}`), type);
      t.true(answer.status === 200 || answer.status === 201, answer.text);
      t.deepEqual(warnings(answer), [...faults]);
      t.falsy(answer.body.spec.paused); // The last of two counts.
    }
    const ignored = await send(method, `${await made("ignore")}?fieldValidation=Ignore`, body(`${name}-ignore`), type);
    t.true(ignored.status === 200 || ignored.status === 201, ignored.text);
    t.deepEqual(warnings(ignored), []);
  });
}

test("apply refuses unknown fields whatever is asked; keys given twice by what is asked", async (t) => {
  const apply = (name: string, body: string, query: string): Promise<Answer> => send("PATCH", `${path}/${name}?fieldManager=me${query}`, body, "apply-patch+yaml");
  const known = (name: string): string => yaml(name).replace(/^ *odd.*\n/gm, "");
  t.regex((await apply("unknown", yaml("unknown").replace(/^ *(oddTwice: c|paused: false|imagePullPolicy: Never)\n/gm, ""), "&fieldValidation=Ignore")).body.message, /\.spec\.odd1: field not declared in schema/);
  const strict = await apply("strict", known("strict"), "&fieldValidation=Strict");
  t.is(strict.status, 400);
  t.is(strict.body.message, `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${line(7, "paused")}\n  ${line(16, "imagePullPolicy")}`);
  t.deepEqual(warnings(await apply("warned", known("warned"), "")), [line(7, "paused"), line(16, "imagePullPolicy")]);
  const ofJson = await apply("of-json", '{"apiVersion":"apps/v1","kind":"Deployment",\n"metadata":{"name":"x","name":"of-json"}}', "");
  t.deepEqual([ofJson.status, warnings(ofJson)], [422, [line(2, "name")]], "JSON is read as the YAML it is, and warned about even when it is refused");
  const ignored = await apply("ignored", known("ignored"), "&fieldValidation=Ignore");
  t.deepEqual([ignored.status, warnings(ignored)], [201, []]);
});

test("unknown fields of metadata are told like all others", async (t) => {
  const body = json("meta").replace('"metadata":{"name":"meta"}', '"metadata":{"name":"meta","oddMeta":{"a":1},"labels":{"app":"x"},"oddMeta2":null}');
  const { status, body: answer } = await send("POST", `${path}?fieldValidation=Strict`, body, "json");
  t.is(status, 400);
  t.true(answer.message.includes('unknown field "metadata.oddMeta", unknown field "metadata.oddMeta2"'), answer.message);
  t.is((await send("POST", `${path}?fieldValidation=Bogus`, json("bogus"), "json")).status, 422);
});
