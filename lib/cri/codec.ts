/**
 * Encodes and decodes CRI messages: protobufjs fed with our own descriptors, so that nothing is read from disk at run time.
 */
import protobuf from "protobufjs";
import { enums, messages, type CriInput, type CriMessage, type MessageName } from "./messages.ts";

function buildRoot(): protobuf.Root {
  const nested: Record<string, protobuf.AnyNestedObject> = {};
  for (const [name, values] of Object.entries(enums)) nested[name] = { values: Object.fromEntries(values.map((value, index) => [value, index])) };
  for (const [name, fields] of Object.entries(messages)) {
    const described: Record<string, object> = {};
    for (const [field, [id, type]] of Object.entries(fields as Record<string, readonly [number, string]>)) {
      described[field] = type === "map" ? { keyType: "string", type: "string", id } : type.endsWith("[]") ? { rule: "repeated", type: type.slice(0, -2), id } : { type, id };
    }
    nested[name] = { fields: described } as protobuf.IType;
  }
  return protobuf.Root.fromJSON({ nested });
}

const root = buildRoot();
const types = new Map<string, protobuf.Type>();

function typeOf(name: MessageName): protobuf.Type {
  let type = types.get(name);
  if (type === undefined) types.set(name, type = root.lookupType(name));
  return type;
}

const AS_PLAIN: protobuf.IConversionOptions = { longs: Number, enums: String, defaults: true, arrays: true, objects: true };

export function encode<N extends MessageName>(name: N, value: CriInput<N>): Buffer {
  const type = typeOf(name);
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}

export function decode<N extends MessageName>(name: N, bytes: Uint8Array): CriMessage<N> {
  const type = typeOf(name);
  return type.toObject(type.decode(bytes), AS_PLAIN) as CriMessage<N>;
}
