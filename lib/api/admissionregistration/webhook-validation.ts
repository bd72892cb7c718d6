/** What webhooks default to and must be. Counterpart: kubernetes `apis/admissionregistration/v1/defaults.go` and its validation. */
import { duplicate, invalid, notSupported, required } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { MutatingWebhook, ValidatingWebhook } from "../schema/generated/models.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkOptionalOneOf, checkText, type Errors } from "../validation/checks.ts";
import { checkLabelSelector } from "../validation/labels.ts";
import { isDns1035Label, isDns1123Subdomain } from "../validation/names.ts";
import { checkWebhookClient } from "../validation/webhook-client.ts";
import { checkMatchConditions, checkRule } from "./rule-validation.ts";

const WEBHOOKS = FieldPath.of("webhooks");
const REVIEW_VERSIONS = ["v1", "v1beta1"];
const SIDE_EFFECTS = ["None", "NoneOnDryRun"], OLD_SIDE_EFFECTS = ["None", "NoneOnDryRun", "Some", "Unknown"];
const TIMEOUT_SECONDS_MAX = 30, NAME_SEGMENTS_MIN = 3;
type Webhook = ValidatingWebhook & Pick<MutatingWebhook, "reinvocationPolicy">;
export interface Webhooks { readonly webhooks?: Webhook[] | undefined }

export function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  for (const rule of webhook.rules ?? []) rule.scope ??= "*";
  if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= 443;
}

const hasKnownVersion = ({ admissionReviewVersions: versions }: Webhook): boolean => (versions ?? []).some((version) => REVIEW_VERSIONS.includes(version));

/** `old`: rules that some webhook broke before are not asked of any now. */
export function checkWebhooks(errors: Errors, { webhooks = [] }: Webhooks, old: Webhooks | undefined): void {
  const were = old?.webhooks ?? [], names = new Set<string>();
  const sameConditions = old !== undefined && webhooks.length === were.length && webhooks.every((webhook, i) => semanticEqual(webhook.matchConditions, were[i]!.matchConditions));
  const sideEffects = were.every(({ sideEffects: effects }) => SIDE_EFFECTS.includes(effects)) ? SIDE_EFFECTS : OLD_SIDE_EFFECTS;
  const needsKnownVersion = were.every((webhook) => hasKnownVersion(webhook) || (webhook.admissionReviewVersions ?? []).length === 0);
  const needsUniqueNames = new Set(were.map(({ name }) => name)).size === were.length;
  webhooks.forEach((webhook, i) => {
    const path = WEBHOOKS.index(i), name = webhook.name ?? "";
    checkWebhook(errors, path, webhook, sideEffects);
    if (!sameConditions) checkMatchConditions(errors, path.child("matchConditions"), webhook.matchConditions ?? []);
    checkReviewVersions(errors, path.child("admissionReviewVersions"), webhook.admissionReviewVersions ?? [], needsKnownVersion);
    if (needsUniqueNames && name !== "" && names.has(name)) errors.push(duplicate(path.child("name"), name));
    names.add(name);
  });
}

function checkWebhook(errors: Errors, path: FieldPath, webhook: Webhook, sideEffects: readonly string[]): void {
  const { timeoutSeconds: seconds } = webhook;
  checkFullName(errors, path.child("name"), webhook.name ?? "");
  webhook.rules?.forEach((rule, i) => checkRule(errors, path.child("rules").index(i), rule));
  checkOptionalOneOf(errors, path.child("failurePolicy"), webhook.failurePolicy, ["Fail", "Ignore"]);
  checkOptionalOneOf(errors, path.child("matchPolicy"), webhook.matchPolicy, ["Equivalent", "Exact"]);
  if ((webhook.sideEffects ?? "") === "") errors.push(required(path.child("sideEffects"), `must specify one of ${sideEffects.join(", ")}`));
  else if (!sideEffects.includes(webhook.sideEffects)) errors.push(notSupported(path.child("sideEffects"), webhook.sideEffects, sideEffects));
  if (seconds !== undefined && (seconds > TIMEOUT_SECONDS_MAX || seconds < 1)) errors.push(invalid(path.child("timeoutSeconds"), seconds, "the timeout value must be between 1 and 30 seconds"));
  checkLabelSelector(errors, path.child("namespaceSelector"), webhook.namespaceSelector);
  checkLabelSelector(errors, path.child("objectSelector"), webhook.objectSelector);
  checkOptionalOneOf(errors, path.child("reinvocationPolicy"), webhook.reinvocationPolicy, ["IfNeeded", "Never"]);
  checkWebhookClient(errors, path.child("clientConfig"), webhook.clientConfig);
}

function checkFullName(errors: Errors, path: FieldPath, name: string): void {
  const faults = isDns1123Subdomain(name);
  if (name === "") errors.push(required(path));
  else if (faults.length > 0) errors.push(invalid(path, name, faults.join(",")));
  else if (name.split(".").length < NAME_SEGMENTS_MIN) errors.push(invalid(path, name, "should be a domain with at least three segments separated by dots"));
}

function checkReviewVersions(errors: Errors, path: FieldPath, versions: readonly string[], needsKnown: boolean): void {
  const known = REVIEW_VERSIONS.join(", ");
  if (versions.length === 0) {
    errors.push(required(path, `must specify one of ${known}`));
    return;
  }
  versions.forEach((version, i) => {
    if (versions.indexOf(version) !== i) errors.push(invalid(path.index(i), version, "duplicate version"));
    else checkText(errors, path.index(i), version, isDns1035Label);
  });
  if (needsKnown && !versions.some((version) => REVIEW_VERSIONS.includes(version))) errors.push(invalid(path, versions, `must include at least one of ${known}`));
}
