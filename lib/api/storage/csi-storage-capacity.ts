/** CSIStorageCapacity: how much room a class has somewhere. Counterpart: kubernetes `registry/storage/csistoragecapacity`. */
import { column, nameColumn, orUnset } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { FieldPath } from "../field-path.ts";
import type { CSIStorageCapacity } from "../schema/generated/models.ts";
import { csistoragecapacities } from "../schema/generated/references.ts";
import { checkDnsSubdomain, checkImmutable, checkNonNegativeQuantity, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkLabelSelector } from "../validation/labels.ts";

const TOPOLOGY = FieldPath.of("nodeTopology"), CLASS_NAME = FieldPath.of("storageClassName"), CAPACITY = FieldPath.of("capacity");

function checkCapacity(errors: Errors, one: CSIStorageCapacity): void {
  checkLabelSelector(errors, TOPOLOGY, one.nodeTopology);
  checkDnsSubdomain(errors, CLASS_NAME, one.storageClassName ?? "");
  if (one.capacity !== undefined) checkNonNegativeQuantity(errors, CAPACITY, one.capacity);
}

export const csiStorageCapacityDefinition = defineResource<CSIStorageCapacity>({
  reference: csistoragecapacities,
  allowUnconditionalUpdate: false,
  notRunYet: true,
  validate: (one) => collect((errors) => checkCapacity(errors, one)),
  validateUpdate: (one, old) => collect((errors) => {
    checkImmutable(errors, TOPOLOGY, one.nodeTopology, old.nodeTopology);
    checkImmutable(errors, CLASS_NAME, one.storageClassName, old.storageClassName);
  }),
  columns: [
    nameColumn,
    column("StorageClassName", ({ storageClassName }) => storageClassName ?? "", { description: "The class it is about." }),
    column("Capacity", ({ capacity }) => orUnset(capacity), { description: "How much room there is." }),
  ],
});
