import test from "ava";
import { endpointslices, nodes, pods, services } from "../../../../lib/api/schema/generated/references.ts";
import type { Pod } from "../../../../lib/api/schema/generated/models.ts";
import { StatusError } from "../../../../lib/api/status-error.ts";
import { backendError } from "../../../../lib/apiserver/streams/backend-request.ts";
import { chooseContainer, nodeOfPod } from "../../../../lib/apiserver/streams/choose-container.ts";
import { KubeletConnection } from "../../../../lib/apiserver/streams/kubelet-connection.ts";
import { readLogOptions } from "../../../../lib/apiserver/streams/log-options.ts";
import { proxiedLocation } from "../../../../lib/apiserver/streams/proxy.ts";
import { isProxyableAddress, nodeTarget, podTarget, serviceTarget, splitProxyName } from "../../../../lib/apiserver/streams/proxy-target.ts";
import { readRemoteCommand } from "../../../../lib/apiserver/streams/remote-command.ts";
import { forwardedHeaders } from "../../../../lib/apiserver/streams/tunnel-upgrade.ts";
import { errorChannelText } from "../../../../lib/apiserver/streams/websocket-translator.ts";
import { FakeCache } from "../fake-cache.ts";

const pod = (...containers: string[]): Pod => ({ metadata: { name: "web", namespace: "a" }, spec: { containers: containers.map((name) => ({ name })), initContainers: [{ name: "setup" }] } });

test("chooseContainer() takes the only one, the named one, and says which there are", (t) => {
  t.is(chooseContainer(pod("a"), ""), "a");
  t.is(chooseContainer(pod("a", "b"), "setup"), "setup");
  t.throws(() => chooseContainer(pod("a", "b"), ""), { message: "a container name must be specified for pod web, choose one of: [setup a b]" });
  t.throws(() => chooseContainer(pod("a"), "x"), { message: "container x is not valid for pod web" });
  t.throws(() => nodeOfPod(pod("a")), { message: "pod web does not have a host assigned" });
});

test("readLogOptions() passes on what the kubelet understands and refuses the rest", (t) => {
  const read = (text: string) => readLogOptions(new URLSearchParams(text), "web");
  const options = read("follow=true&container=c&tailLines=10&timestamps=true&previous=false&sinceSeconds=5&limitBytes=100&pretty=1");
  t.is(options.kubeletQuery.toString(), "follow=true&timestamps=true&tailLines=10&limitBytes=100&sinceSeconds=5");
  t.true(options.follow);
  t.is(options.container, "c");
  t.throws(() => read("tailLines=-1"), { instanceOf: StatusError, message: /tailLines: Invalid value: -1: must be greater than or equal to 0/ });
  t.throws(() => read("sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z"), { message: /at most one of `sinceTime` or `sinceSeconds`/ });
  t.throws(() => read("tailLines=x"), { message: /invalid syntax/ });
  t.throws(() => read("stream=Loud"), { message: /Unsupported value: "Loud": supported values: "All", "Stderr", "Stdout"/ });
});

test("readRemoteCommand() turns the client's parameters into the kubelet's", (t) => {
  const { streams, kubeletQuery, container } = readRemoteCommand(new URLSearchParams("stdin=true&stdout=true&tty=true&stderr=false&container=c&command=sh&command=-c&command=echo a&b"));
  t.deepEqual(streams, { stdin: true, stdout: true, stderr: false, tty: true });
  t.is(kubeletQuery.toString(), "input=1&output=1&tty=1&command=sh&command=-c&command=echo+a");
  t.is(container, "c");
});

test("errorChannelText() gives old clients the message alone", (t) => {
  const failure = JSON.stringify({ status: "Failure", message: "command terminated with exit code 2" });
  t.is(errorChannelText("v5.channel.k8s.io", failure), failure);
  t.is(errorChannelText("channel.k8s.io", failure), "command terminated with exit code 2");
  t.is(errorChannelText("base64.channel.k8s.io", '{"status":"Success"}'), "");
});

test("forwardedHeaders() keeps back who the client is to us", (t) => {
  t.deepEqual(forwardedHeaders({ authorization: "Bearer x", "impersonate-user": "y", "x-remote-user": "z", host: "h", accept: "*", connection: "Upgrade", "sec-websocket-protocol": "base64url.bearer.authorization.k8s.io.abc, v5.channel.k8s.io" }),
    { host: "h", accept: "*", "sec-websocket-protocol": "v5.channel.k8s.io" });
});

test("splitProxyName() reads scheme, name and port", (t) => {
  t.deepEqual(splitProxyName("web"), { scheme: "", name: "web", port: "" });
  t.deepEqual(splitProxyName("web:http"), { scheme: "", name: "web", port: "http" });
  t.deepEqual(splitProxyName("https:web:"), { scheme: "https", name: "web", port: "" });
  t.deepEqual([splitProxyName("ftp:web:1"), splitProxyName(":1"), splitProxyName("a:b:c:d"), splitProxyName("")], [undefined, undefined, undefined, undefined]);
});

test("isProxyableAddress() refuses the server itself and its link", (t) => {
  for (const address of ["127.0.0.1", "169.254.1.1", "0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "web", ""]) t.false(isProxyableAddress(address), address);
  for (const address of ["10.244.1.2", "192.168.0.1", "fd00::1"]) t.true(isProxyableAddress(address), address);
});

test("podTarget(), serviceTarget() and nodeTarget() find where a proxied request goes", (t) => {
  const cache = new FakeCache(), kubelets = new KubeletConnection({ cache }, { tls: () => ({}), preferredAddressTypes: ["InternalIP", "Hostname"] });
  cache.put(pods, { metadata: { namespace: "a", name: "web" }, spec: { containers: [{ name: "c", ports: [{ containerPort: 8_080 }] }] }, status: { podIP: "10.244.0.5", podIPs: [{ ip: "10.244.0.5" }] } });
  t.like(podTarget(cache, "a", "web"), { scheme: "http", host: "10.244.0.5", port: 8_080 });
  t.like(podTarget(cache, "a", "https:web:8443"), { scheme: "https", port: 8_443, tls: { rejectUnauthorized: false } });
  t.throws(() => podTarget(cache, "a", "gone"), { message: 'pods "gone" not found' });
  cache.put(services, { metadata: { namespace: "a", name: "web" }, spec: { ports: [{ name: "http", port: 80 }, { name: "other", port: 81 }] } });
  t.throws(() => serviceTarget(cache, "a", "web:http", () => 0), { message: 'no endpoints available for service "web"' });
  cache.put(endpointslices, {
    metadata: { namespace: "a", name: "web-1", labels: { "kubernetes.io/service-name": "web" } }, addressType: "IPv4", ports: [{ name: "http", port: 8_080 }],
    endpoints: [{ addresses: ["10.244.0.4"], conditions: { ready: false } }, { addresses: ["10.244.0.5"], conditions: { ready: true } }],
  });
  t.like(serviceTarget(cache, "a", "web:80", () => 0), { host: "10.244.0.5", port: 8_080 });
  t.throws(() => serviceTarget(cache, "a", "web:99", () => 0), { message: 'no service port 99 found for service "web"' });
  cache.put(nodes, { metadata: { name: "n1" }, status: { addresses: [{ type: "Hostname", address: "n1" }, { type: "InternalIP", address: "10.89.0.2" }] } });
  t.like(nodeTarget(kubelets, "n1"), { scheme: "https", host: "10.89.0.2", port: 10_250 });
  t.like(nodeTarget(kubelets, "n1:9100"), { scheme: "http", port: 9_100, tls: undefined });
  cache.put(nodes, { metadata: { name: "n2" } });
  t.throws(() => nodeTarget(kubelets, "n2"), { message: /no preferred addresses found/ });
});

test("proxiedLocation() keeps redirects of the backend behind the proxy", (t) => {
  const backend = new URL("http://10.0.0.1:80/x"), prefix = "/api/v1/namespaces/a/pods/web/proxy";
  t.is(proxiedLocation("/login?x=1", backend, prefix), `${prefix}/login?x=1`);
  t.is(proxiedLocation("http://10.0.0.1/a", backend, prefix), `${prefix}/a`);
  t.is(proxiedLocation("https://example.com/a", backend, prefix), "https://example.com/a");
  t.is(proxiedLocation("relative", backend, prefix), "relative");
});

test("backendError() keeps the kubelet's words where upstream does", (t) => {
  t.is(backendError(400, 'container "c" in pod "web" is waiting to start: ContainerCreating', "pods", "web").message, 'container "c" in pod "web" is waiting to start: ContainerCreating');
  t.is(backendError(500, "boom", "pods", "web").message, "Internal error occurred: boom");
  t.is(backendError(404, "x", "pods", "web").message, "the server could not find the requested resource ( pods web)");
});
