import test from "ava";
import fc from "fast-check";
import protobuf from "protobufjs/minimal.js";
import { readProtobuf } from "../../../../lib/apiserver/rest/protobuf-body.ts";
import { ProtobufError } from "../../../../lib/apiserver/rest/protobuf-reader.ts";

type Part = (writer: protobuf.Writer) => void;
const text = (number: number, value: string): Part => (w) => { w.uint32((number << 3) | 2).string(value); };
const int = (number: number, value: number): Part => (w) => { w.uint32(number << 3).int64(value); };
const message = (number: number, ...parts: Part[]): Part => (w) => { w.uint32((number << 3) | 2).fork(); for (const part of parts) part(w); w.ldelim(); };

/** The envelope client-go writes: type meta (1) and the object (2). */
function envelope(apiVersion: string, kind: string, ...parts: Part[]): Buffer {
  const raw = protobuf.Writer.create();
  for (const part of parts) part(raw);
  const outer = protobuf.Writer.create();
  message(1, text(1, apiVersion), text(2, kind))(outer);
  outer.uint32((2 << 3) | 2).bytes(raw.finish());
  return Buffer.concat([Buffer.from("k8s\0"), outer.finish()]);
}

test("readProtobuf() reads maps, lists, embedded messages, quantities, int-or-strings and times by their numbers", (t) => {
  const body = envelope("v1", "Pod",
    message(1, text(1, "web"), text(2, ""), text(3, "default"), message(8), message(11, text(1, "app"), text(2, "web")), message(9, int(1, 1_700_000_000))),
    message(2,
      message(1, text(1, "cache"), message(2, message(2, text(1, "Memory")))), // Volume.volumeSource.emptyDir
      message(2, text(1, "nginx"), text(2, "nginx:1"), message(8, message(2, text(1, "cpu"), message(2, text(1, "10m")))),
        message(10, message(1, message(2, text(1, "/"), message(2, int(1, 1), int(2, 0), text(3, "http")))), int(2, 5))), // livenessProbe.handler.httpGet.port
      int(4, 30), int(5, 0)),
    message(3));
  t.deepEqual(readProtobuf("Pod", body), {
    apiVersion: "v1", kind: "Pod",
    metadata: { name: "web", namespace: "default", labels: { app: "web" }, deletionTimestamp: "2023-11-14T22:13:20Z" },
    spec: {
      volumes: [{ name: "cache", emptyDir: { medium: "Memory" } }],
      containers: [{ name: "nginx", image: "nginx:1", resources: { requests: { cpu: "10m" } }, livenessProbe: { httpGet: { path: "/", port: "http" }, initialDelaySeconds: 5 } }],
      terminationGracePeriodSeconds: 30, activeDeadlineSeconds: 0,
    },
  });
});

test("readProtobuf() keeps bytes as base64 and repeated strings in order", (t) => {
  const body = envelope("v1", "Secret", message(1, text(1, "s"), text(14, "a"), text(14, "b")), message(2, text(1, "key"), text(2, "\u0001\u0002")));
  t.deepEqual(readProtobuf("Secret", body), { apiVersion: "v1", kind: "Secret", metadata: { name: "s", finalizers: ["a", "b"] }, data: { key: "AQI=" } });
});

test("readProtobuf() refuses what is not protobuf, and what ends early, with an error of its own", (t) => {
  t.throws(() => readProtobuf("Pod", Buffer.from("{}")), { instanceOf: ProtobufError, message: /expected prefix/ });
  const whole = envelope("v1", "Pod", message(1, text(1, "web")));
  for (let end = 5; end < whole.length; end += 1) {
    try { readProtobuf("Pod", whole.subarray(0, end)); }
    catch (error) { t.true(error instanceof ProtobufError); }
  }
});

test("readProtobuf() never throws anything but its own error, whatever the bytes", (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const raw = Buffer.concat([Buffer.from("k8s\0"), Buffer.from([0x12, bytes.length & 0x7f]), Buffer.from(bytes)]);
    try { readProtobuf("Deployment", raw); } catch (error) { if (!(error instanceof ProtobufError)) throw error; }
  }));
  t.pass();
});
