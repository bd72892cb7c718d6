/**
 * The admission chain: every mutating step in order, then (after defaults and validation) every validating one.
 * The first plugin to throw decides. Counterpart: apiserver `admission/chain.go`.
 */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from "../contracts.ts";

interface Steps { readonly admit: readonly AdmissionPlugin[]; readonly validate: readonly AdmissionPlugin[] }

export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];
  /** Which plugins care, by resource, operation and subresource: asked once, since every write passes here. */
  readonly #steps = new WeakMap<ResourceDefinition, Map<string, Steps>>();
  constructor(plugins: readonly AdmissionPlugin[]) { this.#plugins = plugins; }

  /** Names of the plugins, in order. */
  get names(): string[] { return this.#plugins.map((plugin) => plugin.name); }

  /** Whether anybody would look, so that the caller may skip decoding an old object. */
  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    const steps = this.#stepsFor(operation, definition, subresource);
    return steps.admit.length + steps.validate.length > 0;
  }

  /** Lets every mutating plugin change the object. Throws what a plugin throws; synchronous while all plugins are. */
  admit(attributes: AdmissionAttributes): void | Promise<void> {
    const plugins = this.#stepsFor(attributes.operation, attributes.definition, attributes.subresource).admit;
    return run(plugins, 0, (plugin) => plugin.admit!(attributes));
  }

  /** Lets every validating plugin refuse the object. Throws what a plugin throws; synchronous while all plugins are. */
  validate(attributes: AdmissionAttributes): void | Promise<void> {
    const plugins = this.#stepsFor(attributes.operation, attributes.definition, attributes.subresource).validate;
    return run(plugins, 0, (plugin) => plugin.validate!(attributes));
  }

  #stepsFor(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): Steps {
    let byKey = this.#steps.get(definition);
    if (byKey === undefined) { byKey = new Map(); this.#steps.set(definition, byKey); }
    const key = `${operation}/${subresource}`;
    let steps = byKey.get(key);
    if (steps === undefined) {
      const caring = this.#plugins.filter((plugin) => plugin.handles(operation, definition, subresource));
      steps = { admit: caring.filter((plugin) => plugin.admit !== undefined), validate: caring.filter((plugin) => plugin.validate !== undefined) };
      byKey.set(key, steps);
    }
    return steps;
  }
}

/** Calls one after the other; turns into a promise only where a plugin returns one. */
function run(plugins: readonly AdmissionPlugin[], from: number, call: (plugin: AdmissionPlugin) => void | Promise<void>): void | Promise<void> {
  for (let i = from; i < plugins.length; i++) {
    const pending = call(plugins[i]!);
    if (pending !== undefined) return pending.then(() => run(plugins, i + 1, call));
  }
}
