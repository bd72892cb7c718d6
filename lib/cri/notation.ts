/**
 * The notation our protobuf descriptors are written in, and the TypeScript types that follow from it.
 *
 * A message is an object from field name (camelCase; the wire only knows numbers) to `[number, type]`; a type is a scalar of
 * protobuf, `map` (string to string), the name of a message or an enum, or any of those followed by `[]`. An enum is the list of
 * its names in order, numbered from 0. So one table gives the descriptors at run time and the types at compile time.
 */
export type FieldDescriptor = readonly [number: number, type: string];
export type MessageDescriptors = Record<string, Record<string, FieldDescriptor>>;
export type EnumDescriptors = Record<string, readonly string[]>;

/** What a scalar is in TypeScript. 64-bit numbers become doubles: sizes and counts fit, nanosecond stamps lose under a microsecond. */
export interface Scalars {
  string: string; bool: boolean; int32: number; uint32: number; int64: number; uint64: number; double: number; bytes: Buffer; map: Record<string, string>;
}

/** A message as it is received: every scalar, list and map is there, a message inside may be null. */
export type Received<M extends MessageDescriptors, E extends EnumDescriptors, N extends keyof M> = { [F in keyof M[N]]: ReceivedField<M, E, M[N][F][1]> };
type ReceivedField<M extends MessageDescriptors, E extends EnumDescriptors, T extends string> =
  T extends keyof Scalars ? Scalars[T]
  : T extends `${infer Item}[]` ? NonNullable<ReceivedField<M, E, Item>>[]
  : T extends keyof E ? E[T][number]
  : T extends keyof M ? Received<M, E, T> | null : never;

/** A message as it is sent: what is left out has protobuf's default. */
export type Sent<M extends MessageDescriptors, E extends EnumDescriptors, N extends keyof M> = { [F in keyof M[N]]?: SentField<M, E, M[N][F][1]> | undefined };
type SentField<M extends MessageDescriptors, E extends EnumDescriptors, T extends string> =
  T extends keyof Scalars ? Readonly<Scalars[T]>
  : T extends `${infer Item}[]` ? readonly SentField<M, E, Item>[]
  : T extends keyof E ? E[T][number]
  : T extends keyof M ? Sent<M, E, T> : never;
