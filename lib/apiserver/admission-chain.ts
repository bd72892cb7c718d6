/**
 * Admission plugins in their order: all that mutate, then all that validate.
 * Counterpart: apiserver `admission/chain.go`. Which plugins care about a kind of request is asked once and remembered.
 */
import type { ResourceDefinition } from "../api/resource-definition.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from "./contracts.ts";

interface Interested { readonly mutating: readonly AdmissionPlugin[]; readonly validating: readonly AdmissionPlugin[] }

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #interested = new WeakMap<ResourceDefinition, Map<string, Interested>>();
  constructor(plugins: readonly AdmissionPlugin[]) { this.#plugins = plugins; }

  #of(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): Interested {
    let known = this.#interested.get(definition);
    if (known === undefined) this.#interested.set(definition, known = new Map());
    const key = `${operation}/${subresource}`;
    let found = known.get(key);
    if (found === undefined) {
      const plugins = this.#plugins.filter((plugin) => plugin.handles(operation, definition, subresource));
      found = { mutating: plugins.filter((plugin) => plugin.admit !== undefined), validating: plugins.filter((plugin) => plugin.validate !== undefined) };
      known.set(key, found);
    }
    return found;
  }

  /** Whether any plugin would change such an object. */
  mutates(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean { return this.#of(operation, definition, subresource).mutating.length > 0; }
  validates(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean { return this.#of(operation, definition, subresource).validating.length > 0; }

  /** Lets plugins change the object. Rejections are thrown as StatusError. */
  async admit(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#of(attributes.operation, attributes.definition, attributes.subresource).mutating) {
      const pending = plugin.admit!(attributes);
      if (pending !== undefined) await pending;
    }
  }

  /** Lets plugins reject the object by throwing StatusError. */
  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#of(attributes.operation, attributes.definition, attributes.subresource).validating) {
      const pending = plugin.validate!(attributes);
      if (pending !== undefined) await pending;
    }
  }
}
