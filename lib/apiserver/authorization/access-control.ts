/**
 * The authorization room as one thing: authorizers in upstream's order, their indexes, and the handlers that stand on them.
 * Counterpart: kubeapiserver `authorizer.Config.New`.
 */
import { nodeRules } from "../bootstrap/node-rules.ts";
import type { AdmissionPlugin, Authorizer, CacheReader, CreateHandler } from "../contracts.ts";
import { localSubjectAccessReviewHandler, selfSubjectAccessReviewHandler, subjectAccessReviewHandler } from "./access-review.ts";
import { alwaysAllow, alwaysDeny, authorizerUnion, superuserAuthorizer } from "./authorizer-union.ts";
import { RbacEscalationCheck } from "./escalation.ts";
import { NodeAuthorizer } from "./node-authorizer.ts";
import { NodeGraph } from "./node-graph.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";
import { RbacIndex } from "./rbac-index.ts";
import { selfSubjectRulesReviewHandler } from "./rules-review.ts";

export const AUTHORIZATION_MODES = ["Node", "RBAC", "AlwaysAllow", "AlwaysDeny"] as const;
export type AuthorizationMode = (typeof AUTHORIZATION_MODES)[number];

export interface AccessControl {
  readonly authorizer: Authorizer;
  /** Validates RBAC writes: belongs last among the validating plugins. */
  readonly escalationCheck: AdmissionPlugin;
  /** By the keys of `CreateHandlers`. */
  readonly handlers: ReadonlyMap<string, CreateHandler>;
  /** Reads the caches, which must be filled, and follows them. Returns a function that stops it. */
  start(): () => void;
}

/** `modes` are those of `--authorization-mode`, in order. Throws Error for one that does not exist. */
export function createAccessControl(cache: CacheReader, modes: readonly string[]): AccessControl {
  const index = new RbacIndex(cache), graph = new NodeGraph(cache);
  const one = (mode: string): Authorizer => {
    switch (mode) {
      case "Node": return new NodeAuthorizer({ graph, cache }, nodeRules());
      case "RBAC": return new RbacAuthorizer(index);
      case "AlwaysAllow": return alwaysAllow;
      case "AlwaysDeny": return alwaysDeny;
      default: throw new Error(`authorization-mode ${JSON.stringify(mode)} is not a valid mode: choose from ${AUTHORIZATION_MODES.join(", ")}`);
    }
  };
  const authorizer = authorizerUnion([superuserAuthorizer, ...modes.map(one)]);
  return {
    authorizer,
    escalationCheck: new RbacEscalationCheck({ index, authorizer }),
    handlers: new Map([
      ["subjectaccessreviews.authorization.k8s.io", subjectAccessReviewHandler(authorizer)],
      ["localsubjectaccessreviews.authorization.k8s.io", localSubjectAccessReviewHandler(authorizer)],
      ["selfsubjectaccessreviews.authorization.k8s.io", selfSubjectAccessReviewHandler(authorizer)],
      ["selfsubjectrulesreviews.authorization.k8s.io", selfSubjectRulesReviewHandler(index)],
    ]),
    start() {
      const stops = [index.start(), graph.start()];
      return () => { for (const stop of stops) stop(); };
    },
  };
}
