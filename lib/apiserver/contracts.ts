/**
 * What the rooms of the API server ask of each other: who is calling, may they, does admission agree, and
 * what the server itself reads and writes. Rooms meet here instead of importing each other's insides.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Duplex, Readable, Writable } from "node:stream";
import type { KubeObject, ResourceDefinition } from "../api/resource-definition.ts";
import type { ResourceReference } from "../api/reference.ts";

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What an authenticator may look at. */
export interface Credentials {
  /** DER of the verified client certificate (its chain was checked against the client CA by TLS), if one was sent. The same Buffer for the whole connection: what was read of it is remembered by identity. */
  readonly clientCertificate: Buffer | undefined;
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn as they were sent: `headers` joins repeated ones, which would let one group pass for two. */
  readonly rawHeaders?: readonly string[];
}

export interface Authenticator {
  /** undefined: no credentials this authenticator knows. Throws StatusError Unauthorized for bad ones. */
  authenticate(credentials: Credentials): Promise<UserInfo | undefined> | UserInfo | undefined;
}

/** What is asked for; counterpart: apiserver `authorizer.Attributes` and `request.RequestInfo`. */
export interface RequestAttributes {
  readonly user: UserInfo;
  /** get list watch create update patch delete deletecollection proxy …; for non-resource paths the lower-case HTTP method. */
  readonly verb: string;
  readonly isResourceRequest: boolean;
  readonly path: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export type Decision = "allow" | "deny" | "no-opinion";
export interface Authorizer {
  /** Synchronous: it reads caches only, and every request passes here. */
  authorize(attributes: RequestAttributes): { decision: Decision; reason: string };
}

export type AdmissionOperation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
export interface AdmissionAttributes {
  readonly operation: AdmissionOperation;
  readonly definition: ResourceDefinition;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** The new object (mutating plugins change it in place); undefined on DELETE. For subresources with a body of another kind, that body. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  addWarning(text: string): void;
}

/** Counterpart: apiserver `admission.MutationInterface` and `ValidationInterface`. Rejects by throwing StatusError. */
export interface AdmissionPlugin {
  readonly name: string;
  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean;
  admit?(attributes: AdmissionAttributes): void | Promise<void>;
  validate?(attributes: AdmissionAttributes): void | Promise<void>;
}

/** Reads from the server's own caches; objects are frozen by convention. */
export interface CacheReader {
  get<T>(resource: ResourceReference<T>, namespace: string, name: string): T | undefined;
  list<T>(resource: ResourceReference<T>, namespace?: string): readonly T[];
  /** Calls back after each change of the resource, in commit order. Returns a function that stops it. */
  onChange<T>(resource: ResourceReference<T>, listener: (type: "put" | "delete", object: T, previous: T | undefined) => void): () => void;
}

/** The server acting for itself (bootstrap, allocators, namespace service accounts), past authorization but through defaults and validation. */
export interface InternalWriter {
  create<T extends KubeObject>(resource: ResourceReference<T>, object: T): Promise<T>;
  /** Through the object itself, or its `status`; only if it is still at the `resourceVersion` it names, where it names one. Throws Conflict. */
  update<T extends KubeObject>(resource: ResourceReference<T>, object: T, subresource?: "" | "status"): Promise<T>;
  /** As a delete without options. Throws NotFound. */
  remove(resource: ResourceReference, key: { readonly namespace?: string; readonly name: string }): Promise<void>;
}

/**
 * Work a resource needs around its write that is more than a pure hook: Service addresses and node ports, for one.
 * `begin` may change the object; `finish` is called once with whether the write succeeded, so reservations can be kept or given back.
 */
export interface WriteTransaction { finish(succeeded: boolean): void }
export interface WriteHook {
  readonly resource: ResourceReference;
  beginCreate?(object: KubeObject, dryRun: boolean): WriteTransaction | Promise<WriteTransaction>;
  beginUpdate?(object: KubeObject, old: KubeObject, dryRun: boolean): WriteTransaction | Promise<WriteTransaction>;
  afterDelete?(object: KubeObject): void;
}

/** What a handler of a create-only kind is told beside the decoded body. */
export interface CreateContext {
  readonly user: UserInfo;
  readonly namespace: string;
  /** Of the parent object for a subresource, else the body's `metadata.name` or "". */
  readonly name: string;
  readonly dryRun: boolean;
  addWarning(text: string): void;
}
/**
 * Answers POSTs that store nothing of their own: reviews (`tokenreviews.authentication.k8s.io`) and create-only subresources
 * (`serviceaccounts/token`). The body arrives decoded, the result is answered with 201. Rejects by throwing StatusError.
 */
export type CreateHandler<T extends KubeObject = KubeObject> = (object: T, context: CreateContext) => KubeObject | Promise<KubeObject>;
/** Keys: `plural.group` (`pods` for the core group), with `/subresource` behind: `serviceaccounts/token`, `subjectaccessreviews.authorization.k8s.io`. */
export type CreateHandlers = Map<string, CreateHandler>;

/** An authorized request that is a stream of bytes: exec, attach, portforward, log, proxy. */
export interface StreamCall {
  readonly user: UserInfo;
  readonly namespace: string;
  readonly name: string;
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly url: string;
  /** The path after `/proxy`, with its leading slash, not decoded; "" when there is none. */
  readonly restPath: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Set when the client asked to upgrade an HTTP/1.1 connection: whoever takes it writes the answer, from the status line on. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined;
  /** Begins a plain answer; errors before that are thrown as StatusError. */
  respond(status: number, headers: OutgoingHttpHeaders): Writable;
}
/** Serves a subresource as a stream, for every method the discovery lists. */
export interface StreamHandler {
  readonly resource: ResourceReference;
  readonly subresource: string;
  /** Settles when the stream has ended. */
  serve(call: StreamCall): Promise<void>;
}
