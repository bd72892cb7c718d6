/** Service: one name and address for many pods. Counterpart: kubernetes `registry/core/service`. */
import { ageColumn, column, formatLabels, nameColumn, orNone } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { Service } from "../schema/generated/models.ts";
import { services } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { nameIsDnsLabel } from "../validation/names.ts";
import { checkService, checkServiceStatus, checkServiceUpdate, isHeadless } from "./service-validation.ts";
import { defaultService, prepareServiceForCreate, prepareServiceForUpdate } from "./service-strategy.ts";

/** The addresses a load balancer serves on, each once, in order. */
export function loadBalancerAddresses(ingress: readonly { ip?: string | undefined; hostname?: string | undefined }[] | undefined): string[] {
  const addresses = (ingress ?? []).map((address) => ((address.ip ?? "") === "" ? (address.hostname ?? "") : address.ip!)).filter((text) => text !== "");
  return [...new Set(addresses)].sort();
}

function externalAddress({ spec, status }: Service): string {
  const externalIps = spec?.externalIPs ?? [];
  switch (spec?.type ?? "") {
    case "ClusterIP": case "NodePort": return orNone(externalIps.join(","));
    case "LoadBalancer": {
      const addresses = [...loadBalancerAddresses(status?.loadBalancer?.ingress), ...externalIps];
      return addresses.length === 0 ? "<pending>" : addresses.join(",");
    }
    case "ExternalName": return spec?.externalName ?? "";
    default: return "<unknown>";
  }
}

const portList = ({ spec }: Service): string =>
  orNone((spec?.ports ?? []).map((port) => `${port.port}${(port.nodePort ?? 0) > 0 ? `:${port.nodePort}` : ""}/${port.protocol}`).join(","));

function warnings(service: Service): string[] {
  const spec = service.spec ?? {};
  if (!isHeadless(spec)) return [];
  const found: string[] = [];
  if ((spec.loadBalancerIP ?? "") !== "") found.push("spec.loadBalancerIP is ignored when spec.clusterIP is \"None\"");
  if ((spec.externalIPs ?? []).length > 0) found.push("spec.externalIPs is ignored when spec.clusterIP is \"None\"");
  if (spec.sessionAffinity !== undefined && spec.sessionAffinity !== "None") found.push("spec.SessionAffinity is ignored for headless services");
  return found;
}

export const serviceDefinition = defineResource<Service>({
  reference: services,
  shortNames: ["svc"],
  categories: ["all"],
  allowCreateOnUpdate: true,
  validateName: nameIsDnsLabel,
  defaults: defaultService,
  prepareForCreate: prepareServiceForCreate,
  prepareForUpdate: prepareServiceForUpdate,
  prepareForStatusUpdate: (service, old) => void (service.spec = old.spec),
  validate: (service) => collect((errors) => checkService(errors, service)),
  validateUpdate: (service, old) => collect((errors) => checkServiceUpdate(errors, service, old)),
  validateStatusUpdate: (service) => collect((errors) => checkServiceStatus(errors, service)),
  warnings,
  columns: [
    nameColumn,
    column("Type", ({ spec }) => spec?.type ?? "", { description: "How the service is exposed." }),
    column("Cluster-IP", ({ spec }) => orNone(spec?.clusterIPs?.[0]), { description: "The address of the service within the cluster." }),
    column("External-IP", externalAddress, { description: "The addresses of the service outside the cluster." }),
    column("Port(s)", portList, { description: "The ports of the service." }),
    ageColumn,
    column("Selector", ({ spec }) => formatLabels(spec?.selector), { wide: true, description: "The labels of the pods behind the service." }),
  ],
  selectableFields: ({ spec }) => ({ "spec.clusterIP": spec?.clusterIP ?? "", "spec.type": spec?.type ?? "" }),
});
