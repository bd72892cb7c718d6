/** What a transcript of a session asks for; a replay that cannot fail would prove nothing. */
import test from "ava";
import { maskOutput, matchesOutput, parseTranscript } from "../transcript.ts";

const TEXT = `; A remark.
$ kubectl apply -f - <<END
> kind: ConfigMap
> END
[1.20]| created the old way
[1.31 1.35]| created
; Another.
(exit 1)
$[1.20] kubectl version
v1.20
`;

test("parseTranscript() keeps the steps and lines of a session's marks, with their exit codes", (t) => {
  t.deepEqual(parseTranscript(TEXT, ["1.35"]), [{ command: "kubectl apply -f - <<END\nkind: ConfigMap\nEND", expected: "created\n", exitCode: 1, line: 2 }]);
  t.deepEqual(parseTranscript(TEXT, ["1.20"]).map(({ expected, exitCode }) => [expected, exitCode]), [["created the old way\n", 1], ["v1.20\n", 0]]);
});

test("matchesOutput() takes a line ... for any lines, and nothing else for them", (t) => {
  t.true(matchesOutput("a\nb\nc", "a\n...\nc"));
  t.true(matchesOutput("a\nc", "a\n...\nc"));
  t.false(matchesOutput("a\nb\nd", "a\n...\nc"));
  t.false(matchesOutput("a\nc\nd", "a\n...\nc"));
  t.false(matchesOutput("xa.b", "...\na+b"));
});

test("maskOutput() hides what differs from run to run, and nothing more", (t) => {
  t.is(maskOutput("pod/web-7d4b9c6f5-x2x9k   1/1   Running   3m2s\n"), "pod/web-<hash>-<id>  1/1  Running  <age>");
  t.is(maskOutput("service/web ClusterIP 10.96.3.4 80:30123/TCP"), "service/web ClusterIP <service-ip> 80:<port>/TCP");
  t.is(maskOutput('configmap "kube-root-ca.crt" deleted'), 'configmap "kube-root-ca.crt" deleted');
});
