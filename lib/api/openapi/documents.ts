/**
 * The OpenAPI documents of a server: built when first asked for, kept as bytes.
 *
 * Guarantees: a document is built at most once at a time and once in all; what is kept is text, not trees.
 */
import { createHash } from "node:crypto";
import type { ResourceDefinition } from "../resource-definition.ts";
import { loadDescriptions } from "../schema/descriptions.ts";

export interface OpenapiDocument { readonly bytes: Buffer; /** Changes with the bytes; fit for an ETag. */ readonly hash: string }

export class OpenapiDocuments {
  readonly #definitions: readonly ResourceDefinition[];
  readonly #version: string;
  readonly #documents = new Map<string, Promise<OpenapiDocument>>();

  /** `version` is the server's, e.g. "v1.36.0": hashes change with it. */
  constructor(definitions: readonly ResourceDefinition[], version: string) {
    this.#definitions = definitions;
    this.#version = version;
  }

  #once(name: string, build: () => Promise<Buffer>): Promise<OpenapiDocument> {
    let document = this.#documents.get(name);
    if (document === undefined) {
      document = build().then((bytes) => ({ bytes, hash: createHash("sha512").update(bytes).digest("hex").toUpperCase() }));
      document.catch(() => this.#documents.delete(name)); // A failure is told to who asked, and tried again by the next.
      this.#documents.set(name, document);
    }
    return document;
  }

  #of(group: string, version: string): ResourceDefinition[] {
    return this.#definitions.filter((definition) => definition.group === group && definition.version === version);
  }

  /** The body of `/openapi/v3`. */
  index(): Promise<OpenapiDocument> {
    return this.#once("index", async () => {
      const { buildOpenapiV3Index, fingerprintOf } = await import("./v3.ts");
      const groups = new Map(this.#definitions.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
      const entries = [...groups.values()].map(({ group, version }) => ({ group, version, fingerprint: fingerprintOf(this.#of(group, version), this.#version) }));
      return Buffer.from(JSON.stringify(buildOpenapiV3Index(entries)));
    });
  }

  /** The document of a path below `/openapi/v3/`, e.g. `api/v1` or `apis/apps/v1`; undefined when nothing is served there. */
  v3(path: string): Promise<OpenapiDocument> | undefined {
    const match = /^(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(path);
    const group = match?.[2] ?? "", version = match?.[1] ?? match?.[3] ?? "", definitions = this.#of(group, version);
    if (match === null || definitions.length === 0) return undefined;
    return this.#once(`v3/${group}/${version}`, async () => {
      const [{ buildOpenapiV3 }, describe] = await Promise.all([import("./v3.ts"), loadDescriptions()]);
      return Buffer.from(JSON.stringify(buildOpenapiV3(group, version, definitions, describe)));
    });
  }

  /** The body of `/openapi/v2`, as JSON or as gnostic's protobuf. */
  v2(form: "json" | "protobuf"): Promise<OpenapiDocument> {
    return this.#once(`v2/${form}`, async () => {
      const [{ buildOpenapiV2 }, { encodeOpenapiV2 }, describe] = await Promise.all([import("./v2.ts"), import("./v2-protobuf.ts"), loadDescriptions()]);
      const document = buildOpenapiV2(this.#definitions, this.#version, describe);
      return form === "json" ? Buffer.from(JSON.stringify(document)) : encodeOpenapiV2(document);
    });
  }
}
