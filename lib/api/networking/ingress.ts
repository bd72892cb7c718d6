/** Ingress: which outside names and paths lead to which services. Counterpart: kubernetes `registry/networking/ingress`. */
import { ageColumn, column, nameColumn, orNone } from "../columns.ts";
import { loadBalancerAddresses } from "../core/service.ts";
import { defineResource } from "../define-resource.ts";
import type { Ingress } from "../schema/generated/models.ts";
import { ingresses } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { collect } from "../validation/collect.ts";
import { CLASS_ANNOTATION, checkClassAgrees, checkIngress, checkIngressStatus } from "./ingress-validation.ts";

const HOSTS_SHOWN_MAX = 3;

function hostsCell({ spec }: Ingress): string {
  const rules = spec?.rules ?? [], hosts = rules.map((rule) => rule.host ?? "").filter((host) => host !== "");
  if (hosts.length === 0) return "*";
  const shown = hosts.slice(0, HOSTS_SHOWN_MAX).join(",");
  return hosts.length > HOSTS_SHOWN_MAX ? `${shown} + ${rules.length - HOSTS_SHOWN_MAX} more...` : shown;
}

function warnings({ metadata, spec }: Ingress, old: Ingress | undefined): string[] {
  const found: string[] = [];
  if (old === undefined && metadata.annotations?.[CLASS_ANNOTATION] !== undefined && spec?.ingressClassName === undefined) {
    found.push(`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`);
  }
  return found;
}

export const ingressDefinition = defineResource<Ingress>({
  reference: ingresses,
  shortNames: ["ing"],
  hasGeneration: true,
  generationChanged: (ingress, old) => !semanticEqual(ingress.spec, old.spec),
  prepareForCreate: (ingress) => void (ingress.status = {}),
  prepareForUpdate: (ingress, old) => void (ingress.status = old.status),
  prepareForStatusUpdate: (ingress, old) => void (ingress.spec = old.spec),
  validate: (ingress) => collect((errors) => {
    checkIngress(errors, ingress, undefined);
    checkClassAgrees(errors, ingress);
  }),
  validateUpdate: (ingress, old) => collect((errors) => checkIngress(errors, ingress, old)),
  validateStatusUpdate: (ingress) => collect((errors) => checkIngressStatus(errors, ingress)),
  warnings,
  columns: [
    nameColumn,
    column("Class", ({ spec }) => orNone(spec?.ingressClassName), { description: "The class of controller it is for." }),
    column("Hosts", hostsCell, { description: "The first few of the host names." }),
    column("Address", ({ status }) => loadBalancerAddresses(status?.loadBalancer?.ingress).join(","), { description: "Where it is served." }),
    column("Ports", ({ spec }) => ((spec?.tls ?? []).length > 0 ? "80, 443" : "80"), { description: "Ports it is served on." }),
    ageColumn,
  ],
});
