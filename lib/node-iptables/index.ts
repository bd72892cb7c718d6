/** The library's public face. */
export * from "./arguments.ts";
export * from "./backend.ts";
export * from "./diff.ts";
export * from "./iptables.ts";
export * from "./model.ts";
export * from "./parse-save.ts";
export * from "./render-save.ts";
export * from "./rule.ts";
export * from "./transaction.ts";
