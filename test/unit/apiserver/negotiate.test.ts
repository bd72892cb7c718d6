import test from "ava";
import { ApiRequest } from "../../../lib/apiserver/http/exchange.ts";
import { bodyType, negotiate, parseAccept, type Transform } from "../../../lib/apiserver/negotiate.ts";

const request = (headers: Record<string, string>, target = "/") => new ApiRequest("GET", target, headers, "HTTP/1.1", {} as ApiRequest["source"], 0);
const form = (accept: string | undefined, transforms: Transform[] = ["Table", "PartialObjectMetadata"]) => {
  const { format, as, version } = negotiate(request(accept === undefined ? {} : { accept }), transforms);
  return [format, as, version].filter((part) => part !== undefined && part !== "").join(" ");
};

test("negotiate() answers JSON to everybody who does not ask for something else", (t) => {
  for (const accept of [undefined, "*/*", "application/json", "application/*", "application/vnd.kubernetes.protobuf,application/json", "text/html, */*;q=0.1"]) t.is(form(accept), "json", accept);
});

test("negotiate() takes the first transform it serves", (t) => {
  t.is(form("application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"), "json Table v1");
  t.is(form("application/json;as=Table;v=v2;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"), "json Table v1beta1");
  t.is(form("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"), "json");
  t.is(form("application/json;as=Table;v=v1;g=other.io, application/yaml"), "yaml");
});

test("negotiate() weighs by q and keeps the client's order otherwise", (t) => {
  t.is(form("application/json;q=0.5,application/yaml"), "yaml");
  t.is(form("*/*,application/yaml"), "yaml");
  t.is(form("application/json;q=0,application/yaml;q=0.1"), "yaml");
  t.deepEqual(parseAccept("a/a;q=0.1, b/b, c/*").map(({ type }) => type), ["b/b", "c/*", "a/a"]);
});

test("negotiate() refuses what nobody serves, naming what is", (t) => {
  t.throws(() => form("application/vnd.kubernetes.protobuf"), { message: "only the following media types are accepted: application/json, application/yaml" });
});

test("negotiate() indents for people", (t) => {
  t.true(negotiate(request({ "user-agent": "curl/8" }), []).pretty);
  t.false(negotiate(request({ "user-agent": "curl/8" }, "/?pretty=false"), []).pretty);
  t.true(negotiate(request({}, "/?pretty=1"), []).pretty);
  t.false(negotiate(request({ "user-agent": "kubectl/v1.35" }), []).pretty);
});

test("bodyType() is JSON unless said otherwise, without parameters", (t) => {
  t.is(bodyType(request({})), "application/json");
  t.is(bodyType(request({ "content-type": "Application/YAML; charset=utf-8" })), "application/yaml");
});
