/** Parameters of the API's operations. */
interface Parameter { readonly type: "string" | "integer" | "boolean"; readonly description: string }

export const PATH_PARAMETERS: Readonly<Record<string, string>> = { name: "name of the object", namespace: "object name and auth scope, such as for teams and projects" };

export const QUERY_PARAMETERS: Readonly<Record<string, Parameter>> = {
  allowWatchBookmarks: { type: "boolean", description: "Asks a watch for events of type BOOKMARK, which carry only a resourceVersion. The server sends them when it likes." },
  container: { type: "string", description: "The container whose logs are read. The only container when there is one." },
  continue: { type: "string", description: "The token of an earlier, limited list: the next page is returned. Expired tokens are answered with 410." },
  dryRun: { type: "string", description: "With `All`, everything is done but storing the result." },
  fieldManager: { type: "string", description: "The name of who makes the change, at most 128 printable characters." },
  fieldSelector: { type: "string", description: "Restricts the list to objects with these fields." },
  fieldValidation: { type: "string", description: "What becomes of unknown and duplicate fields: Ignore, Warn or Strict." },
  follow: { type: "boolean", description: "Keeps the stream open and sends new lines as they come." },
  force: { type: "boolean", description: "Takes fields over from other managers. Only for apply patches." },
  gracePeriodSeconds: { type: "integer", description: "Seconds before the object is deleted; 0 deletes at once." },
  ignoreStoreReadErrorWithClusterBreakingPotential: { type: "boolean", description: "Deletes an object even if it can no longer be read." },
  labelSelector: { type: "string", description: "Restricts the list to objects with these labels." },
  limit: { type: "integer", description: "At most this many objects are returned, with a token for the next page." },
  limitBytes: { type: "integer", description: "At most this many bytes of logs are returned." },
  orphanDependents: { type: "boolean", description: "Deprecated: use propagationPolicy." },
  pretty: { type: "string", description: "With 'true', the answer is indented." },
  previous: { type: "boolean", description: "Reads the logs of the previous, terminated container." },
  propagationPolicy: { type: "string", description: "What becomes of dependents: Orphan, Background or Foreground." },
  resourceVersion: { type: "string", description: "The resource version the answer may be served from." },
  resourceVersionMatch: { type: "string", description: "How resourceVersion is applied to a list: Exact or NotOlderThan." },
  sendInitialEvents: { type: "boolean", description: "Begins a watch with the present objects as events, ended by a bookmark." },
  sinceSeconds: { type: "integer", description: "Only lines younger than this many seconds." },
  stream: { type: "string", description: "Which stream of the container is read: All, Stdout or Stderr." },
  tailLines: { type: "integer", description: "Only this many lines from the end." },
  timeoutSeconds: { type: "integer", description: "Ends the list or watch after this many seconds." },
  timestamps: { type: "boolean", description: "Puts an RFC 3339 time before each line." },
  watch: { type: "boolean", description: "Watches for changes instead of listing." },
};
