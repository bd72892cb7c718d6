import test from "ava";
import type { Container, Secret } from "../../../lib/api/schema/generated/models.ts";
import type { Cri } from "../../../lib/cri/client.ts";
import { CriCode, CriError } from "../../../lib/cri/error.ts";
import { formatMs, ImageManager, StartError } from "../../../lib/kubelet/image-manager.ts";
import { registryOf, withDefaultTag } from "../../../lib/kubelet/image-name.ts";
import { PodEvents } from "../../../lib/kubelet/pod-events.ts";
import { credentialsFor } from "../../../lib/kubelet/pull-credentials.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { makeContainer, makePod } from "./builders.ts";

test("withDefaultTag() adds latest only where there is neither tag nor digest", (t) => {
  const digest = `sha256:${"a".repeat(64)}`;
  t.deepEqual(["nginx", "nginx:1", "reg:5000/a/b", `nginx@${digest}`, "localhost/x:y"].map(withDefaultTag), ["nginx:latest", "nginx:1", "reg:5000/a/b:latest", `nginx@${digest}`, "localhost/x:y"]);
  for (const wrong of ["", "UPPER", "a//b", "x:y:z", "-a"]) t.throws(() => withDefaultTag(wrong), { message: /invalid reference format/ }, wrong);
  t.throws(() => withDefaultTag("Web:1"), { message: `couldn't parse image name "Web:1": invalid reference format: repository name (library/Web) must be lowercase` });
  t.throws(() => withDefaultTag("UPPER/Case"), { message: /repository name \(Case\) must be lowercase$/ });
});
test("registryOf() is Docker Hub unless the name starts with a host", (t) => t.deepEqual(["nginx", "a/b", "ghcr.io/a/b", "localhost/a", "reg:5000/a"].map(registryOf), ["docker.io", "docker.io", "ghcr.io", "localhost", "reg:5000"]));

const secret = (auths: object): Secret => ({ metadata: { name: "s" }, data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") } });
test("credentialsFor() takes what fits the image, the most specific first", (t) => {
  const secrets = [secret({ "ghcr.io": { username: "u", password: "p" }, "ghcr.io/team": { auth: Buffer.from("a:b:c").toString("base64") }, "https://index.docker.io/v1/": { username: "hub" }, "*.corp.io": { username: "star" } })];
  t.deepEqual(credentialsFor("ghcr.io/team/x:1", secrets).map(({ username, password }) => [username, password]), [["a", "b:c"], ["u", "p"]]);
  t.deepEqual(credentialsFor("ghcr.io/teamwork/x", secrets).map(({ username }) => username), ["u"]);
  t.deepEqual(credentialsFor("nginx", secrets).map(({ username }) => username), ["hub"]);
  t.deepEqual(credentialsFor("reg.corp.io/x", secrets).map(({ username }) => username), ["star"]);
  t.deepEqual(credentialsFor("quay.io/x", [...secrets, { metadata: { name: "broken" }, data: { ".dockerconfigjson": "!!" } }]), []);
});

interface World { manager: ImageManager; clock: ManualClock; told: string[]; pulls: string[]; present: Set<string>; broken: Set<string> }
function makeWorld(): World {
  const clock = new ManualClock(), told: string[] = [], pulls: string[] = [], present = new Set<string>(), broken = new Set<string>();
  const call = async (method: string, { image: { image } }: { image: { image: string } }): Promise<unknown> => {
    if (method === "ImageStatus") return { image: present.has(image) ? { id: `id-${image}`, size: 7, uid: null, username: "" } : null };
    pulls.push(image);
    await Promise.resolve();
    if (broken.has(image)) throw new CriError("PullImage", CriCode.NOT_FOUND, "gone");
    present.add(image);
    return { imageRef: `id-${image}` };
  };
  const events = new PodEvents({ event: (_, type, reason, message) => { told.push(`${type} ${reason} ${message}`); } });
  return { manager: new ImageManager({ cri: { call } as unknown as Cri, clock, events, secrets: { pullSecrets: async () => [] } }), clock, told, pulls, present, broken };
}
const ensure = (world: World, over: Partial<Container>): Promise<unknown> => world.manager.ensure(makePod(), makeContainer("main", over), new AbortController().signal);
const fails = async (world: World, over: Partial<Container>): Promise<string> => { try { await ensure(world, over); return ""; } catch (error) { return error instanceof StartError ? error.reason : String(error); } };

test("ImageManager does not pull what is there, unless always", async (t) => {
  const world = makeWorld();
  world.present.add("a:1");
  await ensure(world, { image: "a:1", imagePullPolicy: "IfNotPresent" });
  t.deepEqual(world.pulls, []);
  t.deepEqual(world.told, ['Normal Pulled Container image "a:1" already present on machine and can be accessed by the pod']);
  await ensure(world, { image: "a:1", imagePullPolicy: "Always" });
  t.deepEqual(world.pulls, ["a:1"]);
});
test("ImageManager pulls one image once for all who wait", async (t) => {
  const world = makeWorld();
  await Promise.all([1, 2, 3].map(() => ensure(world, { image: "a", imagePullPolicy: "IfNotPresent" })));
  t.deepEqual(world.pulls, ["a:latest"]);
  t.true(world.told.includes('Normal Pulled Successfully pulled image "a" in 0ms (0ms including waiting). Image size: 7 bytes.'));
});
test("ImageManager backs off 10 s after a failure, then 20 s, and forgets after a success", async (t) => {
  const world = makeWorld(), over = { image: "b:1" };
  world.broken.add("b:1");
  t.is(await fails(world, over), "ErrImagePull");
  t.is(await fails(world, over), "ImagePullBackOff");
  await world.clock.advance(10_001);
  t.is(await fails(world, over), "ErrImagePull");
  await world.clock.advance(10_001);
  t.is(await fails(world, over), "ImagePullBackOff");
  await world.clock.advance(10_001);
  world.broken.clear();
  t.is(await fails(world, over), "");
  t.deepEqual(world.told.filter((line) => line.startsWith("Warning")), Array.from({ length: 2 }, () => 'Warning Failed Failed to pull image "b:1": rpc error: code = NotFound desc = gone'));
});
test("ImageManager names a bad name and a forbidden pull", async (t) => {
  const world = makeWorld();
  t.is(await fails(world, { image: "UPPER" }), "InvalidImageName");
  t.is(await fails(world, { image: "c:1", imagePullPolicy: "Never" }), "ErrImageNeverPull");
  t.deepEqual(world.pulls, []);
});
test("formatMs() prints as Go prints durations", (t) => t.deepEqual([0, 313, 1_661, 60_000, 62_500, 3_723_000].map(formatMs), ["0ms", "313ms", "1.661s", "1m0s", "1m2.5s", "1h2m3s"]));
